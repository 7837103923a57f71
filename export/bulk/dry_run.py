"""What a job will weigh, from a few of its rows, spread over all."""

import dataclasses
import os
import random
import shutil
import time
from collections.abc import Callable
from typing import Any

from export.bulk.dead_letters import DeadLetter
from export.bulk.files import is_uri
from export.bulk.job import ROWS_PER_SHARD, Prepared
from export.bulk.model import Model
from export.bulk.plan import Run
from export.bulk.shards import ShardWork
from export.bulk.sinks import as_example
from export.bulk.sources.formats import scan_file
from export.bulk.statistics import Tally


@dataclasses.dataclass(frozen=True)
class Estimate:
    """What a few rows say of all."""

    rows: int
    """Of the input."""
    tally: Tally
    """Of the rows that were tried."""
    tried: int
    """How many those are, faulty ones included."""
    letters: tuple[DeadLetter, ...]
    """Of those, and of files that cannot be read."""
    free: int | None
    """Bytes that the output's disk has; None for a store."""
    shards: int
    """Files of rows."""

    @property
    def bytes(self) -> int:
        """Of all rows."""
        return round(self.tally.bytes * self.rows / self.tried) if self.tried else 0

    @property
    def rows_per_second(self) -> float:
        """Of one worker with the threads of this process."""
        return self.tried / self.tally.seconds if self.tally.seconds else 0.0

    @property
    def fits(self) -> bool:
        """Whether the disk has room."""
        return self.free is None or self.bytes < self.free

    def to_json(self) -> dict[str, Any]:
        """For scripts."""
        return {
            "rows": self.rows,
            "tried": self.tried,
            "shards": self.shards,
            "bytes": self.bytes,
            "free": self.free,
            "rows_per_second": self.rows_per_second,
            "padding": self.tally.padding,
            "percentiles": {percent: self.tally.percentile(percent) for percent in (50, 90, 99, 100)},
            "tally": self.tally.to_json(),
            "dead_letters": [letter._asdict() for letter in self.letters],
        }


def estimate(prepared: Prepared, model: Model, rows: int, report: Callable[[str], None]) -> Estimate:
    """Counts all rows, and tries a few; nothing is written.

    Args:
        prepared: the job.
        model: of the job.
        rows: how many to try.
        report: called with a line before each step.
    """
    job = prepared.job
    indexes = []
    for path, name in prepared.files:
        report(f"counting rows of {path}")
        indexes.append((scan_file(path, name, job.limits), name))
    total = sum(index.rows for index, _ in indexes)
    runs, begin, wanted = list[Run](), 0, _spread(total, rows)
    for index, name in indexes:
        inside = [place - begin for place in wanted if begin <= place < begin + index.rows]
        runs += [Run(index, name, place, place + 1) for place in inside]
        begin += index.rows
    report(f"trying {len(wanted)} rows")
    sizes: list[int] = []
    work = ShardWork(prepared, model, [letter for index, _ in indexes for letter in index.letters])
    begun = time.monotonic()
    work.run(runs, lambda key, row: sizes.append(len(as_example(key, row, prepared.written))))
    work.tally.seconds, work.tally.bytes = time.monotonic() - begun, sum(sizes)
    shards = job.shards or max(1, -(-total // ROWS_PER_SHARD))
    return Estimate(total, work.tally, len(wanted), tuple(work.letters), _free(job.output), shards)


def _spread(total: int, rows: int) -> list[int]:
    """Numbers of rows from everywhere, the same each time, and in step with no period of the rows."""
    return sorted(random.Random(0).sample(range(total), min(total, rows)))


def _free(output: str) -> int | None:
    if is_uri(output):
        return None
    folder = os.path.abspath(os.path.dirname(output) or ".")
    while not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    return shutil.disk_usage(folder).free
