"""Drawn faces with eight attributes, seen from the front, on a plain background.

The drawings are "Avataaars" by Pablo Stanley, put together by DiceBear: see `avatars`. Every
attribute is drawn by lot for itself, so none of them tells anything about another one. What is
worn or grown (glasses, beard, accessory) is missing in half of the faces; all other values are
equally frequent. No value hides another attribute as a whole, so each label can be seen; least,
at 64 pixels, the colour of short hair under a hat.

Skin, brows, cut of the clothes, colour of the hat and background vary too, without labels: they
are what is left to the noise of a model that is told all attributes. Face `n` depends on nothing
but `(seed, n)`.
"""

import numpy as np

from keras_design_gans.datasets import captions
from keras_design_gans.datasets.avatars import Avatar
from keras_design_gans.datasets.series import Series
from keras_design_gans.datasets.source import TEST_OFFSET, check_split

# Attribute -> value -> the drawings or the colour that show it; which of several, is no label.
VALUES = {
    "hair_color": {
        "black": ("#2c1b18",),
        "brown": ("#7b4a2b",),
        "blond": ("#e8c468",),
        "red": ("#c93305",),
        "grey": ("#b4b8be",),
        "pink": ("#e86aa6",),
        "blue": ("#4f7fd9",),
        "green": ("#4fa66b",),
    },
    "hair_style": {
        "short": ("shortFlat", "shortRound", "shortWaved", "shortCurly"),
        "shaggy": ("shaggy", "shaggyMullet"),
        "frizzy": ("dreads02",),
        "afro": ("fro",),
        "bob": ("bob", "miaWallace"),
        "curly": ("curly",),
        "long straight": ("straight01", "straight02", "straightAndStrand"),
        "long wavy": ("curvy",),
    },
    "eyes": {
        "open": ("default",),
        "closed": ("closed",),
        "wide": ("surprised",),
        "wink": ("wink",),
    },
    "mouth": {
        "smile": ("smile",),
        "serious": ("serious",),
        "sad": ("sad",),
        "open": ("screamOpen",),
    },
    "glasses": {"none": (), "round": ("round",), "square": ("prescription02",)},
    "beard": {
        "none": (),
        "moustache": ("moustacheFancy", "moustacheMagnum"),
        "short": ("beardLight", "beardMedium"),
        "long": ("beardMajestic",),
    },
    "accessory": {
        "none": (),
        "headband": ("headband",),
        "flowers": ("flowers",),
        "hat": ("hat",),
    },
    "clothes_color": {
        "red": ("#e5484d",),
        "yellow": ("#f2c94c",),
        "green": ("#4caf6d",),
        "blue": ("#4a8fe0",),
        "purple": ("#8e63ce",),
        "black": ("#2b2e35",),
        "white": ("#f7f7f4",),
        "grey": ("#9aa0a6",),
    },
}
# The option of the style that an attribute sets.
_OPTIONS = {
    "hair_color": "hairColor",
    "hair_style": "topVariant",
    "eyes": "eyesVariant",
    "mouth": "mouthVariant",
    "glasses": "accessoriesVariant",
    "beard": "facialHairVariant",
    "accessory": "headwearVariant",
    "clothes_color": "clothesColor",
}
# What varies without a label.
_FREE = {
    "skinColor": ("#8a5a44", "#ae5d29", "#d08b5b", "#edb98a", "#ffdbb4"),
    "eyebrowsVariant": ("default", "defaultNatural", "flatNatural", "raisedExcitedNatural"),
    "clothesVariant": ("shirtCrewNeck", "shirtVNeck", "shirtScoopNeck", "hoodie", "blazerAndShirt"),
    "hatColor": ("#e5484d", "#f2c94c", "#5aa9a1", "#3c4f5c", "#c49a6c", "#e6e6e6"),
    "background": ("#dfe6ee", "#e9e4da", "#dcebe0", "#ece0ea", "#e4e4e4", "#d9e8ee"),
}


class Faces(Series):
    """An endless series of drawn faces."""

    def __init__(self):
        super().__init__({kind: tuple(values) for kind, values in VALUES.items()})
        self.tags = tuple(
            f"{kind}: {name}"
            for kind, names in self.class_names.items()
            for name in names
            if name != "none"
        )
        self.features += ("attributes",)

    def scene(self, index, seed=0, **changes):
        """One face.

        Args:
            index: which face, 0 or more.
            seed: which endless series of faces, 0 or more.
            **changes: names of values by attribute, such as `hair_color="red"`, to draw the same
                face with these.

        Returns:
            An `Avatar`. Its labels are the ints of the attributes, and `attributes`, a list of a
            one or a zero for each name of `tags`.

        Raises:
            ValueError: for an unknown attribute or value, or a negative index or seed.
        """
        labels = self.labels(index, seed, **changes)
        # A stream of its own, and one number for each part whatever its value is: a change of one
        # attribute moves nothing else.
        chance = np.random.default_rng((seed, index, 1)).random(len(_FREE) + len(VALUES))
        parts = {
            option: values[int(u * len(values))]
            for (option, values), u in zip(_FREE.items(), chance, strict=False)
        }
        for (kind, values), u in zip(VALUES.items(), chance[len(_FREE) :], strict=True):
            if drawings := values[self.class_names[kind][labels[kind]]]:
                parts[_OPTIONS[kind]] = drawings[int(u * len(drawings))]
        parts["facialHairColor"] = parts["hairColor"]
        shown = {f"{kind}: {self.class_names[kind][label]}" for kind, label in labels.items()}
        labels["attributes"] = [int(tag in shown) for tag in self.tags]
        return Avatar(labels, parts, background=parts.pop("background"))

    def _usual_labels(self, index, seed):
        chance = np.random.default_rng((seed, index, 0)).random(len(VALUES))
        return {
            kind: _lot(names, u)
            for (kind, names), u in zip(self.class_names.items(), chance, strict=True)
        }


def _lot(names, chance):
    """Picks a class number: `"none"` in half of the cases, otherwise all alike."""
    if names[0] != "none":
        return int(chance * len(names))
    return 0 if chance < 0.5 else 1 + int((2 * chance - 1) * (len(names) - 1))


def edit(indexes, split="train", seed=0, image_size=64, **changes):
    """Draws faces of the data set as they are, and with some attributes changed.

    ```python
    test = kdg.datasets.load("faces", "test").take(8)
    truth = faces.edit(range(8), "test", hair_color="red")  # the same eight, with red hair
    ```

    Args:
        indexes: which faces of the split, as in `Dataset.take` or in a test batch.
        split: `"train"` or `"test"`.
        seed: that of `load`.
        image_size: side of the pictures in pixels.
        **changes: names of values by attribute, for example `mouth="smile"`.

    Returns:
        A dict of float32 arrays in [-1, 1]: `image` and `edited`, `(n, size, size, 3)`, and `mask`,
        `(n, size, size, 1)`: 1 on the pixels that differ, -1 on all others.

    Raises:
        ValueError: for an unknown split, attribute or value, or a negative index or seed.
    """
    check_split(split)
    offset = TEST_OFFSET if split == "test" else 0
    numbers = [offset + index for index in indexes]
    image, edited = (
        np.array([scene(number, seed, **asked).render("image", image_size) for number in numbers])
        for asked in ({}, changes)
    )
    mask = np.where((image != edited).any(axis=-1, keepdims=True), np.float32(1), np.float32(-1))
    image, edited = (pixels / np.float32(127.5) - 1 for pixels in (image, edited))
    return {"image": image, "edited": edited, "mask": mask}


def sentences(key, labels):
    """Describes one face.

    Args:
        key: `"caption"` for English or `"caption_zh"` for Chinese.
        labels: dictionary from each attribute to an int.

    Returns:
        A tuple of four sentences.
    """
    return CAPTIONS[key]({kind: CLASS_NAMES[kind][labels[kind]] for kind in VALUES})


_FACES = Faces()
NAME = "faces"
CLASS_NAMES = {**_FACES.class_names, "attributes": _FACES.tags}
FEATURES = _FACES.features
ON_REQUEST = ("mask", "sketch", "attributes")
CAPTIONS = {"caption": captions.face, "caption_zh": captions.face_in_chinese}
NUM_EXAMPLES = {"train": 20000, "test": 2000}
scene, draw = _FACES.scene, _FACES.draw
