"""The scripts that prepare real data, and the sets of TensorFlow Datasets, on mock data."""

import contextlib
import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from keras_design_gans import datasets
from keras_design_gans.datasets import tfds as tfds_module

SCRIPTS = Path(__file__).parents[1] / "data_scripts"


@pytest.fixture(autouse=True)
def cache_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("KDG_CACHE", str(tmp_path / "cache"))
    tfds_module._open.cache_clear()


@contextlib.contextmanager
def mock_tfds():
    tfds = pytest.importorskip("tensorflow_datasets")
    policy = tfds.testing.MockPolicy.USE_CODE
    with tfds.testing.mock_data(num_examples=6, policy=policy):
        yield


def script(name):
    spec = importlib.util.spec_from_file_location(name, SCRIPTS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("name", "features", "class_names"),
    [
        ("mnist", ("image", "label"), {"label": 10}),
        ("celeb_a", ("image", "attributes"), {"attributes": 40}),
        ("caltech_birds2011", ("image", "label", "mask"), {"label": 200}),
        ("oxford_flowers102", ("image", "label"), {"label": 102}),
    ],
)
def test_tfds_sets(name, features, class_names):
    with mock_tfds():
        data = datasets.load(name, image_size=16, batch_size=3, features=features)
        batch = data[0]
    assert batch["image"].shape == (3, 16, 16, 3)
    assert {key: len(names) for key, names in data.class_names.items()} == class_names
    if name == "celeb_a":
        assert batch["attributes"].shape == (3, 40)
        assert set(np.unique(data.arrays["attributes"])) == {0, 1}
    if name == "caltech_birds2011":
        assert batch["mask"].shape == (3, 16, 16, 1)


def test_tfds_pairs_hold_both_sides():
    with mock_tfds():
        data = datasets.load("cycle_gan/horse2zebra", split="test", image_size=16, batch_size=4)
    assert data.num_examples == 12
    assert data.class_names == {"label": ("A", "B")}


def test_tfds_not_downloaded(tmp_path, monkeypatch):
    tfds = pytest.importorskip("tensorflow_datasets")
    builder = tfds.builder("mnist", data_dir=str(tmp_path))
    monkeypatch.setattr(tfds, "builder", lambda name: builder)
    with pytest.raises(FileNotFoundError, match=r"prepare_tfds.py mnist"):
        datasets.load("mnist")


def test_tfds_not_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(ImportError, match=r"pip install keras-design-gans\[tfds\]"):
        datasets.load("mnist")


def test_prepare_tfds(capsys):
    with mock_tfds():
        script("prepare_tfds").main(["mnist", "--image-size", "16"])
    output = capsys.readouterr().out
    assert "train: 6 examples" in output
    assert "image uint8 (6, 16, 16, 3) sha256 " in output


def test_prepare_folder(tmp_path, capsys):
    for index in range(40):
        path = tmp_path / "mine" / "ab"[index % 2] / f"{index}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (9, 9), (index, 0, 0)).save(path)
    outputs = []
    for _ in range(2):
        script("prepare_folder").main([str(tmp_path / "mine"), "--image-size", "16"])
        outputs.append(capsys.readouterr().out)
    assert outputs[0] == outputs[1]
    assert "label: a, b" in outputs[0]
    assert outputs[0].count("sha256") == 4


@pytest.mark.parametrize("name", ["prepare_tfds", "prepare_folder"])
def test_help(name, capsys):
    with pytest.raises(SystemExit) as stop:
        script(name).main(["--help"])
    assert stop.value.code == 0
    assert "--image-size" in capsys.readouterr().out
