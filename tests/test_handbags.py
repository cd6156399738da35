import numpy as np
import pytest

from keras_design_gans.datasets import handbags

SHAPES = handbags.CLASS_NAMES["shape"]
TEXTURES = handbags.CLASS_NAMES["texture"]


def test_49_in_a_row_are_balanced():
    labels = [handbags.scene(i).labels for i in range(100, 149)]
    assert {(one["shape"], one["texture"]) for one in labels} == {
        (shape, texture) for shape in range(7) for texture in range(7)
    }
    assert handbags.scene(23).labels == {"shape": 23 % 7, "texture": 23 // 7 % 7}


def test_seed_and_index_fix_the_picture():
    image = handbags.draw(11, seed=3)["image"]
    np.testing.assert_array_equal(image, handbags.draw(11, seed=3)["image"])
    assert (image != handbags.draw(11, seed=4)["image"]).any()
    assert (image != handbags.draw(11 + 49, seed=3)["image"]).any()


@pytest.mark.parametrize("size", [32, 64, 512])
def test_shapes_and_types(size):
    example = handbags.draw(2, image_size=size)
    assert tuple(example) == handbags.FEATURES
    for name, channels in (("image", 3), ("mask", 1), ("sketch", 1)):
        assert example[name].shape == (size, size, channels)
        assert example[name].dtype == np.uint8
    assert type(example["shape"]) is int
    assert type(example["texture"]) is int


def test_only_the_features_asked_for():
    assert tuple(handbags.draw(0, features=("mask", "shape"))) == ("mask", "shape")


@pytest.mark.parametrize("index", range(0, 49, 3))
def test_the_mask_covers_the_handbag(index):
    example = handbags.draw(index, image_size=128)
    inside = example["mask"][..., 0] > 127
    colored = example["image"].min(axis=-1) < 235
    iou = (inside & colored).sum() / (inside | colored).sum()
    assert iou > 0.85
    # Outside there is nothing but the faint shadows beside the bag and on the ground.
    assert example["image"][example["mask"][..., 0] == 0].min() > 180
    corners = example["image"][[0, 0, -1, -1], [0, -1, 0, -1]]
    assert (corners == 255).all()


@pytest.mark.parametrize("shape", [shape for shape in SHAPES if shape != "clutch"])
def test_the_hole_of_the_handle_is_background(shape):
    for index in range(5):
        mask = handbags.scene(index, shape=shape).render("mask", 128)[..., 0] > 127
        top = np.flatnonzero(mask.any(axis=1))[0]
        gaps = [np.diff(row.astype(int)).clip(0).sum() for row in mask[top : top + 20]]
        assert max(gaps) >= 2  # some row meets the handle twice


@pytest.mark.parametrize("shape", SHAPES)
def test_the_handbag_fills_the_frame_and_is_centred(shape):
    mask = handbags.scene(5, shape=shape).render("mask", 128)[..., 0] > 127
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
    assert 0.85 < max(height, width) / 128 < 0.96
    assert abs(rows[0] + rows[-1] - 127) <= 4
    assert abs(columns[0] + columns[-1] - 127) <= 4


def test_the_sketch_is_dark_lines_on_white():
    for index in range(7):
        sketch = handbags.draw(index, features=("sketch",))["sketch"]
        assert (sketch > 200).mean() > 0.7
        assert 0.01 < (sketch < 128).mean() < 0.3


@pytest.mark.parametrize("shape", SHAPES)
def test_one_cut_in_seven_textures(shape):
    scenes = [handbags.scene(8, shape=shape, texture=texture) for texture in TEXTURES]
    assert [one.labels["texture"] for one in scenes] == list(range(7))
    assert {SHAPES[one.labels["shape"]] for one in scenes} == {shape}
    cuts = {one.render("mask", 64).tobytes() for one in scenes}
    assert len({one.render("image", 64).tobytes() for one in scenes}) == 7
    assert len(cuts) == 1


def _contrast(index, texture):
    """Mean difference of neighbouring pixels well inside a clutch."""
    image = handbags.scene(index, shape="clutch", texture=texture).render("image", 64)
    front = image[22:42, 12:52].astype("float32")
    return np.abs(np.diff(front, axis=0)).mean() + np.abs(np.diff(front, axis=1)).mean()


@pytest.mark.parametrize("texture", [t for t in TEXTURES if t != "uniform"])
def test_textures_differ_from_plain_cloth(texture):
    plain, patterned = (
        np.mean([_contrast(i, name) for i in range(6)]) for name in ("uniform", texture)
    )
    assert patterned > 1.5 * plain


def test_wrong_names_are_explained():
    with pytest.raises(ValueError, match=r"Unknown shape 'sock'.*tote, clutch, backpack"):
        handbags.scene(0, shape="sock")
    with pytest.raises(ValueError, match=r"Unknown texture 'velvet'.*uniform, tiled"):
        handbags.scene(0, texture="velvet")
    with pytest.raises(ValueError, match=r"Unknown features \['depth'\].*image, mask, sketch"):
        handbags.draw(0, features=("image", "depth"))
    with pytest.raises(ValueError, match="0 or more"):
        handbags.scene(-1)
