"""The file of a study: who sees what, and what was answered."""

import contextlib
import datetime
import json
import random
import re
import secrets
import sqlite3
from pathlib import Path

from keras_design_gans.studies.questions import MAKERS, RATINGS, Question

APPLICATION_ID = 0x6B646773  # "kdgs": marks the SQLite files that are studies
MAX_RATERS = 10_000  # so that a script cannot fill the disk
PATIENCE = 60  # seconds to wait for others who write
TOKEN = re.compile("[0-9a-f]{16}")


class Refused(ValueError):
    """What a rater sent cannot be taken; the message is a code that the page explains."""


class Study:
    """A study that was made by `create`.

    Every method opens the file anew, so that threads and processes can share it. An answer is on
    the disk when `answer` returns.

    Args:
        path: The file.

    Attributes:
        path: The file.
        questions: Tuple of `Question`s.
        title: Heading of the page.
        id: Tells studies apart that are served from one address.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is no study.
    """

    def __init__(self, path):
        self.path = Path(path)
        if not self.path.is_file():
            raise FileNotFoundError(f"There is no study {path}. Make it: design-gans study create.")
        try:
            with self.open() as db:
                settings = _settings(db)
                (mark,) = db.execute("PRAGMA application_id").fetchone()
        except sqlite3.DatabaseError as error:
            raise ValueError(f"{path} is no study: {error}.") from None
        if mark != APPLICATION_ID:
            raise ValueError(f"{path} is a SQLite file, but no study.")
        self.questions = tuple(Question(**question) for question in settings["questions"])
        self.title, self.id = settings["title"], settings["id"]

    @contextlib.contextmanager
    def open(self):
        """Opens the file; what was not committed at the end is undone."""
        db = sqlite3.connect(self.path, timeout=PATIENCE, isolation_level=None)
        try:
            # A commit returns when the disk has it: it outlives a power failure too.
            db.execute("PRAGMA synchronous = FULL")
            db.execute("PRAGMA foreign_keys = ON")
            yield db
        finally:
            db.close()

    @contextlib.contextmanager
    def changing(self):
        """Opens the file for a change that is made as a whole or not at all."""
        with self.open() as db:
            db.execute("BEGIN IMMEDIATE")
            yield db
            db.execute("COMMIT")

    def join(self):
        """Takes a new rater in and chooses what to show: first what the fewest have been given.

        Returns:
            The rater's secret name, a string.

        Raises:
            Refused: If the study is closed or has too many raters.
        """
        rater = secrets.token_hex(8)
        with self.changing() as db:
            settings = _settings(db)
            if settings["closed"]:
                raise Refused("closed")
            if db.execute("SELECT count(*) FROM raters").fetchone()[0] >= MAX_RATERS:
                raise Refused("full")
            rows = db.execute(
                "SELECT items.id FROM items LEFT JOIN tasks ON tasks.item = items.id "
                "GROUP BY items.id ORDER BY count(tasks.rater), random() LIMIT ?",
                [settings["per_rater"] or -1],
            ).fetchall()
            random.shuffle(rows)
            db.execute("INSERT INTO raters VALUES (?, ?)", [rater, _now()])
            tasks = [(rater, item, position) for position, (item,) in enumerate(rows)]
            db.executemany("INSERT INTO tasks VALUES (?, ?, ?)", tasks)
        return rater

    def state(self, rater):
        """Says what a rater sees next.

        Args:
            rater: The rater's secret name, or anything else for a person who has not joined.

        Returns:
            Dictionary with `title`, `questions`, `closed`, `joined`, and after joining `done`,
            `total` and `item`: `None`, or a dictionary with `id`, `caption`, `caption_zh`,
            `pictures` (their names, in random order) and `reference` (a name, or `None`).
        """
        with self.open() as db:
            settings = _settings(db)
            shown = {key: settings[key] for key in ("title", "questions", "closed")}
            tasks = db.execute(
                "SELECT item, EXISTS (SELECT 1 FROM answers AS a WHERE a.rater = tasks.rater "
                "AND a.item = tasks.item) FROM tasks WHERE rater = ? ORDER BY position",
                [rater],
            ).fetchall()
            if not tasks:
                return {**shown, "joined": False}
            left = [item for item, done in tasks if not done]
            item = None if settings["closed"] or not left else _shown(db, rater, left[0])
            done = len(tasks) - len(left)
            return {**shown, "joined": True, "done": done, "total": len(tasks), "item": item}

    def answer(self, rater, item, answers):
        """Stores all answers of a rater to an item, once.

        Args:
            rater: The rater's secret name.
            item: Name of the item, from `state`.
            answers: Dictionary with an answer for each question: 1 to 5, `"human"` or `"machine"`,
                or the name of the chosen picture.

        Raises:
            Refused: If the study is closed, the rater unknown, the item not the rater's, the
                answer a repeated one, or not of the expected form. Nothing is stored then.
        """
        if not (isinstance(item, str) and TOKEN.fullmatch(item) and isinstance(answers, dict)):
            raise Refused("answers")
        with self.changing() as db:
            if _settings(db)["closed"]:
                raise Refused("closed")
            if not db.execute("SELECT 1 FROM raters WHERE id = ?", [rater]).fetchone():
                raise Refused("join")
            given = [rater, item]
            if not db.execute("SELECT 1 FROM tasks WHERE rater = ? AND item = ?", given).fetchone():
                raise Refused("item")
            pictures = _candidates(db, item)
            if answers.keys() != {question.key for question in self.questions} or not all(
                _fits(answers[question.key], question.kind, pictures) for question in self.questions
            ):
                raise Refused("answers")
            rows = [(rater, item, key, value, _now()) for key, value in answers.items()]
            try:
                db.executemany("INSERT INTO answers VALUES (?, ?, ?, ?, ?)", rows)
            except sqlite3.IntegrityError:
                raise Refused("repeated") from None

    def picture(self, name):
        """Returns the PNG of that name as bytes; raises `Refused` if there is none."""
        with self.open() as db:
            row = db.execute("SELECT png FROM pictures WHERE id = ?", [name]).fetchone()
        if row is None:
            raise Refused("page")
        return row[0]

    def close(self):
        """Ends the study: later answers are refused, and those that came stay."""
        with self.changing() as db:
            settings = {**_settings(db), "closed": True}
            db.execute("UPDATE settings SET value = ?", [json.dumps(settings)])

    def items(self):
        """Lists the items as dictionaries: `id`, `name`, captions, and `pictures`.

        `pictures` is a list of (name, method); the method of a reference is `None`.
        """
        with self.open() as db:
            keys = ("id", "name", "caption", "caption_zh")
            rows = db.execute(f"SELECT {', '.join(keys)} FROM items ORDER BY name").fetchall()
            pictures = "SELECT id, method FROM pictures WHERE item = ? ORDER BY id"
            return [
                {
                    **dict(zip(keys, row, strict=True)),
                    "pictures": list(db.execute(pictures, row[:1])),
                }
                for row in rows
            ]

    def answers(self):
        """Lists all answers, the oldest first, for other programs.

        Returns:
            List of dictionaries: `rater`, a number; `item`, from the names of the files;
            `question`; `method`, that of the picture, or of the chosen one; `value`, which is 1 to
            5, `"human"`, `"machine"` or `"chosen"`; `time`, in UTC.
        """
        keys = ("rater", "item", "question", "method", "value", "time")
        with self.open() as db:
            chosen = dict(db.execute("SELECT id, method FROM pictures"))
            judged = dict(db.execute("SELECT item, method FROM pictures WHERE method IS NOT NULL"))
            rows = db.execute(
                "SELECT raters.rowid, items.name, question, items.id, value, time FROM answers "
                "JOIN raters ON raters.id = rater JOIN items ON items.id = item "
                "ORDER BY answers.rowid"
            )
            listed = []
            for rater, name, question, item, value, time in rows:
                method = chosen.get(value, judged[item])
                said = "chosen" if value in chosen else value
                row = (rater, name, question, method, said, time)
                listed.append(dict(zip(keys, row, strict=True)))
            return listed


def _settings(db):
    return json.loads(db.execute("SELECT value FROM settings").fetchone()[0])


def _candidates(db, item):
    query = "SELECT id FROM pictures WHERE item = ? AND method IS NOT NULL ORDER BY id"
    return [name for (name,) in db.execute(query, [item])]


def _shown(db, rater, item):
    """Describes an item without its methods; the order differs between raters and never changes."""
    pictures = _candidates(db, item)
    random.Random(f"{rater} {item}").shuffle(pictures)
    reference = "SELECT id FROM pictures WHERE item = ? AND method IS NULL"
    captions = "SELECT caption, caption_zh FROM items WHERE id = ?"
    caption, caption_zh = db.execute(captions, [item]).fetchone()
    return {
        "id": item,
        "caption": caption,
        "caption_zh": caption_zh or caption,
        "pictures": pictures,
        "reference": (db.execute(reference, [item]).fetchone() or [None])[0],
    }


def _fits(value, kind, pictures):
    if kind == "rating":
        return type(value) is int and value in RATINGS  # True is an int, but no rating
    return isinstance(value, str) and value in (MAKERS if kind == "human" else pictures)


def _now():
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
