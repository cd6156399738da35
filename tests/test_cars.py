"""The drawn cars."""

import numpy as np
import pytest
from scipy import ndimage

from keras_design_gans.datasets import cars
from keras_design_gans.datasets.drawn import DrawnSource

pytestmark = pytest.mark.one_backend  # no network takes part

BODIES, VIEWS = cars.CLASS_NAMES["body"], cars.CLASS_NAMES["view"]
MODULE = "keras_design_gans.datasets.cars"

every_body = pytest.mark.parametrize("body", BODIES)
every_view = pytest.mark.parametrize("view", VIEWS)


def mask_of(index, size=128, **labels):
    return cars.scene(index, **labels).render("mask", size)[..., 0] > 127


def box(mask):
    """The first and last row and column of a mask."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return rows[0], rows[-1], columns[0], columns[-1]


def test_42_in_a_row_are_balanced():
    labels = [cars.scene(i).labels for i in range(100, 142)]
    assert {(one["body"], one["view"]) for one in labels} == {
        (body, view) for body in range(7) for view in range(6)
    }
    assert cars.scene(23).labels == {"body": 23 % 7, "view": 23 // 7 % 6}


def test_seed_and_index_fix_the_picture():
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    image = cars.draw(11, seed=3)["image"]
    np.testing.assert_array_equal(image, cars.draw(11, seed=3)["image"])
    assert (image != cars.draw(11, seed=4)["image"]).any()
    assert (image != cars.draw(11 + 42, seed=3)["image"]).any()
    np.testing.assert_array_equal(state, np.random.get_state()[1])  # noqa: NPY002


def test_train_and_test_differ():
    def pictures(split):
        source = DrawnSource(MODULE, split, num_examples=84)
        return {source.example(i, 32, ("image",))["image"].tobytes() for i in range(0, 84, 8)}

    train, test = pictures("train"), pictures("test")
    assert len(train) == len(test) == 11
    assert not train & test


@pytest.mark.parametrize("size", [32, 64, 256])
def test_shapes_and_types(size):
    example = cars.draw(2, image_size=size)
    assert tuple(example) == cars.FEATURES == ("image", "mask", "sketch", "body", "view")
    for name, channels in (("image", 3), ("mask", 1), ("sketch", 1)):
        assert example[name].shape == (size, size, channels)
        assert example[name].dtype == np.uint8
    assert type(example["body"]) is int
    assert type(example["view"]) is int
    assert tuple(cars.draw(0, features=("mask", "view"))) == ("mask", "view")


@every_body
@every_view
def test_one_whole_car_in_an_empty_studio(body, view):
    scene = cars.scene(9, body=body, view=view)
    image, soft = scene.render("image", 128).astype(int), scene.render("mask", 128)[..., 0]
    mask = soft > 127
    parts, _ = ndimage.label(mask, np.ones((3, 3)))
    assert np.bincount(parts.ravel())[1:].max() > 0.99 * mask.sum()
    top, bottom, left, right = box(mask)
    assert 0.84 < max(bottom - top, right - left) / 128 < 0.96
    assert abs(top + bottom - 127) <= 4
    assert abs(left + right - 127) <= 4
    # No gap in the skin would go unseen. Only a convertible has true holes in its upper half.
    if body != "convertible":
        holes = ndimage.binary_fill_holes(mask) & ~mask
        assert not holes[: (top + bottom) // 2].any()
    # Around it are a grey wall, a grey floor and a grey shadow at its foot.
    assert np.ptp(image[soft == 0], axis=-1).max() < 16
    assert image[[0, 0, -1, -1], [0, -1, 0, -1]].min() > 215
    assert image[: (top + bottom) // 2][soft[: (top + bottom) // 2] == 0].min() > 215
    assert image[soft == 0].min() > 110


@pytest.mark.parametrize("index", range(0, 42, 3))  # all bodies and all views
def test_the_outline_of_the_sketch_is_that_of_the_mask(index):
    scene = cars.scene(index)
    mask = scene.render("mask", 128)[..., 0] > 127
    lines = scene.render("sketch", 128)[..., 0] < 160
    assert np.abs(np.subtract(box(mask), box(lines))).max() <= 2
    edge = mask & ~ndimage.binary_erosion(mask)
    assert (edge & ndimage.binary_dilation(lines, iterations=2)).sum() > 0.97 * edge.sum()
    assert not (lines & ~ndimage.binary_dilation(mask, iterations=3)).any()


@pytest.mark.parametrize("size", [64, 256])
def test_the_sketch_is_thin_dark_lines_on_white(size):
    for index in range(0, 42, 8):
        sketch = cars.draw(index, image_size=size, features=("sketch",))["sketch"][..., 0]
        assert (sketch > 200).mean() > 0.75
        assert 0.01 < (sketch < 128).mean() < 0.2
        assert sketch.min() < 80
        # No spot of ink survives when a line's width is taken away around it.
        thick = ndimage.binary_erosion(sketch < 128, np.ones((3, 3)), iterations=size // 64)
        assert thick.mean() < 0.002


@pytest.mark.parametrize("index", range(0, 42, 11))
def test_two_sizes_agree(index):
    scene = cars.scene(index)
    for kind in ("image", "mask", "sketch"):
        small = scene.render(kind, 64).astype(float)
        large = scene.render(kind, 256).astype(float)
        large = large.reshape(64, 4, 64, 4, -1).mean((1, 3))
        # Sharp lines differ more where they are thinner than a pixel.
        assert np.abs(small - large).mean() < (8 if kind == "sketch" else 4), kind


@every_body
def test_left_and_right_are_mirror_images(body):
    left, right = (mask_of(3, body=body, view=view) for view in ("left", "right"))
    mirrored = right[:, ::-1]
    assert (left & mirrored).sum() / (left | mirrored).sum() > 0.93


@pytest.mark.parametrize("body", BODIES[::3])
def test_a_car_is_the_same_from_all_sides(body):
    hues = []
    for view in VIEWS:
        scene = cars.scene(5, body=body, view=view)
        image = scene.render("image", 64).astype(float)
        inside = scene.render("mask", 64)[..., 0] == 255
        hues.append(np.median(image[inside], axis=0))
    assert np.ptp(hues, axis=0).max() < 110
    assert (mask_of(5, body=body, view="left") != mask_of(6, body=body, view="left")).any()


def proportions(body):
    """Height by length of some cars in side view."""
    return [
        (b - t) / (r - le)
        for t, b, le, r in (box(mask_of(i, body=body, view="left")) for i in range(4))
    ]


def test_bodies_have_their_proportions():
    height = {body: np.mean(proportions(body)) for body in BODIES}
    assert height["coupe"] < height["sedan"] < height["hatchback"] < height["van"]
    assert height["sedan"] < height["suv"] < height["van"]
    assert 0.27 < height["sedan"] < 0.37


@every_body
def test_the_wheels_stand_on_the_ground(body):
    mask = mask_of(4, body=body, view="left", size=256)
    last = box(mask)[1]
    columns = np.flatnonzero(mask[last - 3])
    runs = np.split(columns, np.flatnonzero(np.diff(columns) > 1) + 1)
    runs = [run for run in runs if len(run) > 5]
    assert len(runs) in (2, 3, 4)  # the wheels on the other side may show between
    middle = 127.5
    assert runs[0].mean() < middle - 45
    assert runs[-1].mean() > middle + 45


def test_wrong_names_are_explained():
    with pytest.raises(ValueError, match=r"Unknown body 'tractor'.*sedan, hatchback"):
        cars.scene(0, body="tractor")
    with pytest.raises(ValueError, match=r"Unknown view 'above'.*front, front three-quarter"):
        cars.scene(0, view="above")
    with pytest.raises(ValueError, match=r"Unknown features \['depth'\].*image, mask, sketch"):
        cars.draw(0, features=("image", "depth"))
    with pytest.raises(ValueError, match="Unknown kind 'photo'"):
        cars.scene(0).svg("photo")
    with pytest.raises(ValueError, match="0 or more"):
        cars.scene(-1)
