"""`load` and `from_folder`: from the name of a set, or the path of a folder, to a `Dataset`."""

import difflib
from functools import partial

from keras_design_gans.datasets.dataset import open_dataset
from keras_design_gans.datasets.drawn import DrawnSource
from keras_design_gans.datasets.fashion_mnist import FashionMnistSource
from keras_design_gans.datasets.folder import FolderSource
from keras_design_gans.datasets.tfds import TFDS_NAMES, TfdsSource

# A new drawn set is one module beside this one and one line here.
SOURCES = {
    "garments": partial(DrawnSource, "keras_design_gans.datasets.garments"),
    "handbags": partial(DrawnSource, "keras_design_gans.datasets.handbags"),
    "cars": partial(DrawnSource, "keras_design_gans.datasets.cars"),
    "faces": partial(DrawnSource, "keras_design_gans.datasets.faces"),
    "color_mnist": partial(DrawnSource, "keras_design_gans.datasets.color_mnist"),
    "fashion_mnist": FashionMnistSource,
    **{name: partial(TfdsSource, name) for name in TFDS_NAMES},
}


def names():
    """Returns the names that `load` knows, as a tuple."""
    return tuple(SOURCES)


def load(
    name,
    split="train",
    image_size=64,
    batch_size=64,
    features=None,
    seed=0,
    num_examples=None,
    shuffle=None,
):
    """Loads a data set by name; the first time it is drawn or converted, with a progress bar.

    The result is kept in `$KDG_CACHE` (default `~/.cache/keras_design_gans`).

    ```python
    dataset = kdg.datasets.load("garments", image_size=64, batch_size=64)
    batch = dataset[0]  # {"image": float32 (64, 64, 64, 3) in [-1, 1], "shape": int32 (64,), ...}
    model.fit(dataset, epochs=10)
    ```

    Args:
        name: one of `names()`.
        split: `"train"` or `"test"`.
        image_size: side of the square pictures, in pixels.
        batch_size: examples per batch.
        features: the keys of a batch, for example `("image", "mask")`. `None` means the image and
            all labels. Masks, sketches, captions, `attributes`, which are zeros and ones, and the
            `hair_color` of `celeb_a`, which not all of its pictures have, are made only when they
            are named.
        seed: int. It changes the order, and in a drawn set also the pictures.
        num_examples: use fewer examples than the set has, for quick runs; a drawn set can also
            be made larger.
        shuffle: whether each epoch has another order; `None` means all splits but the test split.

    Returns:
        A `Dataset`.

    Raises:
        ValueError: an unknown name or an argument out of range.
    """
    if name not in SOURCES:
        near = difflib.get_close_matches(str(name).lower(), SOURCES)
        hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
        raise ValueError(
            f"Unknown data set {name!r}.{hint} The sets are: {', '.join(SOURCES)}. "
            "For your own pictures use `from_folder(path)`."
        )
    source = SOURCES[name](split=split, seed=seed, num_examples=num_examples)
    return open_dataset(source, image_size, batch_size, features, seed, shuffle)


def from_folder(
    path,
    split="train",
    image_size=64,
    batch_size=64,
    features=None,
    seed=0,
    num_examples=None,
    shuffle=None,
    fit="crop",
):
    """Loads pictures from a folder of your own.

    The folder has one of these forms:

    - one folder of pictures per class: `dresses/1.jpg`, `shirts/1.jpg`, ...; label key `"label"`,
    - a `metadata.csv` with a `file_name` column. The column `caption` holds a sentence, or several
      on lines of their own, and so do columns such as `caption_zh`; `mask_file_name` and
      `sketch_file_name` name further pictures; each other column becomes a label, if it has at
      most 100 distinct values and its name does not begin with `mask_` or `sketch_`,
    - pictures only, without labels.

    With folders `train` and `test` at the top these are the splits. Otherwise a hash of its name
    puts one picture in ten into the test split, whatever else the folder holds. The examples come
    in the order of that hash, so that the classes are mixed.

    Grey, transparent (shown on white), palette, 16-bit and CMYK pictures are converted to RGB,
    photos are turned upright. Files that cannot be read are left out with one warning.

    Masks (255 on the object, 0 elsewhere, with soft edges) and sketches (dark on white) have one
    channel, key `"mask"` or `"sketch"`, and are read only when `features` names them. They are cut
    like their picture, so they must have its shape once each file is turned upright by its own
    EXIF tag; the number of pixels may differ. `"pad"` adds 0 around a mask. An example whose mask
    is missing is left out where masks are wanted.

    Args:
        path: the folder.
        split: `"train"` or `"test"`.
        image_size: side of the square pictures, in pixels.
        batch_size: examples per batch.
        features: the keys of a batch; `None` means the image and all labels, without captions.
        seed: int, seed of the order.
        num_examples: use fewer pictures than the split has.
        shuffle: whether each epoch has another order; `None` means all splits but the test split.
        fit: how a picture becomes square: `"crop"` keeps the centre, best for photos that fill
            the frame; `"pad"` adds white, best for products on white.

    Returns:
        A `Dataset`.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: the folder holds no usable pictures, or an argument is out of range.
    """
    source = FolderSource(path, split=split, num_examples=num_examples, fit=fit)
    return open_dataset(source, image_size, batch_size, features, seed, shuffle)
