"""Make the masks of a folder of product photos with plain backgrounds.

Writes OUT/images, OUT/masks and OUT/metadata.csv, which `from_folder(OUT, features=("image",
"mask"))` reads, and OUT/doubtful.png with the masks that most likely are wrong. Run it again after
an interruption: it goes on where it stopped.
"""

import argparse
import csv
import functools
import hashlib
import json
import multiprocessing
import os
import threading
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, PngImagePlugin
from tqdm import tqdm

from keras_design_gans.datasets.folder import FURTHER, read_rows
from keras_design_gans.datasets.images import read_whole
from keras_design_gans.datasets.source import SkipExample
from keras_design_gans.masks import outline, segment

PARTIAL = ".partial"
STAMP, RESULT = "made from", "result"  # keys of the text inside a mask's PNG
CELL, COLUMNS, ROWS = 192, 6, 4


def main(arguments=None):
    """Runs the command line; `arguments` is a list of words, or `None` for those of the shell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", help="class folders, a metadata.csv, or pictures only")
    parser.add_argument("--out", required=True, help="folder for the pictures and their masks")
    parser.add_argument(
        "--image-size", type=int, default=256, help="longest side in pixels at most, default 256"
    )
    parser.add_argument("--processes", type=int, default=os.cpu_count(), help="default all cores")
    options = parser.parse_args(arguments)
    if options.image_size < 8 or options.processes < 1:
        parser.error("--image-size must be at least 8 and --processes at least 1")
    root, out = Path(options.folder).expanduser().resolve(), Path(options.out).expanduser()
    out = out.resolve()
    if not root.is_dir():
        parser.error(f"there is no folder {root}")
    if out == root or out.is_relative_to(root) or root.is_relative_to(out):
        parser.error("--out must lie outside of the folder of photos")
    splits = [""]
    if all((root / name).is_dir() for name in ("train", "test")):
        splits = ["train", "test"]
    for split in splits:
        make(root / split, out / split, options.image_size, options.processes)


def make(root, out, image_size, processes):
    """Makes the masks of one folder without splits, and sums them up."""
    out.mkdir(parents=True, exist_ok=True)
    for partial in out.rglob(f"*{PARTIAL}"):  # of a run that was killed
        partial.unlink()
    rows = read_rows(root)
    names = png_names([row["file_name"] for row in rows])
    job = functools.partial(make_one, root, out, image_size)
    results = run(job, [row["file_name"] for row in rows], names, processes)
    kept, skipped = [], []
    for row, name, result in zip(rows, names, results, strict=True):
        if "skipped" in result:
            skipped.append(f"{row['file_name']}: {result['skipped']}")
            continue
        # What the source said about masks and sketches of its own does not hold here.
        labels = {key: row[key] for key in row if key.partition("_")[0] not in FURTHER}
        files = {"file_name": f"images/{name}", "mask_file_name": f"masks/{name}"}
        kept.append(labels | files | result)
    if not kept:
        raise SystemExit(f"No picture of {root} can be read:\n" + "\n".join(skipped[:20]))
    write(out / "metadata.csv", functools.partial(write_table, kept))
    doubtful = sorted(
        (row for row in kept if row["mask_doubts"]), key=lambda row: row["mask_quality"]
    )
    if doubtful:
        sheet = doubtful_sheet(out, doubtful[: COLUMNS * ROWS])
        write(out / "doubtful.png", lambda file: sheet.save(file, "PNG"))
    else:
        (out / "doubtful.png").unlink(missing_ok=True)
    summarize(out, kept, doubtful, skipped)


def png_names(file_names):
    """Gives each picture its name as PNG; `a.jpg` and `a.webp` side by side keep their ending."""
    stems = Counter(str(Path(name).with_suffix("")) for name in file_names)
    return [
        Path(name).with_suffix(".png").as_posix()
        if stems[str(Path(name).with_suffix(""))] == 1
        else f"{name}.png"
        for name in file_names
    ]


def run(job, file_names, names, processes):
    """Does `job(file_name, name)` for all under a progress bar; returns the results in order."""
    results = [None] * len(names)
    with tqdm(total=len(names), desc="Making masks", unit="image", mininterval=0.5) as bar:
        if processes == 1:
            for index, pair in enumerate(zip(file_names, names, strict=True)):
                results[index] = job(*pair)
                bar.update()
            return results
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(processes, context, initializer=end_with_parent) as pool:
            futures = {
                pool.submit(job, *pair): index
                for index, pair in enumerate(zip(file_names, names, strict=True))
            }
            try:
                for future in as_completed(futures):
                    results[futures[future]] = future.result()
                    bar.update()
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
    return results


def end_with_parent():
    """Ends this process when the one that started it is killed, and cannot say so."""

    def wait():
        multiprocessing.parent_process().join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def make_one(root, out, image_size, file_name, name):
    """Writes a picture and its mask, unless they are there already.

    The mask is written last and carries in its PNG what it was made from and how good it is: where
    it exists and its source is the same, the work is done.

    Args:
        root: `pathlib.Path` of the photos.
        out: `pathlib.Path` of the results.
        image_size: longest side in pixels at most.
        file_name: the photo, relative to `root`.
        name: the PNG, relative to `out / "images"` and `out / "masks"`.

    Returns:
        Dictionary with `"mask_quality"` and `"mask_doubts"`, or `"skipped"`, the reason.

    Raises:
        ValueError: the name leads out of the folder.
    """
    image_path, mask_path = out / "images" / name, out / "masks" / name
    if not mask_path.resolve().is_relative_to(out / "masks"):
        raise ValueError(f"{file_name!r} lies outside of {root}.")
    try:
        stat = (root / file_name).stat()
        stamp = f"{file_name} {stat.st_size} {stat.st_mtime_ns} {image_size}"
        if image_path.exists() and (known := read_result(mask_path, stamp)):
            return known
        image = np.asarray(read_whole(root / file_name, image_size))
        result = segment(image)
    except FileNotFoundError:
        return {"skipped": "there is no such file"}
    except (SkipExample, ValueError) as reason:
        return {"skipped": str(reason)}
    known = {"mask_quality": f"{result.quality:.3f}", "mask_doubts": "; ".join(result.doubts)}
    text = PngImagePlugin.PngInfo()
    text.add_text(STAMP, hashlib.sha256(stamp.encode()).hexdigest())
    text.add_text(RESULT, json.dumps(known))
    write(image_path, lambda file: Image.fromarray(image).save(file, "PNG"))
    mask = Image.fromarray(result.mask[..., 0])
    write(mask_path, lambda file: mask.save(file, "PNG", pnginfo=text))
    return known


def read_result(mask_path, stamp):
    """Returns the result kept in a mask, or `None` if it has to be made."""
    try:
        with Image.open(mask_path) as mask:
            if mask.text[STAMP] == hashlib.sha256(stamp.encode()).hexdigest():
                return json.loads(mask.text[RESULT])
    except (OSError, KeyError, AttributeError):  # absent, or not a mask of ours
        pass
    return None


def write(path, save):
    """Writes a file through another one: it is there as a whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + PARTIAL)
    with open(partial, "wb") as file:
        save(file)
    os.replace(partial, path)


def write_table(rows, file):
    """Writes rows as CSV in UTF-8 to a binary file."""
    lines = [list(rows[0]), *(row.values() for row in rows)]
    with open(file.fileno(), "w", newline="", encoding="utf-8", closefd=False) as text:
        csv.writer(text).writerows(lines)


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


def summarize(out, kept, doubtful, skipped, limit=10):
    """Prints what was made, what is doubtful and what could not be read."""
    digest = hashlib.sha256()
    for row in kept:
        with Image.open(out / row["mask_file_name"]) as mask:
            digest.update(np.asarray(mask).tobytes())
    print(f"{len(kept)} masks in {out}, sha256 {digest.hexdigest()[:16]}")
    print(f"{len(doubtful)} of them are doubtful" + (", see doubtful.png:" if doubtful else ""))
    for row in doubtful[:limit]:
        print(f"  {row['mask_file_name']}: {row['mask_doubts']}")
    if len(doubtful) > limit:
        print("  ... all in metadata.csv, column mask_doubts")
    if skipped:
        print(f"{len(skipped)} pictures cannot be used:")
        print("\n".join(f"  {line}" for line in skipped[:limit]))


if __name__ == "__main__":
    main()
