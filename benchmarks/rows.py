"""Tables that go on where they stopped: a row that has scores is not trained again."""

import argparse
import time
from pathlib import Path


def new_parser(doc, out):
    """Returns a parser with the options that these tables share; `out` is their run folder."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("--steps", type=int, default=1_500, help="of each training")
    parser.add_argument("--minutes", type=float, help="begin no training after this time")
    parser.add_argument("--out", type=Path, default=Path(out))
    return parser


def missing(rows, known, minutes=None):
    """Yields and prints the rows that are not known yet, until the time is over.

    Args:
        rows: Dictionaries without scores.
        known: Those that are done, with their `scores`.
        minutes: Time after which no row is begun; `None` for all the time there is.
    """
    started = time.monotonic()
    done = [{key: value for key, value in row.items() if key != "scores"} for row in known]
    for row in rows:
        if row in done:
            continue
        if minutes and time.monotonic() - started > 60 * minutes:
            print("The time is over; the same command goes on.")
            return
        print(*row.values())
        yield row
