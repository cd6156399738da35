"""A folder of photos, and a picture made from each: what the scripts of this folder share.

Writes OUT/images, OUT/<kind>s and OUT/metadata.csv, a folder that `from_folder` reads. Run it again
after an interruption: it goes on where it stopped.
"""

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
from PIL import Image, PngImagePlugin
from tqdm import tqdm

from keras_design_gans.datasets.folder import FURTHER, read_rows
from keras_design_gans.datasets.images import read_whole
from keras_design_gans.datasets.source import SkipExample

PARTIAL = ".partial"
STAMP, RESULT = "made from", "result"  # keys of the text inside a PNG


def add_arguments(parser):
    """Adds the arguments that `make_all` needs to an `argparse.ArgumentParser`."""
    parser.add_argument("folder", help="class folders, a metadata.csv, or pictures only")
    parser.add_argument("--out", required=True, help="folder for the results")
    parser.add_argument(
        "--image-size", type=int, default=256, help="longest side in pixels at most, default 256"
    )
    parser.add_argument("--processes", type=int, default=os.cpu_count(), help="default all cores")


def make_all(parser, options, kind, draw, recipe=""):
    """Makes a picture from each photo of a folder, split by split.

    Args:
        parser: `argparse.ArgumentParser`, which tells what is wrong with the options.
        options: what it has parsed.
        kind: what is made: `"mask"` or `"sketch"`.
        draw: function of a uint8 array `(height, width, 3)`. It returns a uint8 array
            `(height, width, 1)` and a dictionary of strings, further columns of the table. Other
            processes must be able to import it.
        recipe: string; the work is done again if it has changed.

    Yields:
        For each split: its folder, the rows of its `metadata.csv` as dictionaries, and a list of
        strings, what was left out and why.
    """
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
        job = functools.partial(
            make_one, root / split, out / split, options.image_size, kind, draw, recipe
        )
        kept, skipped = make(root / split, out / split, kind, job, options.processes)
        yield out / split, kept, skipped


def make(root, out, kind, job, processes):
    """Makes the pictures of one folder without splits, and its table."""
    out.mkdir(parents=True, exist_ok=True)
    for partial in out.rglob(f"*{PARTIAL}"):  # of a run that was killed
        partial.unlink()
    rows = read_rows(root)
    names = png_names([row["file_name"] for row in rows])
    title = f"Making {plural(kind)}"
    results = run(job, [row["file_name"] for row in rows], names, processes, title)
    kept, skipped = [], []
    for row, name, result in zip(rows, names, results, strict=True):
        if "skipped" in result:
            skipped.append(f"{row['file_name']}: {result['skipped']}")
            continue
        # What the source said about masks and sketches of its own does not hold here.
        labels = {key: row[key] for key in row if key.partition("_")[0] not in FURTHER}
        files = {"file_name": f"images/{name}", f"{kind}_file_name": f"{plural(kind)}/{name}"}
        kept.append(labels | files | result)
    if not kept:
        raise SystemExit(f"No picture of {root} can be read:\n" + "\n".join(skipped[:20]))
    write(out / "metadata.csv", functools.partial(write_table, kept))
    return kept, skipped


def plural(kind):
    """Name of the folder of a kind of pictures."""
    return f"{kind}es" if kind.endswith("ch") else f"{kind}s"


def png_names(file_names):
    """Gives each picture its name as PNG; `a.jpg` and `a.webp` side by side keep their ending."""
    stems = Counter(str(Path(name).with_suffix("")) for name in file_names)
    return [
        Path(name).with_suffix(".png").as_posix()
        if stems[str(Path(name).with_suffix(""))] == 1
        else f"{name}.png"
        for name in file_names
    ]


def run(job, file_names, names, processes, title):
    """Does `job(file_name, name)` for all under a progress bar; returns the results in order."""
    results = [None] * len(names)
    with tqdm(total=len(names), desc=title, unit="image", mininterval=0.5) as bar:
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


def make_one(root, out, image_size, kind, draw, recipe, file_name, name):
    """Writes a photo and the picture made from it, unless they are there already.

    The latter is written last and carries in its PNG what it was made from, and its columns of the
    table: where it exists and its source is the same, the work is done.

    Args:
        root: `pathlib.Path` of the photos.
        out: `pathlib.Path` of the results.
        image_size: longest side in pixels at most.
        kind: as in `make_all`.
        draw: as in `make_all`.
        recipe: as in `make_all`.
        file_name: the photo, relative to `root`.
        name: the PNG, relative to both folders of results.

    Returns:
        The dictionary that `draw` has returned, or one with `"skipped"`, the reason.

    Raises:
        ValueError: the name leads out of the folder.
    """
    folder = out / plural(kind)
    image_path, path = out / "images" / name, folder / name
    if not path.resolve().is_relative_to(folder):
        raise ValueError(f"{file_name!r} lies outside of {root}.")
    try:
        stat = (root / file_name).stat()
        stamp = f"{file_name} {stat.st_size} {stat.st_mtime_ns} {image_size} {recipe}"
        if image_path.exists() and (known := read_result(path, stamp)) is not None:
            return known
        image = np.asarray(read_whole(root / file_name, image_size))
        picture, known = draw(image)
    except FileNotFoundError:
        return {"skipped": "there is no such file"}
    except (SkipExample, ValueError) as reason:
        return {"skipped": str(reason)}
    text = PngImagePlugin.PngInfo()
    text.add_text(STAMP, hashlib.sha256(stamp.encode()).hexdigest())
    text.add_text(RESULT, json.dumps(known))
    write(image_path, lambda file: Image.fromarray(image).save(file, "PNG"))
    picture = Image.fromarray(picture[..., 0])
    write(path, lambda file: picture.save(file, "PNG", pnginfo=text))
    return known


def read_result(path, stamp):
    """Returns the result kept in a picture, or `None` if it has to be made."""
    try:
        with Image.open(path) as picture:
            if picture.text[STAMP] == hashlib.sha256(stamp.encode()).hexdigest():
                return json.loads(picture.text[RESULT])
    except (OSError, KeyError, AttributeError):  # absent, or not a picture of ours
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


def digest(out, rows, kind):
    """Hashes the pixels of what was made, in the order of the rows."""
    found = hashlib.sha256()
    for row in rows:
        with Image.open(out / row[f"{kind}_file_name"]) as picture:
            found.update(np.asarray(picture).tobytes())
    return found.hexdigest()[:16]


def print_skipped(skipped, limit=10):
    """Prints what could not be read."""
    if skipped:
        print(f"{len(skipped)} pictures cannot be used:")
        print("\n".join(f"  {line}" for line in skipped[:limit]))
