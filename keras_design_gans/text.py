"""Sentences as numbers: characters for a network, or the vectors of a frozen sentence encoder.

`fit` takes numbers only, so captions are turned into numbers before the training:

| data set | key | what a batch holds | for |
| --- | --- | --- | --- |
| `encoded(data)` | `caption` | characters of one sentence, another one each epoch | `CharCNNRNN` |
| `embedded(data, embed)` | `embedding` | mean vector of all sentences of a picture | `GANCLS` |
"""

import difflib
import re

import numpy as np

# That of Zhang, Zhao and LeCun 2015, in which "-" stands twice.
ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789-,;.!?:'\"/\\|_@#$%^&*~`+-=<>()[]{} "
LENGTH = 201
_WORD = re.compile(r"\w+(?:['-]\w+)*")


def encode(sentences, alphabet=ALPHABET):
    """Turns sentences into the numbers of their characters.

    Capitals become small letters. Characters that are not in the alphabet and the places after the
    end are 0; what goes beyond 201 characters is cut off.

    Args:
        sentences: A string, or a sequence of n strings.
        alphabet: String of the characters that have numbers.

    Returns:
        uint16 array (n, 201): 1, 2, ... for the place in the alphabet, or 0.
    """
    sentences = _listed(sentences)
    places = {character: place for place, character in enumerate(alphabet, start=1)}
    numbers = np.zeros((len(sentences), LENGTH), np.uint16)
    for row, sentence in zip(numbers, sentences, strict=True):
        known = [places.get(character, 0) for character in sentence.lower()[:LENGTH]]
        row[: len(known)] = known
    return numbers


def encoded(dataset, keys=("caption",), alphabet=ALPHABET):
    """Returns a data set whose sentences are numbers, one of each picture's in every epoch.

    Args:
        dataset: A `kdg.datasets.Dataset` with captions.
        keys: Keys of the captions, such as `("caption", "caption_zh")` for two languages.
        alphabet: As in `encode`.

    Returns:
        A `Dataset`; its batches hold uint16 (batch_size, 201) under `"caption"`, see `encode`.

    Raises:
        ValueError: If the data set has no such captions.
    """
    captions, others = _captions(dataset, keys)
    numbers = [encode(sentences, alphabet) for sentences in captions]
    return dataset.with_columns(dataset.arrays, {"caption": numbers, **others})


def embedded(dataset, embed, keys=("caption",)):
    """Returns a data set in which each picture's sentences are one vector, under `"embedding"`.

    The vectors of the sentences are averaged: Reed et al. 2016 do so with four of them. Every
    sentence is embedded once, before the training: the encoder does not learn.

    ```python
    data = kdg.datasets.load("faces", features=("image", "attributes", "caption"))
    encoder = SentenceTransformer("all-MiniLM-L6-v2")  # or any other
    data = kdg.text.embedded(data, encoder.encode)
    ```

    Args:
        dataset: A `kdg.datasets.Dataset` with captions.
        embed: Function from a list of n sentences to an array (n, dim), such as the `embed` of a
            `CharCNNRNN` or `GANCLS`.
        keys: Keys of the captions.

    Returns:
        A `Dataset` without these captions; its batches hold float32 (batch_size, dim).

    Raises:
        ValueError: If the data set has no such captions, or `embed` returns another shape.
    """
    captions, others = _captions(dataset, keys)
    place = {}  # of each distinct sentence
    for sentences in captions:
        for sentence in sentences:
            place.setdefault(sentence, len(place))
    vectors = np.asarray(embed(list(place)), np.float32)
    if vectors.ndim != 2 or len(vectors) != len(place):
        raise ValueError(
            f"embed must return an array ({len(place)}, dim) for {len(place)} sentences, got "
            f"{vectors.shape}."
        )
    means = [vectors[[place[s] for s in sentences]].mean(axis=0) for sentences in captions]
    return dataset.with_columns({**dataset.arrays, "embedding": np.stack(means)}, others)


def words(sentences):
    """Returns the distinct words of sentences, in small letters, sorted.

    Args:
        sentences: A string, or a sequence of strings.
    """
    return sorted({word for text in _listed(sentences) for word in _WORD.findall(text.lower())})


def check_words(sentences, known):
    """Raises `ValueError` if sentences hold words that are not `known`; names the nearest ones.

    Args:
        sentences: A string, or a sequence of strings.
        known: The words of the captions that a model has learnt.
    """
    unknown = [word for word in words(sentences) if word not in set(known)]
    if unknown:
        raise ValueError(
            f"The captions that the model has learnt do not know {_with_hints(unknown, known)}. "
            f"Their words are: {', '.join(known[:100])}{', ...' if len(known) > 100 else ''}."
        )


def check_names(names, known, what):
    """Raises `ValueError` if names are not `known`; names the nearest ones.

    Args:
        names: Sequence of strings.
        known: The names that there are, such as `"mouth: smile"`.
        what: What is named, such as `"attribute"`.
    """
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(
            f"There is no {what} {_with_hints(unknown, known)}. There are: {', '.join(known)}."
        )


def near(name, known):
    """Returns up to three of the `known` names that resemble a name, whole or before or after ":".

    Args:
        name: A string.
        known: Sequence of strings.
    """
    parts = {}
    for whole in known:
        for part in (whole, *whole.split(": ")):
            parts.setdefault(part.lower(), []).append(whole)
    matches = difflib.get_close_matches(name.lower(), parts)
    return list(dict.fromkeys(whole for match in matches for whole in parts[match]))[:3]


def _with_hints(unknown, known):
    """Lists unknown names, each with what may be meant."""
    hints = {name: " or ".join(map(repr, near(name, known))) for name in unknown}
    return ", ".join(
        f"{name!r} (did you mean {hint}?)" if hint else repr(name) for name, hint in hints.items()
    )


def _listed(sentences):
    return [sentences] if isinstance(sentences, str) else list(sentences)


def _captions(dataset, keys):
    """Returns the sentences of each picture under some keys, and the columns that are left."""
    for key in keys:
        if key not in dataset.captions:
            raise ValueError(
                f"{dataset.name!r} was loaded without {key!r}. Name it: "
                f"load(..., features=('image', {key!r}, ...)). Keys present: "
                f"{', '.join(map(repr, dataset.features))}."
            )
    columns = zip(*(dataset.captions[key] for key in keys), strict=True)
    others = {key: column for key, column in dataset.captions.items() if key not in keys}
    return [[s for sentences in row for s in sentences] for row in columns], others
