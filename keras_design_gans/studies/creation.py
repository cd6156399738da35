"""From folders of results to the file of a study."""

import io
import json
import os
import secrets
import sqlite3
from dataclasses import asdict
from pathlib import Path, PurePosixPath

from PIL import ImageOps

from keras_design_gans.datasets.folder import read_rows
from keras_design_gans.datasets.images import WHITE, read_whole
from keras_design_gans.datasets.source import SkipExample
from keras_design_gans.studies.questions import question_set
from keras_design_gans.studies.store import APPLICATION_ID

MAX_SIDE = 512  # pixels; the longest side that is shown
MAX_CHOICES = 9  # each has a key of the keyboard
OVERVIEW = "grid.png"  # `design-gans generate` writes it beside the pictures

SCHEMA = f"""
PRAGMA application_id = {APPLICATION_ID};
CREATE TABLE settings (value TEXT NOT NULL);
CREATE TABLE items (id TEXT PRIMARY KEY, name TEXT NOT NULL, caption TEXT, caption_zh TEXT);
CREATE TABLE pictures (
  id TEXT PRIMARY KEY, item TEXT NOT NULL REFERENCES items, method TEXT, png BLOB NOT NULL
);
CREATE INDEX pictures_of_item ON pictures (item);
CREATE TABLE raters (id TEXT PRIMARY KEY, joined TEXT NOT NULL);
CREATE TABLE tasks (
  rater TEXT REFERENCES raters, item TEXT REFERENCES items, position INTEGER NOT NULL,
  PRIMARY KEY (rater, item)
);
CREATE TABLE answers (
  rater TEXT, item TEXT, question TEXT, value NOT NULL, time TEXT NOT NULL,
  PRIMARY KEY (rater, item, question), FOREIGN KEY (rater, item) REFERENCES tasks
);
"""


def create(path, folders, questions="design", reference=None, title="", per_rater=None):
    """Makes a study from folders of pictures, one folder for each method.

    The raters see neither the names of the folders nor those of the files. All pictures are brought
    to one size, padded with white to a square and saved anew under random names, so that nothing
    but the picture itself tells which method made it. `grid.png`, which `design-gans generate`
    writes, is left out.

    ```python
    kdg.studies.create("likes.study", ["results/dcgan", "results/can_h", "photos"], "design")
    kdg.studies.create("smile.study", ["out/stargan", "out/modular"], "transfer", "inputs")
    ```

    Args:
        path: File to write, such as `"likes.study"`.
        folders: Paths of the folders; their names are those of the methods. If people choose the
            best of several pictures, the files of all folders must have the same names.
        questions: A name from `QUESTION_SETS`, or a sequence of `Question`s.
        reference: Folder of pictures that are shown above the question, such as those that a
            method has changed: of the same names as the results. The columns `caption` and
            `caption_zh` of its `metadata.csv` are shown too: what the change should be.
        title: Heading of the page.
        per_rater: How many items each rater sees; by default all of them. Those that the fewest
            raters have been given come first.

    Returns:
        The path of the file.

    Raises:
        FileExistsError: If the file is there already.
        FileNotFoundError: If a folder is missing.
        ValueError: If a picture cannot be read, names do not fit together, or an argument is wrong.
    """
    path, questions = Path(path), question_set(questions)
    if path.exists():
        raise FileExistsError(f"{path} is there already; a study is never written over.")
    if per_rater is not None and per_rater < 1:
        raise ValueError(f"per_rater must be at least 1. Received: {per_rater}")
    methods = _methods(folders)
    references = _pictures(Path(reference)) if reference else {}
    items = _choices(methods) if questions[0].kind == "choice" else _singles(methods)
    items = [
        (name, pictures, _reference(references, key, reference)) for name, key, pictures in items
    ]
    settings = {
        "id": secrets.token_hex(4),
        "title": title,
        "questions": [asdict(question) for question in questions],
        "per_rater": per_rater,
        "closed": False,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    # Written under another name first, so that no half of a study is ever taken for a whole one.
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    try:
        _write(part, settings, items)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    return path


def _methods(folders):
    """Returns a dictionary from each method to its pictures."""
    methods = {}
    for folder in map(Path, folders):
        name = folder.resolve().name
        if name in methods:
            raise ValueError(f"Two folders are called {name!r}: give each method another name.")
        methods[name] = _pictures(folder)
    if not methods:
        raise ValueError("Name at least one folder of pictures.")
    return methods


def _pictures(folder):
    """Returns a dictionary from names without suffix to rows: `path`, and the captions."""
    if not folder.is_dir():
        raise FileNotFoundError(f"There is no folder {folder}.")
    rows = [row for row in read_rows(folder) if row["file_name"] != OVERVIEW]
    pictures = {
        PurePosixPath(row["file_name"]).with_suffix("").as_posix(): {
            "path": folder / row["file_name"],
            "caption": row.get("caption", ""),
            "caption_zh": row.get("caption_zh", ""),
        }
        for row in rows
    }
    if len(pictures) < len(rows):
        raise ValueError(f"{folder} holds two pictures that differ in their suffix only.")
    return pictures


def _choices(methods):
    """Lists items with one picture of each method."""
    if not 2 <= len(methods) <= MAX_CHOICES:
        raise ValueError(
            f"A choice is between 2 to {MAX_CHOICES} methods, each with a folder. Received: "
            f"{', '.join(methods)}"
        )
    names = set().union(*methods.values())
    for method, pictures in methods.items():
        if missing := sorted(names - set(pictures)):
            raise ValueError(
                f"The folder {method} has no picture {missing[0]!r}, which another one has. A "
                "choice needs the same names in all folders."
            )
    return [
        (name, name, {method: pictures[name] for method, pictures in methods.items()})
        for name in sorted(names)
    ]


def _singles(methods):
    """Lists items with one picture each."""
    return [
        (f"{method}/{name}", name, {method: row})
        for method, pictures in methods.items()
        for name, row in pictures.items()
    ]


def _reference(references, key, folder):
    if references and key not in references:
        raise ValueError(f"{folder} has no picture {key!r}, which a method has.")
    return references.get(key)


def _write(path, settings, items):
    shown = [[*pictures.values(), *([known] if known else [])] for _, pictures, known in items]
    side = min(max(_read(row["path"]).size) for rows in shown for row in rows)
    db = sqlite3.connect(path)
    try:
        # Readers and writers do not wait for each other, and a killed writer leaves no damage.
        db.execute("PRAGMA journal_mode = WAL")
        db.executescript(SCHEMA)
        db.execute("INSERT INTO settings VALUES (?)", [json.dumps(settings)])
        for name, pictures, known in items:
            captions = (known["caption"], known["caption_zh"]) if known else ("", "")
            item = secrets.token_hex(8)
            db.execute("INSERT INTO items VALUES (?, ?, ?, ?)", [item, name, *captions])
            for method, row in (*pictures.items(), *([(None, known)] if known else [])):
                values = [secrets.token_hex(8), item, method, _png(row["path"], side)]
                db.execute("INSERT INTO pictures VALUES (?, ?, ?, ?)", values)
        db.commit()
    finally:
        db.close()


def _read(path):
    try:
        return read_whole(path, MAX_SIDE)
    except SkipExample as error:
        raise ValueError(f"{path}: {error}. Repair or remove it.") from None


def _png(path, side):
    """Returns a square PNG without anything that the file says beside its pixels."""
    file = io.BytesIO()
    ImageOps.pad(_read(path), (side, side), color=WHITE).save(file, "PNG")
    return file.getvalue()
