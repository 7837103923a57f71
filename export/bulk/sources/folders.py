"""Folders: the files of one sample have the same name up to its first point.

cat.jpg  cat.txt            an image and its prompt
dog.0.jpg  dog.1.jpg  dog.txt  dog.response.txt
bird.json  bird.wav         fields as in JSON Lines, and a clip
"""

import itertools
import json
from collections.abc import Iterator
from typing import Any

from export.bulk.dead_letters import RowFault
from export.bulk.files import listed, read_file
from export.bulk.sources.record import Fields, FileIndex, Format, Limits, Mark, Record

MEDIA_SUFFIXES = {
    "images": (".jpg", ".jpeg", ".png", ".gif", ".bmp", ".webp", ".heic", ".avif", ".tif", ".tiff"),
    "audio": (".wav", ".wave", ".mp3", ".flac", ".ogg"),
}
"""Of files that are a medium, by its argument."""


def scan(path: str, limits: Limits) -> FileIndex:
    """Counts samples."""
    del limits
    return FileIndex(path, len(_groups(path)))


def read(path: str, mark: Mark, stop: int, limits: Limits) -> Iterator[Record]:
    """The samples by name."""
    for number, names in enumerate(_groups(path)[mark.row : stop], mark.row):
        try:
            yield Record(number, _fields(path, names, limits))
        except RowFault as fault:
            yield Record(number, fault)


def _groups(path: str) -> list[list[str]]:
    names = (name for name in listed(path) if not name.startswith("."))
    known = [name for name in names if _kind(name)]
    return [list(group) for _, group in itertools.groupby(sorted(known, key=_order), key=_stem)]


def _order(name: str) -> tuple[str, str]:
    return _stem(name), name


def _stem(name: str) -> str:
    return name.partition(".")[0]


def _kind(name: str) -> str:
    lower = name.lower()
    if lower.endswith(".json"):
        return "fields"
    if lower.endswith(".txt"):
        return "responses" if lower.endswith(".response.txt") else "prompts"
    return next((kind for kind, suffixes in MEDIA_SUFFIXES.items() if lower.endswith(suffixes)), "")


def _fields(path: str, names: list[str], limits: Limits) -> Fields:
    fields: dict[str, Any] = {"name": _stem(names[0])}
    for name in names:
        kind = _kind(name)
        if kind in MEDIA_SUFFIXES:
            fields.setdefault(kind, []).append(name)
            continue
        text = _text(f"{path.rstrip('/')}/{name}", limits)
        fields |= _object(text, name) if kind == "fields" else {kind: text}
    return fields


def _text(path: str, limits: Limits) -> bytes:
    try:
        return read_file(path, limits.row_bytes)
    except OverflowError:
        raise RowFault("too_large", f"`max_row_bytes`: {path} has more than {limits.row_bytes:,}.") from None
    except OSError as error:
        raise RowFault("unreadable", f"`input`: a file must be readable; {path}: {error}.") from None


def _object(text: bytes, name: str) -> dict[str, Any]:
    try:
        fields = json.loads(text)
    except ValueError as error:
        raise RowFault("record", f"`input`: {name} must be JSON: {error}. Correct it.") from None
    if not isinstance(fields, dict):
        raise RowFault("record", f"`input`: {name} must hold an object; got {type(fields).__name__}.")
    return fields


FOLDER = Format("folder", (), scan, read, str)
