"""Download a set of TensorFlow Datasets and cache it for training.

Needs `pip install keras-design-gans[tfds]`, for the download of most sets also TensorFlow. Run it
again after an interruption: it goes on where it stopped.
"""

import argparse

import keras_design_gans.datasets as datasets
from keras_design_gans.datasets.cache import cache_folder, checksum
from keras_design_gans.datasets.tfds import TFDS_NAMES, prepare


def main(arguments=None):
    """Runs the command line; `arguments` is a list of words, or `None` for those of the shell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=TFDS_NAMES, metavar="name", help=", ".join(TFDS_NAMES))
    parser.add_argument("--image-size", type=int, default=64, help="in pixels, default 64")
    parser.add_argument("--features", nargs="*", help="keys, default the image and all labels")
    options = parser.parse_args(arguments)
    prepare(options.name)
    for split in ("train", "test"):
        dataset = datasets.load(
            options.name, split, options.image_size, batch_size=1, features=options.features
        )
        print(f"{split}: {dataset.num_examples} examples in {cache_folder()}")
        for feature, array in dataset.arrays.items():
            print(f"  {feature} {array.dtype} {array.shape} sha256 {checksum(array)}")


if __name__ == "__main__":
    main()
