"""JSON Lines: an object a line, plain or compressed."""

import bz2
import gzip
import importlib
import json
from collections.abc import Callable, Iterator, Mapping
from typing import BinaryIO, NamedTuple

from export.bulk.dead_letters import RowFault
from export.bulk.files import folder_of, open_file
from export.bulk.sources.record import (
    MARK_EVERY,
    FileIndex,
    Format,
    Limits,
    Mark,
    Record,
    broken_file,
)

_CHUNK = 1 << 20


def _zstd(file: BinaryIO) -> BinaryIO:
    return (
        importlib.import_module("zstandard").ZstdDecompressor().stream_reader(file, read_across_frames=True)
    )


_DECOMPRESSORS: dict[str, Callable[[BinaryIO], BinaryIO]] = {
    ".gz": lambda file: gzip.GzipFile(fileobj=file),  # type: ignore[dict-item, return-value]
    ".bz2": lambda file: bz2.BZ2File(file),  # type: ignore[dict-item, return-value]
    ".zst": _zstd,
}


class _Line(NamedTuple):
    number: int
    offset: int
    text: bytes | None  # None for one that is too long


def scan(path: str, limits: Limits) -> FileIndex:
    """Counts lines; of a file that breaks off, those before."""
    marks, rows, letters = [], 0, []
    can_begin_anywhere = not _is_compressed(path)
    try:
        for line in _lines(path, Mark(0, 0), limits):
            if can_begin_anywhere and line.number % MARK_EVERY == 0:
                marks.append(Mark(line.number, line.offset))
            rows = line.number + 1
    except (OSError, EOFError, ValueError) as error:
        letters.append(broken_file(path, error, f" to its end, from row {rows} on"))
    return FileIndex(path, rows, tuple(marks) or (Mark(0, 0),), tuple(letters))


def read(path: str, mark: Mark, stop: int, limits: Limits) -> Iterator[Record]:
    """The records of lines; empty lines are none."""
    if mark.row >= stop:
        return
    for line in _lines(path, mark, limits):
        if line.text is None or line.text.strip():
            yield Record(line.number, _fields(line.text, limits))
        if line.number + 1 >= stop:
            return


def _fields(text: bytes | None, limits: Limits) -> Mapping | RowFault:
    if text is None:
        return RowFault(
            "too_large",
            f"`max_row_bytes`: a line must have at most {limits.row_bytes:,} bytes; got more. Keep media in "
            "files of their own, or raise --max-row-bytes.",
        )
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError) as error:
        return RowFault("record", f"`input`: a line must be JSON: {error}. Correct it.")
    if not isinstance(fields, dict):
        return RowFault("record", f"`input`: a line must be an object; got {type(fields).__name__}.")
    return fields


def _lines(path: str, mark: Mark, limits: Limits) -> Iterator[_Line]:
    with open_file(path) as raw:
        file = next((make(raw) for end, make in _DECOMPRESSORS.items() if path.endswith(end)), raw)
        if mark.offset:
            file.seek(mark.offset)
        number, begin = mark
        kept, length = b"", 0  # of the line that has begun; what is beyond the limit is counted, not kept
        while chunk := file.read(_CHUNK):
            *ended, rest = chunk.split(b"\n")
            for text in ended:
                length += len(text)
                yield _Line(number, begin, kept + text if length <= limits.row_bytes else None)
                number, begin = number + 1, begin + length + 1
                kept, length = b"", 0
            length += len(rest)
            kept = kept + rest if length <= limits.row_bytes else b""
        if length:
            yield _Line(number, begin, kept if length <= limits.row_bytes else None)


def _is_compressed(path: str) -> bool:
    return path.endswith(tuple(_DECOMPRESSORS))


SUFFIXES = (".jsonl", ".ndjson", ".json")
JSON_LINES = Format(
    "jsonl",
    (*SUFFIXES, *(f"{suffix}{end}" for suffix in SUFFIXES for end in _DECOMPRESSORS)),
    scan,
    read,
    folder_of,
)
