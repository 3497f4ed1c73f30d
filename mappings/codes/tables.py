"""Reads the committed code tables: CSV files whose leading ``#`` lines state their source and date.

The tables are part of the package and are read once, when their module is imported; a broken table stops the program
there, and not at the message that would have needed it.
"""

import csv
from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import Final

LIST_SEPARATOR: Final = "|"


class TableError(ValueError):
    """A committed table that contradicts itself: a bug in the table, never in a message."""


def read_table(name: str) -> list[dict[str, str]]:
    """Return the rows of ``mappings/codes/<name>.csv`` as written, keyed by column.

    Raises ``TableError`` for a table without a source, or a row with too few or too many cells.
    """
    lines = files("mappings.codes").joinpath(f"{name}.csv").read_text(encoding="utf-8").splitlines()
    header = [line for line in lines if line.startswith("#")]
    if not any("Source:" in line for line in header) or not any("Date:" in line for line in header):
        raise TableError(f"{name}.csv states no source or date")
    rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    for number, row in enumerate(rows, start=1):
        if None in row or None in row.values():
            raise TableError(f"{name}.csv row {number} has another number of cells than its header")
    return rows


def split(cell: str) -> tuple[str, ...]:
    """Return the values of a cell that holds several."""
    return tuple(part.strip() for part in cell.split(LIST_SEPARATOR) if part.strip())


def index(name: str, pairs: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    """Return word -> value. Raises ``TableError`` when one word leads to two values."""
    found: dict[str, str] = {}
    for word, value in pairs:
        if found.setdefault(word, value) != value:
            raise TableError(f"{name}.csv gives {word!r} two meanings")
    return found


def fold(word: str) -> str:
    """Return the form in which words are compared: lower case, single spaces, no outer space or full stop."""
    return " ".join(word.casefold().split()).strip(" .")
