"""The scripts that prepare real data, and the sets of TensorFlow Datasets, on mock data."""

import contextlib
import csv
import dataclasses
import importlib.util
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from keras_design_gans import datasets, recipes, training
from keras_design_gans.datasets import captions
from keras_design_gans.datasets import tfds as tfds_module

pytestmark = pytest.mark.one_backend

SCRIPTS = Path(__file__).parents[1] / "data_scripts"


@pytest.fixture(autouse=True)
def cache_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("KDG_CACHE", str(tmp_path / "cache"))
    monkeypatch.syspath_prepend(SCRIPTS)  # they share `photo_folder.py`
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
        ("celeb_a", None, {"male": 2, "smile": 2}),
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
    if features and "attributes" in features:
        assert batch["attributes"].shape == (3, 40)
        assert set(np.unique(data.arrays["attributes"])) == {0, 1}
    if name == "caltech_birds2011":
        assert batch["mask"].shape == (3, 16, 16, 1)


LABEL = {
    "celeb_a": ("attributes",),
    "caltech_birds2011": ("label",),
    "oxford_flowers102": ("label",),
}


@pytest.mark.parametrize("name", LABEL)
def test_tfds_captions_are_built_from_names(name):
    with mock_tfds():
        data = datasets.load(name, image_size=16, batch_size=3, features=("image", "caption"))
        labels = datasets.load(name, image_size=16, batch_size=3, features=LABEL[name]).take(6)
    assert data.features == ("image", "caption")
    assert data[0]["caption"].shape == (3,)
    for row, sentences in enumerate(data.captions["caption"]):
        assert len(set(sentences)) == 3
        if name == "oxford_flowers102":
            kind = data_names(name)[labels["label"][row]]
            assert sentences[2] == f"A picture of a flower: {kind}."
        if name == "celeb_a":
            wears_hat = labels["attributes"][row][data_names(name).index("Wearing_Hat")]
            assert ("a hat" in sentences[0]) == bool(wears_hat)
            assert sentences[0].startswith("A photo of a person")


def data_names(name):
    with mock_tfds():
        data = datasets.load(name, image_size=16, batch_size=3, features=LABEL[name])
    (names,) = data.class_names.values()
    return names


@pytest.fixture
def celeb_a(monkeypatch):
    """Makes `celeb_a` hold pictures that show these attributes: a tuple of sets of their names."""
    tfds = pytest.importorskip("tensorflow_datasets")
    names = tuple(tfds.builder("celeb_a").info.features["attributes"])

    def hold(*pictures):
        records = [
            {
                "image": np.full((218, 178, 3), 10 * index, np.uint8),
                "attributes": {name: name in shown for name in names},
            }
            for index, shown in enumerate(pictures)
        ]
        monkeypatch.setattr(tfds_module, "_open", lambda name, part: records)

    return hold


FACES = (
    {"Black_Hair", "Male", "Young"},
    {"Blond_Hair", "Smiling"},
    {"Brown_Hair", "Male", "Smiling"},
    {"Gray_Hair", "Male"},
    {"Black_Hair", "Brown_Hair"},
    {"Brown_Hair", "Wavy_Hair"},
)


def test_labels_of_celeb_a(celeb_a):
    celeb_a(*FACES)
    data = datasets.load("celeb_a", image_size=16, batch_size=2)
    assert data.arrays["male"].tolist() == [1, 0, 1, 1, 0, 0]
    assert data.arrays["smile"].tolist() == [0, 1, 1, 0, 0, 0]
    assert data.class_names == {"male": (False, True), "smile": (False, True)}
    assert data.where(smile=(True, False)).arrays["smile"].tolist() == [1, 0, 0, 1, 1, 1]


def test_pictures_without_one_hair_color_are_left_out(celeb_a):
    celeb_a(*FACES)
    keys = ("image", "hair_color", "male", "smile")
    with pytest.warns(UserWarning, match="2 of the 6") as caught:
        data = datasets.load("celeb_a", image_size=16, batch_size=2, features=keys)
    assert "3: none of the hair colours black, blond, brown" in str(caught[0].message)
    assert "4: 2 of the hair colours" in str(caught[0].message)
    assert data.class_names["hair_color"] == ("black", "blond", "brown")
    assert data.arrays["hair_color"].tolist() == [0, 1, 2, 2]
    assert data.arrays["male"].tolist() == [1, 0, 1, 0]
    assert data.arrays["image"][:, 0, 0, 0].tolist() == [0, 10, 20, 50]
    everyone = datasets.load("celeb_a", image_size=16, batch_size=2, features=("image",))
    assert everyone.num_examples == 6  # whatever was made before


@pytest.mark.one_backend
@pytest.mark.filterwarnings("ignore:.*cannot be used")
@pytest.mark.parametrize("name", [name for name in recipes.RECIPES if "celeb_a" in name])
def test_models_that_change_attributes_train_on_celeb_a(name, celeb_a, tmp_path, monkeypatch):
    monkeypatch.setattr(training, "ROUND", 1)
    monkeypatch.setattr(training, "CLASSIFIER_STEPS", 1)
    celeb_a(*FACES, *FACES, *FACES)
    recipe = recipes.RECIPES[name]
    small = {"base_filters": 2, **({"patch": 16} if recipe.model == "CycleGAN" else {})}
    recipe = dataclasses.replace(
        recipe, arguments=recipe.arguments | small, image_size=32, batch_size=10, steps=3
    )
    if recipe.model == "CycleGAN":
        recipe = dataclasses.replace(recipe, batch_size=1)
    model, steps = training.run(recipe, tmp_path / "run")
    assert steps == 3
    changes = {"hair_color": "blond", "smile": True, "male": [False, True, True]}
    asked = {key: changes[key] for key in getattr(model, "conditions", ())}
    images = datasets.load("celeb_a", "test", 32, 1).take(3)["image"]
    made = model.translate(images, asked) if asked else model.translate(images)
    assert made.shape == images.shape
    scores = training.score(model, recipe)
    assert {key for key in scores if key.endswith("_attribute_error")} == {
        f"{key}_attribute_error" for key in asked
    }


def test_captions_of_photos():
    assert captions.celebrity(set()) == (
        "A photo of a person.",
        "The face of a person.",
        "Portrait: a person.",
    )
    shown = {"Wavy_Hair", "Brown_Hair", "Smiling", "Eyeglasses", "Young"}
    assert captions.celebrity(shown)[0] == (
        "A photo of a person with wavy brown hair and a smile wearing glasses."
    )
    assert captions.photo("indigo bunting", "bird")[:2] == (
        "A photo of an indigo bunting.",
        "This bird is an indigo bunting.",
    )


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


def product_photos(folder, n):
    """Photos of a dark rectangle on grey, 160 x 120, in two classes."""
    for index in range(n):
        image = Image.new("RGB", (160, 120), (235, 232, 230))
        ImageDraw.Draw(image).rectangle((40 + index, 20, 110, 100), fill=(index, 40, 90))
        path = folder / "ab"[index % 2] / f"{index}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        image.save(path, quality=95)


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.*")}


def test_make_masks(tmp_path, capsys):
    photos, out = tmp_path / "photos", tmp_path / "out"
    product_photos(photos, 12)
    Image.new("RGB", (64, 64), "white").save(photos / "a" / "blank.png")
    (photos / "b" / "broken.jpg").write_text("<html>404</html>")
    Image.new("RGB", (64, 64), "white").save(photos / "a" / "0.webp")  # beside 0.jpg
    arguments = [str(photos), "--out", str(out), "--image-size", "64", "--processes", "1"]
    make_masks = script("make_masks")
    make_masks.main(arguments)
    output = capsys.readouterr().out
    assert "14 masks in" in output
    assert "2 of them are doubtful, see doubtful.png" in output
    assert "masks/a/blank.png: nothing differs from the background" in output
    assert "b/broken.jpg: it is empty or not a picture" in output
    assert Image.open(out / "doubtful.png").width > 100
    with open(out / "metadata.csv", newline="", encoding="utf-8") as file:
        rows = {row["file_name"]: row for row in csv.DictReader(file)}
    assert {"images/a/0.jpg.png", "images/a/0.webp.png", "images/b/1.png"} < set(rows)
    assert rows["images/b/1.png"]["label"] == "b"
    assert float(rows["images/b/1.png"]["mask_quality"]) > 0.8
    with Image.open(out / "images/b/1.png") as image, Image.open(out / "masks/b/1.png") as mask:
        assert image.size == mask.size == (64, 48)
        assert set(mask.get_flattened_data()) == {0, 255}
    data = datasets.from_folder(
        out, features=("image", "mask", "label"), image_size=16, batch_size=1
    )
    assert data.features == ("image", "mask", "label")
    assert data.class_names == {"label": ("a", "b")}

    before = contents(out)
    times = {path: path.stat().st_mtime_ns for path in out.rglob("masks/*/*.png")}
    make_masks.main(arguments)
    assert capsys.readouterr().out == output
    assert contents(out) == before
    assert times == {path: path.stat().st_mtime_ns for path in out.rglob("masks/*/*.png")}
    (photos / "b" / "1.jpg").write_bytes((photos / "b" / "3.jpg").read_bytes())
    make_masks.main(arguments)
    assert (out / "masks/b/1.png").read_bytes() != before["masks/b/1.png"]


def test_make_masks_killed_and_run_again(tmp_path):
    photos, out, whole = tmp_path / "photos", tmp_path / "out", tmp_path / "whole"
    product_photos(photos, 40)
    command = [sys.executable, str(SCRIPTS / "make_masks.py"), str(photos), "--image-size", "160"]
    process = subprocess.Popen([*command, "--out", str(out), "--processes", "2"])
    while len(list(out.glob("masks/*/*.png"))) < 3:
        assert process.poll() is None
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert not (out / "metadata.csv").exists()
    for path in out.glob("*/*/*.png"):
        Image.open(path).load()  # None is cut.
    (out / "masks" / "a" / "0.png.partial").write_bytes(b"half")
    script("make_masks").main([*command[2:], "--out", str(out), "--processes", "1"])
    script("make_masks").main([*command[2:], "--out", str(whole), "--processes", "1"])
    assert contents(out) == contents(whole)
    assert len(list(out.glob("masks/*/*.png"))) == 40


def test_make_masks_keeps_splits_and_stays_in_its_folder(tmp_path):
    for split in ("train", "test"):
        product_photos(tmp_path / "photos" / split, 2)
    make_masks = script("make_masks")
    arguments = ["--image-size", "32", "--processes", "1", "--out"]
    make_masks.main([str(tmp_path / "photos"), *arguments, str(tmp_path / "out")])
    data = datasets.from_folder(
        tmp_path / "out", "test", features=("image", "mask"), image_size=16, batch_size=1
    )
    assert data.num_examples == 2
    with pytest.raises(SystemExit):
        make_masks.main([str(tmp_path / "photos"), *arguments, str(tmp_path / "photos" / "out")])
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "metadata.csv").write_text("file_name\n../photos/train/a/0.jpg\n")
    with pytest.raises(ValueError, match="lies outside of"):
        make_masks.main([str(tmp_path / "bad"), *arguments, str(tmp_path / "bad_out")])
    assert not (tmp_path / "bad_out" / "images").exists()


def test_make_sketches(tmp_path, capsys):
    photos, out = tmp_path / "photos", tmp_path / "out"
    product_photos(photos, 4)
    (photos / "b" / "broken.jpg").write_text("<html>404</html>")
    make_sketches = script("make_sketches")
    arguments = [str(photos), "--image-size", "64", "--processes", "1", "--out", str(out)]
    make_sketches.main(arguments)
    output = capsys.readouterr().out
    assert "4 sketches in" in output
    assert "b/broken.jpg: it is empty or not a picture" in output
    data = datasets.from_folder(
        out, features=("image", "sketch", "label"), image_size=32, batch_size=1
    )
    sketch = data[0]["sketch"]
    assert (sketch > 0.9).mean() > 0.6
    assert sketch.min() < -0.5

    before = contents(out)
    times = {path: path.stat().st_mtime_ns for path in out.rglob("sketches/*/*.png")}
    make_sketches.main(arguments)
    assert capsys.readouterr().out == output
    assert contents(out) == before
    assert len(times) == 4
    assert times == {path: path.stat().st_mtime_ns for path in out.rglob("sketches/*/*.png")}
    make_sketches.main([*arguments, "--style", "sobel"])
    assert (out / "sketches/a/0.png").read_bytes() != before["sketches/a/0.png"]


@pytest.mark.parametrize("name", ["prepare_tfds", "prepare_folder", "make_masks", "make_sketches"])
def test_help(name, capsys):
    with pytest.raises(SystemExit) as stop:
        script(name).main(["--help"])
    assert stop.value.code == 0
    assert "--image-size" in capsys.readouterr().out
