"""The drawn faces: pictures, attributes, edits, sketches and captions."""

import hashlib
import itertools
import sys

import numpy as np
import pytest
from scipy import ndimage

from keras_design_gans import datasets
from keras_design_gans.datasets import avatars, captions, drawn, faces

pytestmark = pytest.mark.one_backend  # no network takes part

pytest.importorskip("dicebear", reason="pip install keras-design-gans[faces]")

MODULE = "keras_design_gans.datasets.faces"
KINDS = tuple(faces.VALUES)
TEN = range(10)

every_kind = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture(autouse=True)
def cache_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("KDG_CACHE", str(tmp_path / "cache"))


def values(kind):
    return tuple(faces.VALUES[kind])


def load(**kwargs):
    return datasets.load(
        "faces", **{"image_size": 16, "num_examples": 12, "batch_size": 4, **kwargs}
    )


def test_seed_and_index_fix_the_picture():
    image = faces.draw(11, seed=3)["image"]
    np.testing.assert_array_equal(image, faces.draw(11, seed=3)["image"])
    assert (image != faces.draw(11, seed=4)["image"]).any()
    assert (image != faces.draw(12, seed=3)["image"]).any()


def test_the_drawings_are_those_of_the_pinned_release():
    text = "".join(
        faces.scene(index).svg(kind) for index in range(16) for kind in ("image", "sketch")
    )
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == "945b670e5df235d7"


def test_another_release_is_drawn_again(monkeypatch):
    before = drawn.code_fingerprint(MODULE)
    real = drawn.importlib.metadata.version
    for package in ("dicebear-core", "dicebear_styles"):
        with monkeypatch.context() as patch:
            patch.setattr(
                drawn.importlib.metadata,
                "version",
                lambda name, package=package: "99" if name == package else real(name),
            )
            assert drawn.code_fingerprint(MODULE) != before


def test_train_and_test_differ():
    def pictures(split):
        source = drawn.DrawnSource(MODULE, split)
        return {source.example(i, 32, ("image",))["image"].tobytes() for i in TEN}

    train, test = pictures("train"), pictures("test")
    assert len(train) == len(test) == 10
    assert not train & test


@pytest.mark.parametrize("size", [64, 96])
def test_shapes_and_types(size):
    example = faces.draw(2, image_size=size)
    assert tuple(example) == faces.FEATURES == ("image", "mask", "sketch", *KINDS, "attributes")
    for name, channels in (("image", 3), ("mask", 1), ("sketch", 1)):
        assert example[name].shape == (size, size, channels)
        assert example[name].dtype == np.uint8
    assert all(type(example[kind]) is int for kind in KINDS)
    assert len(example["attributes"]) == len(faces.CLASS_NAMES["attributes"]) == 40


def test_attributes_are_the_labels_as_zeros_and_ones():
    for index in range(40):
        labels = faces.scene(index).labels
        tags = {
            name
            for name, is_on in zip(
                faces.CLASS_NAMES["attributes"], labels["attributes"], strict=True
            )
            if is_on
        }
        names = {f"{kind}: {values(kind)[labels[kind]]}" for kind in KINDS}
        assert tags == {name for name in names if not name.endswith(": none")}


def test_attributes_are_frequent_and_independent():
    table = np.array([list(faces._FACES.labels(i, 0).values()) for i in range(4000)])
    shares = {}
    for column, kind in enumerate(KINDS):
        share = np.bincount(table[:, column], minlength=len(values(kind))) / len(table)
        expected = np.full(len(share), 1 / len(share))
        if values(kind)[0] == "none":
            expected = np.array([0.5, *[0.5 / (len(share) - 1)] * (len(share) - 1)])
        np.testing.assert_allclose(share, expected, atol=0.03)
        shares[kind] = share
    for (a, first), (b, second) in itertools.combinations(enumerate(KINDS), 2):
        together = np.zeros((len(shares[first]), len(shares[second])))
        np.add.at(together, (table[:, a], table[:, b]), 1 / len(table))
        np.testing.assert_allclose(together, np.outer(shares[first], shares[second]), atol=0.02)


# Rows and columns of a 64-pixel picture that an attribute may touch.
PLACES = {
    "eyes": (24, 35, 20, 44),
    "mouth": (38, 48, 25, 39),
    "glasses": (21, 38, 13, 51),
    "beard": (24, 60, 14, 50),
    "accessory": (0, 38, 0, 64),
    "clothes_color": (48, 64, 5, 59),
}


@every_kind
def test_an_edit_changes_one_attribute_and_nothing_else(kind):
    for index in range(6):
        before = faces.scene(index)
        name = values(kind)[before.labels[kind] - 1]
        after = faces.scene(index, **{kind: name})
        assert values(kind)[after.labels[kind]] == name
        assert all(after.labels[k] == before.labels[k] for k in KINDS if k != kind)
        pair = faces.edit([index], **{kind: name})
        changed = pair["mask"][0, ..., 0] > 0
        assert changed.any()
        np.testing.assert_array_equal(pair["image"][0][~changed], pair["edited"][0][~changed])
        assert (pair["image"][0][changed] != pair["edited"][0][changed]).any(axis=-1).all()
        if kind in PLACES:
            top, bottom, left, right = PLACES[kind]
            changed[top:bottom, left:right] = False
            assert not changed.any()


def test_edit_gives_arrays_like_a_batch():
    test = load(split="test", image_size=32)
    pair = faces.edit(range(4), "test", image_size=32, mouth="smile", glasses="none")
    assert pair["image"].shape == pair["edited"].shape == (4, 32, 32, 3)
    assert pair["mask"].shape == (4, 32, 32, 1)
    assert {array.dtype for array in pair.values()} == {np.dtype(np.float32)}
    np.testing.assert_array_equal(pair["image"], test.take(4)["image"])
    assert set(np.unique(pair["mask"])) <= {-1.0, 1.0}


def test_an_edit_to_what_is_there_already_changes_nothing():
    names = {kind: values(kind)[label] for kind, label in _kinds(faces.scene(5).labels).items()}
    pair = faces.edit([5], **names)
    assert (pair["mask"] == -1).all()


def _kinds(labels):
    return {kind: labels[kind] for kind in KINDS}


@every_kind
def test_every_label_can_be_seen(kind):
    """Whatever else the face has: every two values differ by some clearly changed pixels."""
    rng = np.random.default_rng(0)
    for index in range(4):
        others = {k: str(rng.choice(values(k))) for k in KINDS if k != kind}
        if kind == "hair_color":  # the least of it is seen
            others |= {"accessory": "hat", "beard": "none", "hair_style": "short"}
        pictures = [faces.scene(index, **others, **{kind: name}).render() for name in values(kind)]
        for one, other in itertools.combinations(pictures, 2):
            difference = np.abs(one.astype(int) - other).max(axis=-1)
            assert (difference > 24).sum() >= 8, (others, kind)


def test_one_face_on_a_plain_background():
    for index in TEN:
        scene = faces.scene(index)
        image, mask = scene.render("image", 64), scene.render("mask", 64)[..., 0]
        assert 0.35 < (mask > 127).mean() < 0.85
        assert len(np.unique(image[mask == 0], axis=0)) == 1
        assert image[mask == 0].min() > 210
        parts, _ = ndimage.label(mask > 127, np.ones((3, 3)))
        assert np.bincount(parts.ravel())[1:].max() > 0.99 * (mask > 127).sum()
        # The same place in all pictures: the neck and the cheeks.
        assert (mask[30:60, 26:38] == 255).all()


@pytest.mark.parametrize("size", [64, 128])
def test_the_sketch_is_thin_dark_lines_on_white(size):
    for index in TEN:
        scene = faces.scene(index)
        sketch, mask = scene.render("sketch", size)[..., 0], scene.render("mask", size)[..., 0]
        assert (sketch > 200).mean() > 0.6
        assert 0.02 < (sketch < 128).mean() < 0.2
        assert sketch.min() < 80
        inside = mask > 127
        edge = inside & ~ndimage.binary_erosion(inside, border_value=1)
        near = ndimage.binary_dilation(sketch < 170, iterations=size // 64)
        assert (edge & near).sum() > 0.95 * edge.sum()
        far = ~ndimage.binary_dilation(inside, iterations=size // 32)
        assert (sketch[far] == 255).all()


def test_the_sketch_shows_no_colour():
    plain = faces.scene(3).render("sketch")
    other = faces.scene(3, hair_color="pink", clothes_color="white").render("sketch")
    np.testing.assert_array_equal(plain, other)
    assert (plain != faces.scene(3, mouth="open").render("sketch")).any()


@every_kind
def test_every_value_has_words(kind):
    for describe in (captions.face, captions.face_in_chinese):
        texts = set()
        for name in values(kind):
            texts.add(describe({**{k: values(k)[-1] for k in KINDS}, kind: name}))
        assert len(texts) == len(values(kind))
        assert all(len(set(sentences)) == 4 for sentences in texts)


def test_captions_say_what_is_there():
    names = {
        "hair_color": "blond",
        "hair_style": "long wavy",
        "eyes": "wide",
        "mouth": "smile",
        "glasses": "none",
        "beard": "none",
        "accessory": "none",
        "clothes_color": "red",
    }
    english, chinese = captions.face(names), captions.face_in_chinese(names)
    assert english[0] == (
        "A face with long wavy blond hair, wide eyes and a smile, wearing red clothes."
    )
    assert english[1] == "A person in red clothes with long wavy blond hair, a smile and wide eyes."
    assert chinese[1].startswith("一个穿着红色衣服的人")
    for sentence in english:
        assert all(words in sentence for words in ("long wavy blond hair", "wide eyes", "a smile"))
        assert not any(word in sentence for word in ("glasses", "beard", "hat", "none"))
    for sentence in chinese:
        assert all(
            words in sentence for words in ("金色长卷发", "睁大眼睛", "面带笑容", "红色衣服")
        )
        assert not any("a" <= letter <= "z" for letter in sentence)
    everything = captions.face(
        {**names, "glasses": "round", "beard": "short", "accessory": "flowers"}
    )
    for sentence in everything:
        for words in ("round glasses", "a short beard", "flowers in the hair"):
            assert words in sentence


def test_loading():
    data = load()
    assert data.features == ("image", *KINDS)
    assert tuple(data.class_names) == KINDS
    assert data[0]["hair_style"].dtype == np.int32
    data = load(features=("image", "sketch", "attributes"))
    batch = data[0]
    assert batch["attributes"].shape == (4, 40)
    assert batch["attributes"].dtype == np.int32
    assert batch["sketch"].shape == (4, 16, 16, 1)
    assert len(data.class_names["attributes"]) == 40


def test_loading_captions():
    data = load(features=("image", "caption", "caption_zh"), shuffle=False, batch_size=12)
    assert data.features == ("image", "caption", "caption_zh")
    assert data.class_names == {}
    labels = load().take(12)
    names = {kind: values(kind)[labels[kind][7]] for kind in KINDS}
    assert data.captions["caption"][7] == captions.face(names)
    assert data.captions["caption_zh"][7] == captions.face_in_chinese(names)
    epochs = [data[0] for data.epoch in range(5)]
    assert epochs[0]["caption"].shape == (12,)
    said = [str(epoch["caption"][7]) for epoch in epochs]
    assert set(said[:4]) == set(captions.face(names))
    assert said[4] == said[0]
    # The sentences follow their picture through the order of the epochs.
    shuffled = load(features=("image", "caption"), batch_size=12)[0]
    for image, sentence in zip(shuffled["image"], shuffled["caption"], strict=True):
        (row,) = np.flatnonzero((data.take(12)["image"] == image).all(axis=(1, 2, 3)))
        assert sentence in data.captions["caption"][row]
    assert load(features=("caption",)).take(2)["caption"][1] == data.captions["caption"][1][1]


def test_the_chinese_alphabet_is_complete():
    said = "".join(s for row in load(features=("caption_zh",)).captions["caption_zh"] for s in row)
    assert set(said) <= set(captions.CHINESE)


def test_wrong_names_are_explained():
    with pytest.raises(ValueError, match=r"Unknown kind of label 'hat'.*hair_color, hair_style"):
        faces.scene(0, hat="red")
    with pytest.raises(ValueError, match=r"Unknown mouth 'grin'.*smile, serious"):
        faces.edit([0], mouth="grin")
    with pytest.raises(ValueError, match="'train', 'test'"):
        faces.edit([0], "validation", mouth="smile")
    with pytest.raises(ValueError, match=r"caption_de.*caption_zh"):
        load(features=("image", "caption_de"))
    with pytest.raises(ValueError, match="Unknown kind 'photo'"):
        faces.scene(0).svg("photo")


def test_dicebear_not_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "dicebear", None)
    avatars._style.cache_clear()
    with pytest.raises(ImportError, match=r"pip install keras-design-gans\[faces\]"):
        faces.draw(0)
