"""Product masks by the random walker, against true masks and worked numbers."""

import numpy as np
import pytest
from PIL import Image, ImageDraw
from skimage.segmentation import random_walker

import keras_design_gans as kdg
from keras_design_gans.datasets import garments

pytestmark = pytest.mark.one_backend  # no network takes part


def photo(background=(240, 240, 240), product=(40, 60, 120), size=96, box=(24, 24, 72, 72)):
    """A rectangle on a plain background with a little noise, and its true mask."""
    image, mask = Image.new("RGB", (size, size), background), Image.new("L", (size, size))
    ImageDraw.Draw(image).rectangle(box, fill=product)
    ImageDraw.Draw(mask).rectangle(box, fill=255)
    noise = np.random.default_rng(0).normal(0, 1.5, (size, size, 3))
    pixels = np.clip(np.asarray(image) + noise, 0, 255).astype(np.uint8)
    return pixels, np.array(mask)[..., None]


@pytest.mark.parametrize(
    ("nodes", "expected"), [(3, [1, 0.5, 0]), (5, [1, 0.75, 0.5, 0.25, 0])], ids=["3", "5"]
)
def test_a_chain_is_interpolated(nodes, expected):
    # Equal steps of grey make equal weights: the solution is a straight line.
    chain = np.linspace(0, 1, nodes)[None]
    seeds = np.zeros((1, nodes), int)
    seeds[0, [0, -1]] = 1, 2
    x = random_walker(chain, seeds, mode="bf", return_full_prob=True)[0]
    np.testing.assert_allclose(x[0], expected, atol=1e-6)


@pytest.mark.parametrize(("size", "mean", "worst"), [(64, 0.93, 0.85), (256, 0.97, 0.9)])
def test_drawn_garments(size, mean, worst):
    scores = []
    for index in range(1000, 1014):
        example = garments.draw(index, image_size=size, features=("image", "mask"))
        mask = kdg.masks.product_mask(example["image"])
        scores.append(float(kdg.metrics.mask_iou(mask, example["mask"])))
    assert np.mean(scores) > mean
    assert min(scores) > worst


def test_form_of_the_result():
    image, _ = photo(size=80)
    result = kdg.masks.segment(image[:, :60])
    assert result.mask.shape == (80, 60, 1)
    assert result.mask.dtype == np.uint8
    assert set(np.unique(result.mask)) == {0, 255}
    assert result.probability.shape == result.seeds.shape == (128, 96)
    assert 0 <= result.probability.min() < result.probability.max() <= 1
    assert (result.probability[result.seeds == 1] == 1).all()
    assert (result.probability[result.seeds == 2] == 0).all()
    assert result.quality > 0.8
    assert result.doubts == ()


def test_uint8_float_and_grey_agree():
    image, true = photo()
    mask = kdg.masks.product_mask(image)
    assert kdg.metrics.mask_iou(mask, true) > 0.95
    np.testing.assert_array_equal(mask, kdg.masks.product_mask(image / 127.5 - 1))
    grey = image.mean(axis=-1, keepdims=True).astype(np.uint8)
    assert kdg.metrics.mask_iou(kdg.masks.product_mask(grey), true) > 0.95


@pytest.mark.parametrize(
    ("background", "product"),
    [((255, 255, 255), (236, 234, 230)), ((232, 230, 224), (255, 255, 255))],
    ids=["off-white on white", "white on off-white"],
)
def test_white_on_white(background, product):
    image, true = photo(background, product)
    assert kdg.metrics.mask_iou(kdg.masks.product_mask(image), true) > 0.9


def test_uneven_light():
    image, true = photo()
    light = np.linspace(0.75, 1, 96)[:, None, None]
    assert kdg.metrics.mask_iou(kdg.masks.product_mask((image * light).astype("uint8")), true) > 0.9


def test_a_product_that_leaves_the_frame():
    image, true = photo(box=(24, 24, 72, 96))
    assert kdg.metrics.mask_iou(kdg.masks.product_mask(image), true) > 0.95


def test_a_hole_stays_and_islands_go():
    image, true = photo()
    image[40:56, 40:56], true[40:56, 40:56] = 240, 0
    image[4:10, 4:10] = 100
    mask = kdg.masks.product_mask(image)
    assert kdg.metrics.mask_iou(mask, true) > 0.95
    assert not mask[48, 48, 0]
    assert not mask[7, 7, 0]


def test_doubts():
    flat = kdg.masks.segment(np.full((32, 32, 3), 250, np.uint8))
    assert not flat.mask.any()
    assert flat.quality == 0
    assert flat.doubts == ("nothing differs from the background",)
    small = kdg.masks.segment(photo(box=(40, 40, 56, 56))[0])
    assert "it covers only 3% of the picture" in small.doubts
    assert small.quality < 0.3
    noise = np.random.default_rng(0).integers(0, 256, (96, 96, 3), np.uint8)
    assert kdg.masks.segment(noise).doubts


def test_outline():
    image, true = photo()
    drawn = kdg.masks.outline(image, true)
    assert drawn.shape == image.shape
    assert drawn[24, 48].tolist() == [255, 0, 255]
    np.testing.assert_array_equal(drawn[48, 48], image[48, 48])
    np.testing.assert_array_equal(drawn[2, 2], image[2, 2] // 2)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((2, 32, 32, 3), np.uint8), r"one picture of shape.*images\[0\]"),
        (np.zeros((32, 32), np.uint8), "one picture of shape"),
        (np.zeros((32, 4, 3), np.uint8), "at least 8 pixels"),
        (np.full((32, 32, 3), 200.0), r"float in \[-1, 1\]. Received: float64 from 200"),
        (np.full((32, 32, 3), np.nan), r"float in \[-1, 1\]"),
        (np.zeros((32, 32, 3), int), "Expected uint8"),
    ],
    ids=["batch", "flat", "tiny", "range", "nan", "int"],
)
def test_wrong_pictures(image, message):
    with pytest.raises(ValueError, match=message):
        kdg.masks.product_mask(image)


def test_mask_iou():
    first = np.zeros((2, 4, 4, 1), np.uint8)
    second = first.copy()
    first[0, :, :2], second[0, :2] = 255, 255  # 4 pixels shared, of 12.
    np.testing.assert_allclose(kdg.metrics.mask_iou(first, second), [1 / 3, 1])
    np.testing.assert_allclose(kdg.metrics.mask_iou(first / 127.5 - 1, second > 0), [1 / 3, 1])
    with pytest.raises(ValueError, match="two arrays of masks of one shape"):
        kdg.metrics.mask_iou(first, second[0])


def test_mask_fidelity_is_that_of_the_outline():
    image, true = photo()
    half = true.copy()
    half[:, :48] = 0
    both = kdg.metrics.mask_fidelity(np.stack([image, image]), np.stack([true, half]))
    np.testing.assert_allclose(both, [1, 0.5], atol=0.06)
    repeated = kdg.metrics.mask_fidelity(np.stack([image, image]), true[None])
    np.testing.assert_array_equal(repeated, both[[0, 0]])


def test_texture_spread_by_hand():
    mask = np.array([1, 1, -1, -1], "float32").reshape(2, 2, 1)
    images = np.zeros((2, 2, 2, 3))
    images[:, 0, 0, 0] = -0.6, 0.6  # one of 6 values inside, of deviation 0.6
    images[:, 1, 1] = [[-1, -1, -1], [1, 1, 1]]  # outside
    assert kdg.metrics.texture_spread(images, mask) == pytest.approx(0.6 / 6)
    assert kdg.metrics.texture_spread(images[[0, 0]], mask) == 0
    with pytest.raises(ValueError, match="one mask"):
        kdg.metrics.texture_spread(images, mask[None])
    with pytest.raises(ValueError, match="mask is empty"):
        kdg.metrics.texture_spread(images, 0 * mask)
