"""Joint pictures: both halves in their place, styles, and what lies in the cache."""

import os
import pickle

import numpy as np
import pytest

from keras_design_gans import datasets, sketches
from keras_design_gans.datasets import cache
from keras_design_gans.datasets.joint_pictures import JointSource

pytestmark = pytest.mark.one_backend  # no network takes part


@pytest.fixture(autouse=True)
def cache_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("KDG_CACHE", str(tmp_path / "cache"))


def tiny(n=6, size=16, **arrays):
    noise = np.random.default_rng(0)
    pictures = {
        "image": noise.integers(0, 256, (n, size, size, 3), np.uint8),
        "sketch": noise.integers(0, 256, (n, size, size, 1), np.uint8),
    }
    labels = {"shape": np.arange(n) % 2}
    return datasets.Dataset({**pictures, **labels, **arrays}, "tiny", batch_size=2)


def test_own_drawings_lie_on_the_left():
    data = tiny()
    pairs = datasets.joint(data)
    assert set(pairs.features) == {"joint", "sketch", "image", "shape"}
    found, expected = pairs.take(6), data.take(6)
    assert found["joint"].shape == (6, 16, 32, 3)
    assert found["joint"].dtype == np.float32
    for channel in range(3):
        np.testing.assert_array_equal(found["joint"][:, :, :16, [channel]], expected["sketch"])
    np.testing.assert_array_equal(found["joint"][:, :, 16:], expected["image"])
    for key in ("sketch", "image", "shape"):
        np.testing.assert_array_equal(found[key], expected[key])
    assert pairs[0]["joint"].shape == (2, 16, 32, 3)


@pytest.mark.parametrize("style", ["xdog", "photocopy"])
def test_a_style_draws_the_pictures(style):
    data = tiny()
    found = datasets.joint(data, style).take(6)
    expected = sketches.sketch(data.arrays["image"], style)
    np.testing.assert_allclose(found["sketch"], expected, atol=1 / 255 + 1e-6)


def test_styles_are_mixed_and_each_picture_keeps_its_own():
    data = tiny(40)
    found = datasets.joint(data, ("own", "sobel")).take(40)["sketch"]
    drawn = [data.take(40)["sketch"], sketches.sobel(data.arrays["image"])]
    near = [np.abs(found - other).max(axis=(1, 2, 3)) < 0.01 for other in drawn]
    assert (near[0] ^ near[1]).all()
    assert 10 < near[0].sum() < 30
    np.testing.assert_array_equal(datasets.joint(data, ("own", "sobel")).take(40)["sketch"], found)


def test_what_was_made_is_kept(monkeypatch):
    data = tiny()
    first = datasets.joint(data, "sobel").arrays["joint"]
    monkeypatch.setattr(JointSource, "example", None)
    np.testing.assert_array_equal(datasets.joint(tiny(), "sobel").arrays["joint"], first)
    monkeypatch.undo()
    other = tiny(image=data.arrays["image"][::-1])
    assert not np.array_equal(datasets.joint(other, "sobel").arrays["joint"], first)


def test_workers_open_the_files_themselves(tmp_path, monkeypatch):
    """Drawn by two processes out of the cache as by one out of the memory."""
    data = tiny(64)
    expected = datasets.joint(data).arrays["joint"]
    pictures = {}
    for key in ("image", "sketch"):
        np.save(tmp_path / f"{key}.npy", data.arrays[key])
        pictures[key] = np.load(tmp_path / f"{key}.npy", mmap_mode="r")
    mapped = datasets.Dataset(pictures, "mapped", batch_size=2)
    assert len(pickle.dumps(JointSource(mapped, ("own",)))) < 3_000 < pictures["image"].nbytes
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setattr(cache, "EXAMPLES_PER_PROCESS", 32)
    np.testing.assert_array_equal(datasets.joint(mapped).arrays["joint"], expected)


@pytest.mark.parametrize(
    ("style", "features", "message"),
    [
        ("ink", ("image",), "`style` must be of own, xdog, .*hed.*'ink'"),
        ((), ("image",), "Received: style="),
        ("own", ("image",), "without 'sketch'.*features=.*style='xdog'"),
        ("xdog", ("sketch",), "without 'image'"),
    ],
)
def test_what_cannot_be_joined_is_named(style, features, message):
    data = tiny()
    data = datasets.Dataset({key: data.arrays[key] for key in features}, "tiny", batch_size=2)
    with pytest.raises(ValueError, match=message):
        datasets.joint(data, style)
