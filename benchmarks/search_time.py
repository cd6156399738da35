"""Times the search of the Contextual GAN for the pictures of sketches, and looks at its memory.

    KERAS_BACKEND=tensorflow python benchmarks/search_time.py [--sketches 1 64] [--steps 500]

Untrained networks of 64 x 128 pixels, in the width of the recipes, on empty sketches: neither
changes the time. Compiling is not part of it. Prints a Markdown table; its last column says by how
much the memory of the process was larger in the whole search than in one of 10 steps.
"""

import argparse
import resource
import time

import keras
import numpy as np

from keras_design_gans.models import ContextualGAN


def megabytes():
    """Returns the largest memory that this process has had so far, in MB (Linux)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main():
    """Prints one row for each number of sketches."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sketches", type=int, nargs="+", default=[1, 64])
    parser.add_argument("--steps", type=int, default=500)
    options = parser.parse_args()
    model = ContextualGAN((64, 64, 3), base_filters=32)
    print("| backend | sketches | steps | seconds | sketches per second | memory grew by |")
    print("| --- | --- | --- | --- | --- | --- |")
    for count in options.sketches:
        sketches = np.ones((count, 64, 64, 1), "float32")
        model.complete(sketches, steps=10, seed=0)  # compiles
        before, start = megabytes(), time.perf_counter()
        model.complete(sketches, steps=options.steps, seed=0)
        seconds, grown = time.perf_counter() - start, megabytes() - before
        print(
            f"| {keras.backend.backend()} | {count} | {options.steps} | {seconds:.1f} | "
            f"{count / seconds:.3f} | {grown:.0f} MB |"
        )


if __name__ == "__main__":
    main()
