"""Joint pictures: a line drawing on the left, the picture that it shows on the right."""

import hashlib
from pathlib import Path

import numpy as np

from keras_design_gans import sketches
from keras_design_gans.datasets.cache import checksum, load_arrays
from keras_design_gans.datasets.source import Source

OWN = "own"  # the line drawings that the data set brings itself, its feature `sketch`
CHOICE = 8  # stream of random numbers that chooses among several styles


class JointSource(Source):
    """The joint pictures of a data set, see `joint`.

    Args:
        dataset: a `Dataset` with `image`, and for the style `"own"` also `sketch`.
        styles: tuple of the names of styles.
    """

    def __init__(self, dataset, styles):
        self.images = dataset.arrays["image"]
        self.drawings = dataset.arrays.get("sketch") if OWN in styles else None
        self.styles = styles
        arrays = [array for array in (self.images, self.drawings) if array is not None]
        code = hashlib.sha256(Path(sketches.__file__).read_bytes()).hexdigest()
        super().__init__(
            name=f"{dataset.name}_joint",
            split=dataset.split,
            features=("joint",),
            class_names={},
            num_examples=dataset.num_examples,
            key=(styles, code, [_identity(array) for array in arrays]),
        )
        self.on_request = ()

    def example(self, index, image_size, features):
        """Draws example `index`, see `Source.example`."""
        image = self.images[index]
        # Of its own for each example, so that no label of the data set goes with a style.
        style = self.styles[np.random.default_rng((CHOICE, index)).integers(len(self.styles))]
        if style == OWN:
            drawing = self.drawings[index]
        else:
            drawing = np.round((sketches.sketch(image, style) + 1) * 127.5).astype(np.uint8)
        return {"joint": np.concatenate([np.repeat(drawing, image.shape[-1], -1), image], axis=1)}

    # A worker process opens the files of the cache itself: they may be larger than the memory.

    def __getstate__(self):
        return {key: _Mapped(x) if _is_mapped(x) else x for key, x in self.__dict__.items()}

    def __setstate__(self, state):
        self.__dict__ = {k: x.open() if isinstance(x, _Mapped) else x for k, x in state.items()}


class _Mapped:
    """Says where a memory-mapped array lies."""

    def __init__(self, array):
        self.place = (array.filename, array.dtype, "r", array.offset, array.shape)

    def open(self):
        return np.memmap(*self.place)


def _is_mapped(array):
    """Whether an array is a whole file of the cache, and no part of one."""
    return isinstance(array, np.memmap) and not isinstance(array.base, np.ndarray)


def _identity(array):
    """Returns something that is another one for an array with other contents."""
    return str(array.filename) if _is_mapped(array) else checksum(array)


def joint(dataset, style=OWN):
    """Lays the pictures of a data set beside line drawings of them, for models that complete.

    ```python
    data = kdg.datasets.load("cars", features=("image", "sketch"))
    pairs = kdg.datasets.joint(data)  # "joint": float32 (64, 64, 128, 3), drawing | picture
    photos = kdg.datasets.from_folder("path/to/photos")
    pairs = kdg.datasets.joint(photos, style=("xdog", "fdog"))
    ```

    The first time, the drawings are made, with a progress bar, and kept in the cache like the
    pictures.

    Args:
        dataset: a `Dataset` with pictures under `"image"`, as from `load` or `from_folder`.
        style: `"own"` for the drawings that the set brings itself, which need `"sketch"` among its
            features; one of `kdg.sketches.STYLES`; or a sequence of several, one of which is chosen
            by lot for each picture.

    Returns:
        A `Dataset` of the same examples, labels and captions with `"joint"`, pictures twice as wide
        as high, and `"sketch"` and `"image"`, which are its two halves.

    Raises:
        ValueError: a style is unknown, or there are no pictures or no drawings.
    """
    styles = (style,) if isinstance(style, str) else tuple(style)
    known = (OWN, *sketches.STYLES)
    if not styles or any(name not in known for name in styles):
        raise ValueError(f"`style` must be of {', '.join(known)}. Received: style={style!r}")
    missing = {"image", *(["sketch"] if OWN in styles else [])} - set(dataset.features)
    if missing:
        raise ValueError(
            f"{dataset.name!r} was loaded without {', '.join(sorted(map(repr, missing)))}. Ask for "
            "them with load(..., features=('image', 'sketch')), or let a style such as "
            "style='xdog' draw the pictures."
        )
    height, width = dataset.arrays["image"].shape[1:3]
    pairs = load_arrays(JointSource(dataset, styles), height, ("joint",))[0]["joint"]
    halves = {"joint": pairs, "sketch": pairs[:, :, :width, :1], "image": pairs[:, :, width:]}
    others = {key: array for key, array in dataset.arrays.items() if key not in halves}
    return dataset.with_columns({**halves, **others}, dataset.captions)
