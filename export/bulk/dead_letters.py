"""Rows and files that give no row: which, and why. They never end a job."""

import json
import re
from collections.abc import Iterable
from typing import NamedTuple

KINDS = {
    "unreadable": "a file or a medium that cannot be read",
    "record": "a row that its file's format does not allow",
    "columns": "a row without the fields of the others, or with fields of another type",
    "too_large": "a row with more bytes than `--max-row-bytes`",
}
"""What may be wrong before the model has a row; what the model refuses is `status:` and the argument."""


class RowFault(Exception):
    """Why a row gives no row.

    Attributes:
        kind: of `KINDS`, or `status:` and the name of an argument.
        reason: for people.
    """

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(kind, reason)
        self.kind, self.reason = kind, reason


class DeadLetter(NamedTuple):
    """One row, or file, that gives no row.

    Attributes:
        key: of the row; "" for a file.
        source: the file, and `#` and the number of the row.
        kind: see `RowFault`.
        reason: for people.
    """

    key: str
    source: str
    kind: str
    reason: str


def status_fault(status: str) -> RowFault:
    """The fault of a row that the model refuses, from its `status`."""
    named = re.match(r"`(\w+)`", status)
    return RowFault(f"status:{named[1] if named else 'row'}", status)


def as_json_lines(letters: Iterable[DeadLetter]) -> str:
    """The file of dead letters: a JSON object a line."""
    text = "".join(json.dumps(letter._asdict(), ensure_ascii=False) + "\n" for letter in letters)
    return text.encode("utf-8", "backslashreplace").decode()  # lone surrogates, as JSON escapes them


def from_json_lines(text: str) -> list[DeadLetter]:
    """What `as_json_lines` wrote."""
    return [DeadLetter(**json.loads(line)) for line in text.split("\n") if line]
