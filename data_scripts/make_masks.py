"""Make the masks of a folder of product photos with plain backgrounds.

Writes OUT/images, OUT/masks and OUT/metadata.csv, which `from_folder(OUT, features=("image",
"mask"))` reads, and OUT/doubtful.png with the masks that most likely are wrong. Run it again after
an interruption: it goes on where it stopped.
"""

import argparse
from pathlib import Path

import numpy as np
from photo_folder import add_arguments, digest, make_all, print_skipped, write
from PIL import Image, ImageDraw

from keras_design_gans.masks import outline, segment

CELL, COLUMNS, ROWS = 192, 6, 4


def main(arguments=None):
    """Runs the command line; `arguments` is a list of words, or `None` for those of the shell."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_arguments(parser)
    options = parser.parse_args(arguments)
    for out, kept, skipped in make_all(parser, options, "mask", draw):
        doubtful = sorted(
            (row for row in kept if row["mask_doubts"]), key=lambda row: row["mask_quality"]
        )
        if doubtful:
            sheet = doubtful_sheet(out, doubtful[: COLUMNS * ROWS])
            write(out / "doubtful.png", lambda file, sheet=sheet: sheet.save(file, "PNG"))
        else:
            (out / "doubtful.png").unlink(missing_ok=True)
        summarize(out, kept, doubtful)
        print_skipped(skipped)


def draw(image):
    """Returns the mask of a photo, and its columns of the table: quality and doubts."""
    result = segment(image)
    return result.mask, {
        "mask_quality": f"{result.quality:.3f}",
        "mask_doubts": "; ".join(result.doubts),
    }


def doubtful_sheet(out, rows):
    """Draws the outlines of masks side by side, the most doubtful first."""
    height = -(-len(rows) // COLUMNS) * (CELL + 16)
    sheet = Image.new("RGB", (COLUMNS * CELL, height), "white")
    pen = ImageDraw.Draw(sheet)
    for index, row in enumerate(rows):
        image = np.asarray(Image.open(out / row["file_name"]))
        mask = np.asarray(Image.open(out / row["mask_file_name"]))[..., None]
        picture = Image.fromarray(outline(image, mask))
        picture.thumbnail((CELL - 4, CELL - 4))
        x, y = index % COLUMNS * CELL, index // COLUMNS * (CELL + 16)
        sheet.paste(picture, (x, y + 14))
        pen.text((x, y), f"{row['mask_quality']} {Path(row['file_name']).name}"[:30], fill="black")
    return sheet


def summarize(out, kept, doubtful, limit=10):
    """Prints what was made and what is doubtful."""
    print(f"{len(kept)} masks in {out}, sha256 {digest(out, kept, 'mask')}")
    print(f"{len(doubtful)} of them are doubtful" + (", see doubtful.png:" if doubtful else ""))
    for row in doubtful[:limit]:
        print(f"  {row['mask_file_name']}: {row['mask_doubts']}")
    if len(doubtful) > limit:
        print("  ... all in metadata.csv, column mask_doubts")


if __name__ == "__main__":
    main()
