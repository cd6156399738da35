"""The drawn products: what holds for every set, and what is special to one."""

import numpy as np
import pytest

from keras_design_gans.datasets import garments, handbags

pytestmark = pytest.mark.one_backend  # no network takes part

SETS = (garments, handbags)
SHAPES = [(products, shape) for products in SETS for shape in products.CLASS_NAMES["shape"]]
TEXTURES = garments.CLASS_NAMES["texture"]
# Where there is cloth and nothing else, in pictures of 64 pixels: a chest, and a clutch's front.
FRONTS = {
    garments: ("t-shirt", slice(24, 48), slice(22, 42)),
    handbags: ("clutch", slice(22, 42), slice(12, 52)),
}

every_set = pytest.mark.parametrize("products", SETS, ids=lambda products: products.NAME)
every_shape = pytest.mark.parametrize(
    ("products", "shape"), SHAPES, ids=lambda value: getattr(value, "NAME", value)
)


@every_set
def test_49_in_a_row_are_balanced(products):
    labels = [products.scene(i).labels for i in range(100, 149)]
    assert {(one["shape"], one["texture"]) for one in labels} == {
        (shape, texture) for shape in range(7) for texture in range(7)
    }
    assert products.scene(23).labels == {"shape": 23 % 7, "texture": 23 // 7 % 7}


@every_set
def test_seed_and_index_fix_the_picture(products):
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    image = products.draw(11, seed=3)["image"]
    np.testing.assert_array_equal(image, products.draw(11, seed=3)["image"])
    assert (image != products.draw(11, seed=4)["image"]).any()
    assert (image != products.draw(11 + 49, seed=3)["image"]).any()
    np.testing.assert_array_equal(state, np.random.get_state()[1])  # noqa: NPY002


@every_set
@pytest.mark.parametrize("size", [32, 64, 256])
def test_shapes_and_types(products, size):
    example = products.draw(2, image_size=size)
    assert tuple(example) == products.FEATURES
    for name, channels in (("image", 3), ("mask", 1), ("sketch", 1)):
        assert example[name].shape == (size, size, channels)
        assert example[name].dtype == np.uint8
    assert type(example["shape"]) is int
    assert type(example["texture"]) is int


@every_set
def test_only_the_features_asked_for(products):
    assert tuple(products.draw(0, features=("mask", "shape"))) == ("mask", "shape")


@every_set
@pytest.mark.parametrize("index", range(0, 49, 4))
def test_the_mask_covers_the_product(products, index):
    example = products.draw(index, image_size=128)
    inside = example["mask"][..., 0] > 127
    colored = example["image"].min(axis=-1) < 235
    iou = (inside & colored).sum() / (inside | colored).sum()
    assert iou > 0.85
    # Outside there is nothing but faint shadows.
    assert example["image"][example["mask"][..., 0] == 0].min() > 180
    corners = example["image"][[0, 0, -1, -1], [0, -1, 0, -1]]
    assert (corners == 255).all()


@every_shape
def test_the_product_fills_the_frame_and_is_centred(products, shape):
    mask = products.scene(5, shape=shape).render("mask", 128)[..., 0] > 127
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
    assert 0.85 < max(height, width) / 128 < 0.96
    assert abs(rows[0] + rows[-1] - 127) <= 4
    assert abs(columns[0] + columns[-1] - 127) <= 4


@every_set
def test_the_sketch_is_dark_lines_on_white(products):
    for index in range(7):
        sketch = products.draw(index, features=("sketch",))["sketch"]
        assert (sketch > 200).mean() > 0.7
        assert 0.01 < (sketch < 128).mean() < 0.3


@every_shape
def test_one_cut_in_seven_textures(products, shape):
    scenes = [products.scene(8, shape=shape, texture=texture) for texture in TEXTURES]
    assert [one.labels["texture"] for one in scenes] == list(range(7))
    assert {products.CLASS_NAMES["shape"][one.labels["shape"]] for one in scenes} == {shape}
    assert len({one.render("image", 64).tobytes() for one in scenes}) == 7
    assert len({one.render("mask", 64).tobytes() for one in scenes}) == 1


def contrast(products, index, texture):
    """Mean difference of neighbouring pixels on the front."""
    shape, rows, columns = FRONTS[products]
    image = products.scene(index, shape=shape, texture=texture).render("image", 64)
    front = image[rows, columns].astype("float32")
    return np.abs(np.diff(front, axis=0)).mean() + np.abs(np.diff(front, axis=1)).mean()


@every_set
@pytest.mark.parametrize("texture", [t for t in TEXTURES if t != "uniform"])
def test_textures_differ_from_plain_cloth(products, texture):
    plain, patterned = (
        np.mean([contrast(products, i, name) for i in range(6)]) for name in ("uniform", texture)
    )
    assert patterned > 1.5 * plain


@every_set
def test_wrong_names_are_explained(products):
    names = ", ".join(products.CLASS_NAMES["shape"])
    with pytest.raises(ValueError, match=f"Unknown shape 'sock'.*{names}"):
        products.scene(0, shape="sock")
    with pytest.raises(ValueError, match=r"Unknown texture 'velvet'.*uniform, tiled"):
        products.scene(0, texture="velvet")
    with pytest.raises(ValueError, match=r"Unknown features \['depth'\].*image, mask, sketch"):
        products.draw(0, features=("image", "depth"))
    with pytest.raises(ValueError, match="Unknown kind 'photo'"):
        products.scene(0).svg("photo")
    with pytest.raises(ValueError, match="0 or more"):
        products.scene(-1)


@pytest.mark.parametrize("shape", [s for s in handbags.CLASS_NAMES["shape"] if s != "clutch"])
def test_the_hole_of_a_handle_is_background(shape):
    for index in range(5):
        mask = handbags.scene(index, shape=shape).render("mask", 128)[..., 0] > 127
        top = np.flatnonzero(mask.any(axis=1))[0]
        gaps = [np.diff(row.astype(int)).clip(0).sum() for row in mask[top : top + 20]]
        assert max(gaps) >= 2  # some row meets the handle twice
