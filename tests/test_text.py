"""Sentences as numbers: characters, vectors, words."""

import numpy as np
import pytest

from keras_design_gans import text
from keras_design_gans.datasets import Dataset

pytestmark = pytest.mark.one_backend  # no network takes part

SENTENCES = [("red hair", "a red face"), ("blue hair", "a blue face"), ("red hair", "no face")]


def dataset(batch_size=3):
    images = np.zeros((3, 8, 8, 3), np.uint8)
    captions = {"caption": SENTENCES, "caption_zh": [("脸",)] * 3}
    return Dataset({"image": images}, "faces", batch_size=batch_size, captions=captions, seed=1)


def test_the_alphabet_of_the_paper():
    assert len(text.ALPHABET) == 70
    assert len(set(text.ALPHABET)) == 69  # "-" stands twice


def test_characters_become_their_places():
    numbers = text.encode(["Ab z", "é"])
    assert numbers.shape == (2, 201)
    assert numbers.dtype == np.uint16
    assert numbers[0, :5].tolist() == [1, 2, 70, 26, 0]
    assert not numbers[1].any()
    assert text.encode("a" * 300).sum() == 201
    np.testing.assert_array_equal(text.encode(np.array(["ab"])), text.encode("AB"))


def test_encoded_captions_take_turns():
    data = text.encoded(dataset())
    first, second = data.take(3)["caption"], data[0]["caption"]
    assert data.features == ("image", "caption", "caption_zh")
    assert first.shape == second.shape == (3, 201)
    chosen = [sentences[n % 2] for n, sentences in enumerate(SENTENCES)]
    np.testing.assert_array_equal(first, text.encode(chosen))
    data.epoch = 1
    data.shuffle = False
    chosen = [sentences[(n + 1) % 2] for n, sentences in enumerate(SENTENCES)]
    np.testing.assert_array_equal(data[0]["caption"], text.encode(chosen))


def test_sentences_of_two_languages():
    keys = ("caption", "caption_zh")
    data = text.encoded(dataset(), keys, text.ALPHABET + "脸")
    assert data.features == ("image", "caption")
    assert [sentence[0, 0] for sentence in (row[2:] for row in data.captions["caption"])] == [
        71
    ] * 3
    means = text.embedded(
        dataset(), lambda sentences: np.array([[len(s)] for s in sentences]), keys
    )
    np.testing.assert_allclose(means.take(3)["embedding"][:, 0], [19 / 3, 7, 16 / 3], rtol=1e-6)


def test_embedded_captions_are_means_of_vectors():
    asked = []

    def embed(sentences):
        asked.append(sentences)
        return np.array([[len(s), s.count("e")] for s in sentences])

    data = text.embedded(dataset(), embed)
    assert asked == [["red hair", "a red face", "blue hair", "a blue face", "no face"]]
    assert data.features == ("image", "embedding", "caption_zh")
    found = data.take(3)["embedding"]
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, [[9, 1.5], [10, 1.5], [7.5, 1]])


def test_what_cannot_be_turned_into_numbers_is_named():
    with pytest.raises(ValueError, match=r"\(5, dim\) for 5 sentences, got \(2,\)"):
        text.embedded(dataset(), lambda sentences: np.zeros(2))
    with pytest.raises(ValueError, match=r"without 'caption_en'.*Keys present: 'image', 'caption'"):
        text.encoded(dataset(), ("caption", "caption_en"))


def test_unknown_words_are_named_with_the_nearest():
    known = text.words(s for sentences in SENTENCES for s in sentences)
    assert known == ["a", "blue", "face", "hair", "no", "red"]
    text.check_words("A red, blue face!", known)
    with pytest.raises(ValueError, match=r"'hare' \(did you mean 'hair'.*\), 'xyz'\. .*: a, blue"):
        text.check_words("red hare xyz", known)


def test_unknown_names_are_named_with_the_nearest():
    known = ["mouth: smile", "mouth: sad", "eyes: open"]
    assert text.near("smiles", known) == ["mouth: smile"]
    assert text.near("Mouth: Sad", known)[0] == "mouth: sad"
    text.check_names(known, known, "attribute")
    with pytest.raises(ValueError, match=r"no attribute 'smile' \(did you mean 'mouth: smile'\?\)"):
        text.check_names(["smile"], known, "attribute")
