"""Which rows go into which shard: runs of rows in the order of the files."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from export.bulk.dead_letters import DeadLetter
from export.bulk.job import ROWS_PER_SHARD
from export.bulk.sources.record import FileIndex

_NAMED = 3
"""Of what is wrong, how many are named in an error."""


class Run(NamedTuple):
    """Rows of one file.

    Attributes:
        file: its index, with the mark before `start` alone.
        format: of the file.
        start: number of the first row.
        stop: number after the last row.
    """

    file: FileIndex
    format: str
    start: int
    stop: int


class Shard(NamedTuple):
    """What becomes one file of rows.

    Attributes:
        number: 0 for the first.
        of: how many there are.
        runs: its rows, in order.
        letters: of files that cannot be read; the first shard has them.
    """

    number: int
    of: int
    runs: tuple[Run, ...]
    letters: tuple[DeadLetter, ...]


def plan_shards(
    indexes: Iterable[FileIndex],
    files: Sequence[tuple[str, str]],
    *,
    shards: int | None,
    duplicates: Iterable[tuple[str, list[str]]] = (),
) -> list[Shard]:
    """The shards of a job.

    Args:
        indexes: of the files, in any order.
        files: paths and formats, in the order of the rows.
        shards: how many; None for one for each `ROWS_PER_SHARD` rows.
        duplicates: keys that several rows have, and where.

    Raises:
        ValueError: there are duplicates.
    """
    if twice := sorted(duplicates)[:_NAMED]:
        listed = "; ".join(f"{key!r} in {' and '.join(sorted(places)[:2])}" for key, places in twice)
        raise ValueError(
            f"`key`: must name each row once; found twice: {listed}. Remove those rows, or pass another "
            "--key."
        )
    by_path = {index.path: index for index in indexes}
    ordered = [(by_path[path], name) for path, name in files]
    rows = sum(index.rows for index, _ in ordered)
    count = shards or max(1, -(-rows // ROWS_PER_SHARD))
    letters = tuple(letter for index, _ in ordered for letter in index.letters)
    cuts = [rows * number // count for number in range(count + 1)]
    return [
        Shard(number, count, _runs(ordered, cuts[number], cuts[number + 1]), letters if number == 0 else ())
        for number in range(count)
    ]


def _runs(ordered: Sequence[tuple[FileIndex, str]], start: int, stop: int) -> tuple[Run, ...]:
    runs, begin = [], 0
    for index, name in ordered:
        first, last = max(start - begin, 0), min(stop - begin, index.rows)
        if first < last:
            short = FileIndex(index.path, index.rows, (index.mark_of(first),))
            runs.append(Run(short, name, first, last))
        begin += index.rows
    return tuple(runs)
