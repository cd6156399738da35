"""Fills the arrays of a data set; run as a module it is one of several worker processes.

A process of its own, instead of `multiprocessing`, does not import the caller's script again: it
works from a notebook and from a script without an `if __name__ == "__main__"` guard.
"""

import json
import os
import pickle
import sys

import numpy as np

from keras_design_gans.datasets.source import SkipExample

TODO, DONE, SKIPPED = 0, 1, 2
STATE = "_state.npy"
REASONS = "_skipped.jsonl"


def fill(folder, source, image_size, part=0, parts=1):
    """Makes every `parts`-th example that is still missing; a generator that yields after each.

    Args:
        folder: `pathlib.Path` of the folder with one `<feature>.npy` per feature and `_state.npy`
            (0 = to do, 1 = done, 2 = skipped).
        source: the `Source` which makes the examples.
        image_size: side of the square pictures, in pixels.
        part: which of the `parts` to make.
        parts: number of parts the indexes are dealt out to.
    """
    state = np.load(folder / STATE, mmap_mode="r+")
    arrays = {
        path.stem: np.load(path, mmap_mode="r+")
        for path in folder.glob("*.npy")
        if path.name != STATE
    }
    for index in range(part, source.num_examples, parts):
        if state[index] != TODO:
            continue
        try:
            example = source.example(index, image_size, tuple(arrays))
        except SkipExample as reason:
            with open(folder / REASONS, "a") as file:
                file.write(json.dumps([index, str(reason)]) + "\n")
            state[index] = SKIPPED
        else:
            for feature, array in arrays.items():
                array[index] = example[feature]
            # Last, so that an interrupted example is made again.
            state[index] = DONE
        yield index


def main():
    """Reads `(folder, source, image_size, part, parts)`, pickled, from the standard input."""
    parent = os.getppid()
    for _ in fill(*pickle.load(sys.stdin.buffer)):
        if os.getppid() != parent:  # it was killed, and could not end us
            break


if __name__ == "__main__":
    main()
