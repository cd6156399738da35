"""Fashion-MNIST: 70,000 grey 28 x 28 pictures of garments in ten classes (Zalando, MIT)."""

import functools
import gzip
import os
from pathlib import Path

import numpy as np
from PIL import Image

from keras_design_gans.datasets.images import square
from keras_design_gans.datasets.source import Source, check_num_examples, check_split

DEBIAN_FOLDER = "/usr/share/datasets/fashion-mnist"
CLASS_NAMES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)


class FashionMnistSource(Source):
    """Fashion-MNIST, resized and in RGB, with the ten classes under the label key `"shape"`.

    It is read from the folder in the environment variable `KDG_FASHION_MNIST`, or else from where
    the Debian package `dataset-fashion-mnist` puts it, or else from where Keras downloads it to.

    Args:
        split: `"train"` (60,000) or `"test"` (10,000).
        seed: not used: the pictures are what they are.
        num_examples: how many to use; `None` means all.
    """

    def __init__(self, split, seed=0, num_examples=None):
        check_split(split)
        self.folder = find_files()
        available = {"train": 60_000, "test": 10_000}[split]
        super().__init__(
            name="fashion_mnist",
            split=split,
            features=("image", "shape"),
            class_names={"shape": CLASS_NAMES},
            num_examples=check_num_examples(num_examples, available, "fashion_mnist"),
            key=str(self.folder),
        )

    def example(self, index, image_size, features):
        """Resizes example `index`, see `Source.example`."""
        images, labels = _read(self.folder, self.split)
        grey = square(Image.fromarray(images[index]), image_size)
        return {"image": np.asarray(grey.convert("RGB")), "shape": labels[index]}


def find_files():
    """Returns the folder with the four files, downloading them through Keras as a last resort.

    Raises:
        FileNotFoundError: they are nowhere and cannot be downloaded.
    """
    name = "train-images-idx3-ubyte.gz"
    if own := os.environ.get("KDG_FASHION_MNIST"):
        if not (Path(own) / name).exists():
            raise FileNotFoundError(f"KDG_FASHION_MNIST={own}: there is no {name} in that folder.")
        return Path(own)
    if (Path(DEBIAN_FOLDER) / name).exists():
        return Path(DEBIAN_FOLDER)
    import keras  # Only here: the worker processes get the folder and need no Keras.

    try:
        keras.datasets.fashion_mnist.load_data()
    except Exception as error:
        raise FileNotFoundError(
            "Fashion-MNIST is not on this machine. Either install it with "
            "`apt-get install dataset-fashion-mnist` (Debian, Ubuntu), or connect to the internet, "
            "so that `keras.datasets.fashion_mnist` can download it. Or set KDG_FASHION_MNIST to "
            f"a folder with its four .gz files. The download failed: {error}"
        ) from error
    home = Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser()
    return home / "datasets" / "fashion-mnist"


@functools.cache
def _read(folder, split):
    prefix = {"train": "train", "test": "t10k"}[split]
    # An IDX file is a header of 16 or 8 bytes, then the values.
    with gzip.open(folder / f"{prefix}-images-idx3-ubyte.gz") as file:
        images = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 28, 28)
    with gzip.open(folder / f"{prefix}-labels-idx1-ubyte.gz") as file:
        labels = np.frombuffer(file.read(), np.uint8, offset=8).astype(np.int32)
    return images, labels
