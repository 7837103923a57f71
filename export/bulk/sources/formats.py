"""The formats of input as one table, and which one a file has."""

from collections.abc import Iterator

from export.bulk.files import Found
from export.bulk.sources.folders import FOLDER
from export.bulk.sources.json_lines import JSON_LINES
from export.bulk.sources.parquet import PARQUET
from export.bulk.sources.record import FileIndex, Format, Limits, Record, broken_file
from export.bulk.sources.tf_examples import TF_EXAMPLES

FORMATS = {each.name: each for each in (JSON_LINES, PARQUET, TF_EXAMPLES, FOLDER)}
"""By the name on the command line."""


def format_of(found: Found, wanted: str = "") -> Format:
    """The format of a file: the one that is asked for, or the one of its name.

    Raises:
        ValueError: its name says nothing.
    """
    if found.is_folder:
        return FOLDER
    if wanted:
        return FORMATS[wanted]
    for each in FORMATS.values():
        if each.suffixes and found.path.endswith(each.suffixes):
            return each
    known = ", ".join(suffix for each in FORMATS.values() for suffix in each.suffixes[:1])
    raise ValueError(
        f"`input`: a file's name must end with its format ({known}) or be a folder's; got {found.path}. Pass "
        "--input-format."
    )


def scan_file(path: str, format_name: str, limits: Limits) -> FileIndex:
    """How many rows a file has; one that cannot be read has none, and a dead letter."""
    try:
        return FORMATS[format_name].scan(path, limits)
    except ImportError:
        raise
    except Exception as error:  # what a file system or a format raises at a damaged file
        return FileIndex(path, 0, letters=(broken_file(path, error),))


def read_rows(index: FileIndex, format_name: str, start: int, stop: int, limits: Limits) -> Iterator[Record]:
    """The records of a file with the numbers from `start` to `stop`."""
    mark = index.mark_of(start)
    for record in FORMATS[format_name].read(index.path, mark, stop, limits):
        if record.number >= start:
            yield record
