"""What every format gives: records by their number, and how many a file has."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from export.bulk.dead_letters import DeadLetter, RowFault

Fields = Mapping[str, Any]
"""A record, by the names of its fields."""
MARK_EVERY = 256
"""Rows from one mark of a file to the next: what is passed over, at most, to reach a row."""


class Record(NamedTuple):
    """One row of a file.

    Attributes:
        number: 0 for the first.
        fields: by name, or why there are none.
    """

    number: int
    fields: Fields | RowFault


class Mark(NamedTuple):
    """A place in a file where reading may begin.

    Attributes:
        row: number of the row there.
        offset: bytes before it.
    """

    row: int
    offset: int


class FileIndex(NamedTuple):
    """How many rows a file has, and where some of them are.

    Attributes:
        path: of the file.
        rows: how many, faulty ones included.
        marks: where reading may begin, rising; the first is row 0's.
        letters: what of the file cannot be read.
    """

    path: str
    rows: int
    marks: tuple[Mark, ...] = (Mark(0, 0),)
    letters: tuple[DeadLetter, ...] = ()

    def mark_of(self, row: int) -> Mark:
        """The last mark at a row or before it."""
        return max((mark for mark in self.marks if mark.row <= row), default=Mark(0, 0))


class Limits(NamedTuple):
    """What a reader may take into memory.

    Attributes:
        row_bytes: of one row.
    """

    row_bytes: int


class Format(NamedTuple):
    """One format of input.

    Attributes:
        name: on the command line.
        suffixes: of its files.
        scan: (path, limits) -> how many rows it has; raises what the file system or the format does.
        read: (path, mark, stop, limits) -> the records from a mark on, up to number `stop`.
        folder: path -> what relative paths in it begin at.
    """

    name: str
    suffixes: tuple[str, ...]
    scan: Callable[[str, Limits], FileIndex]
    read: Callable[[str, Mark, int, Limits], Iterator[Record]]
    folder: Callable[[str], str]


def broken_file(path: str, error: Exception, where: str = "") -> DeadLetter:
    """The dead letter of a file, or of what follows in it."""
    reason = f"`input`: a file must be readable{where}; {path}: {type(error).__name__}: {error}".split("\n")[
        0
    ]
    return DeadLetter("", path, "unreadable", f"{reason}. Write it again.")
