"""Pictures in a folder: classes as folders, a `metadata.csv`, or no labels."""

import csv
import hashlib
import warnings
from pathlib import Path

from keras_design_gans.datasets.images import BLACK, FITS, WHITE, read_further, read_image
from keras_design_gans.datasets.source import (
    SkipExample,
    Source,
    check_num_examples,
    check_split,
)

SUFFIXES = {".avif", ".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}
TEST_FRACTION = 0.1
MAX_CLASSES = 100
# Further pictures, each with the colour around it.
FURTHER = {"mask": BLACK, "sketch": WHITE}
LAYOUT = (
    "Expected one folder of pictures per class, or a `metadata.csv` with a `file_name` column, or "
    f"pictures only ({', '.join(sorted(SUFFIXES))})."
)


class FolderSource(Source):
    """The pictures of a folder, see `from_folder`.

    Args:
        path: the folder.
        split: `"train"` or `"test"`.
        num_examples: how many to use; `None` means all.
        fit: `"crop"` or `"pad"`.
    """

    apart = True

    def __init__(self, path, split, num_examples=None, fit="crop"):
        check_split(split)
        if fit not in FITS:
            raise ValueError(f"`fit` must be one of {FITS}. Received: fit={fit!r}")
        root = Path(path).expanduser().resolve()
        if not root.is_dir():
            raise FileNotFoundError(f"There is no folder {root}. {LAYOUT}")
        self.fit = fit
        # Folders named after the splits are the splits; otherwise a hash of the name decides.
        if all((root / name).is_dir() for name in ("train", "test")):
            splits = {name: read_rows(root / name) for name in ("train", "test")}
            self.root = root / split
        else:
            splits = {"train": [], "test": []}
            for row in read_rows(root):
                is_test = _hash(row["file_name"]) < TEST_FRACTION
                splits["test" if is_test else "train"].append(row)
            self.root = root
        # Both splits together, so that a class has the same number in each.
        labels = _label_columns(splits["train"] + splits["test"])
        rows = sorted(splits[split], key=lambda row: _hash(row["file_name"]))
        if not rows:
            raise ValueError(
                f"No picture of {root} falls into the {split!r} split. It needs more pictures, or "
                "folders `train` and `test` at its top."
            )
        rows = rows[: check_num_examples(num_examples, len(rows), root.name)]
        self.file_names = [row["file_name"] for row in rows]
        self.texts = {
            key: [_sentences(row[key]) for row in rows] for key in rows[0] if _is_caption(key)
        }
        self.captions = tuple(self.texts)
        self.labels = {
            key: [values.index(row[key]) for row in rows] for key, values in labels.items()
        }
        self.further = {
            key: [row[f"{key}_file_name"] for row in rows]
            for key in FURTHER
            if f"{key}_file_name" in rows[0]
        }
        files = [name for names in (self.file_names, *self.further.values()) for name in names]
        super().__init__(
            name=root.name,
            split=split,
            features=("image", *self.further, *labels),
            class_names=labels,
            num_examples=len(rows),
            key=(fit, labels, self.labels, [self._stamp(name) for name in files]),
        )

    def example(self, index, image_size, features):
        """Reads example `index`, see `Source.example`."""
        example = {key: column[index] for key, column in self.labels.items()}
        if "image" in features:
            example["image"] = read_image(self.root / self.file_names[index], image_size, self.fit)
        for key in self.further:
            if key in features:
                example[key] = self._further(key, index, image_size)
        return example

    def sentences(self, key, index, labels):
        """Returns the lines of the caption, see `Source.sentences`."""
        return self.texts[key][index]

    def _further(self, key, index, image_size):
        name = self.further[key][index]
        if not name:
            raise SkipExample(f"it has no `{key}_file_name`")
        try:
            return read_further(
                self.root / name,
                self.root / self.file_names[index],
                image_size,
                self.fit,
                FURTHER[key],
            )
        except SkipExample as error:
            raise SkipExample(f"its {key} {name}: {error}") from None

    def _stamp(self, name):
        try:
            stat = (self.root / name).stat()
        except OSError:
            return (str(self.root / name), None)
        return (str(self.root / name), stat.st_size, stat.st_mtime_ns)


def read_rows(root):
    """Lists the pictures of a folder.

    Args:
        root: `pathlib.Path` of the folder.

    Returns:
        List of dictionaries of strings: `"file_name"`, relative to `root`, and the columns of
        `metadata.csv`, or `"label"`, the name of the class folder.

    Raises:
        ValueError: the folder has none of the forms that `from_folder` reads.
    """
    if (root / "metadata.csv").exists():
        return _read_metadata(root / "metadata.csv")
    files = [
        path.relative_to(root)
        for path in sorted(root.rglob("*"))
        if path.suffix.lower() in SUFFIXES and path.is_file()
    ]
    # Hidden files and __MACOSX hold no pictures, whatever they are called.
    files = [f for f in files if not any(part.startswith((".", "__")) for part in f.parts)]
    if not files:
        raise ValueError(f"There are no pictures in {root}. {LAYOUT}")
    if all(len(file.parts) == 1 for file in files):
        return [{"file_name": file.name} for file in files]
    if loose := [file.name for file in files if len(file.parts) == 1]:
        raise ValueError(
            f"{root} holds class folders and also {len(loose)} pictures outside of them, such as "
            f"{loose[0]!r}. Move these into a class folder, or list all in a `metadata.csv`."
        )
    return [{"file_name": file.as_posix(), "label": file.parts[0]} for file in files]


def _read_metadata(path):
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, restval="")
            columns = reader.fieldnames or []
            rows = list(reader)
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} must be saved as UTF-8. ({error})") from error
    if "file_name" not in columns:
        raise ValueError(
            f"{path} needs a column `file_name`, separated by commas. Its columns are: {columns}"
        )
    if bad := [c for c in columns if c in ("image", "mask", "sketch") or "/" in c or not c]:
        raise ValueError(
            f"{path}: rename the columns {bad}. A label cannot be called like a picture, be "
            "without a name or have a slash in it."
        )
    if not rows:
        raise ValueError(f"{path} lists no pictures. {LAYOUT}")
    return [{column: row[column] for column in columns} for row in rows]


def _label_columns(rows):
    """Returns a dictionary from each column that can be a label to the tuple of its classes."""
    labels = {}
    for column in rows[0]:
        # What the columns `mask_...` and `sketch_...` say belongs to these pictures.
        if column == "file_name" or _is_caption(column) or column.partition("_")[0] in FURTHER:
            continue
        values = sorted({row[column] for row in rows}, key=_natural)
        if len(values) > MAX_CLASSES:
            warnings.warn(
                f"The column {column!r} is left out: its {len(values)} distinct values are too "
                f"many for a label (at most {MAX_CLASSES}).",
                stacklevel=4,
            )
        else:
            labels[column] = tuple(values)
    return labels


def _is_caption(column):
    return column.partition("_")[0] == "caption"


def _sentences(text):
    """Returns the lines of a caption as a tuple; one empty sentence where there is none."""
    lines = tuple(line.strip() for line in text.splitlines() if line.strip())
    return lines or ("",)


def _natural(text):
    """Sorts numbers by value and before words, so that "10" follows "9"."""
    try:
        return (0, float(text), text)
    except ValueError:
        return (1, 0.0, text)


def _hash(file_name):
    """Maps a file name to [0, 1), evenly and the same on every machine."""
    return int.from_bytes(hashlib.sha256(file_name.encode()).digest()[:8]) / 2**64
