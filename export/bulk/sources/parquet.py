"""Parquet: columns of strings, of bytes, or of lists and structs of them."""

import importlib
from collections.abc import Iterator
from typing import Any

from export.bulk.files import folder_of, open_file
from export.bulk.sources.record import FileIndex, Format, Limits, Mark, Record

_BATCH = 16
"""Rows that are read at once; they may hold files."""


def scan(path: str, limits: Limits) -> FileIndex:
    """Counts rows, by the file's end; a mark a row group."""
    del limits
    with open_file(path) as file:
        rows, marks = 0, []
        for group in _groups(_opened(file)):
            marks.append(Mark(rows, 0))
            rows += group
    return FileIndex(path, rows, tuple(marks) or (Mark(0, 0),))


def read(path: str, mark: Mark, stop: int, limits: Limits) -> Iterator[Record]:
    """The rows of the row groups that hold some before `stop`."""
    del limits
    with open_file(path) as file:
        table = _opened(file)
        begin, wanted, number = 0, [], mark.row
        for index, group in enumerate(_groups(table)):
            if begin >= mark.row and begin < stop:
                wanted.append(index)
            begin += group
        for batch in table.iter_batches(batch_size=_BATCH, row_groups=wanted):
            for fields in batch.to_pylist():
                if number >= stop:
                    return
                yield Record(number, fields)
                number += 1


def _opened(file: Any) -> Any:
    try:
        return importlib.import_module("pyarrow.parquet").ParquetFile(file)
    except ImportError:
        raise ImportError("`input`: Parquet is read by pyarrow. Run: pip install pyarrow.") from None


def _groups(table: Any) -> list[int]:
    """Rows of each row group."""
    return [table.metadata.row_group(index).num_rows for index in range(table.num_row_groups)]


PARQUET = Format("parquet", (".parquet", ".pq"), scan, read, folder_of)
