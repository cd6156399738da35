"""Prepare a folder of pictures for training: read, resize and cache them once.

Run it again after an interruption: it goes on where it stopped.
"""

import argparse

import keras_design_gans.datasets as datasets
from keras_design_gans.datasets.cache import cache_folder, checksum


def main(arguments=None):
    """Runs the command line; `arguments` is a list of words, or `None` for those of the shell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", help="class folders, a metadata.csv, or pictures only")
    parser.add_argument("--image-size", type=int, default=64, help="in pixels, default 64")
    parser.add_argument("--fit", choices=("crop", "pad"), default="crop", help="default crop")
    options = parser.parse_args(arguments)
    for split in ("train", "test"):
        dataset = datasets.from_folder(
            options.path, split, options.image_size, batch_size=1, fit=options.fit
        )
        print(f"{split}: {dataset.num_examples} examples in {cache_folder()}")
        for label, names in dataset.class_names.items():
            print(f"  {label}: {', '.join(names)}")
        for feature, array in dataset.arrays.items():
            print(f"  {feature} {array.dtype} {array.shape} sha256 {checksum(array)}")


if __name__ == "__main__":
    main()
