"""What went through: rows, tokens, media, faults, bytes, seconds. Tallies of shards add up."""

import dataclasses
import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np

from export.outputs import Arrays


@dataclasses.dataclass
class Tally:
    """Counts of a shard, or of a job."""

    rows: int = 0
    """That were written; packed ones count once."""
    samples: int = 0
    """That became rows, or a part of one."""
    tokens: int = 0
    """Of all samples."""
    positions: int = 0
    """Tokens and padding of all rows."""
    bytes: int = 0
    """Of the files of rows."""
    seconds: float = 0.0
    """Of work, of all workers together."""
    media: Counter[str] = dataclasses.field(default_factory=Counter)
    """Items of each medium, by its name."""
    faults: Counter[str] = dataclasses.field(default_factory=Counter)
    """Dead letters by kind."""
    lengths: Counter[int] = dataclasses.field(default_factory=Counter)
    """Samples by their tokens."""

    def count(self, row: Arrays, media: Iterable[tuple[str, int]]) -> None:
        """Counts a sample's row, and items of each medium."""
        tokens = int(np.count_nonzero(row.get("padding_mask", ())))  # a vector has none
        self.samples += 1
        self.tokens += tokens
        self.lengths[tokens] += 1
        self.media.update({name: number for name, number in media if number})

    def count_written(self, positions: int) -> None:
        """Counts a row of a file."""
        self.rows += 1
        self.positions += positions

    def add(self, other: "Tally") -> None:
        """Adds another tally to this one."""
        for field in dataclasses.fields(self):
            mine, theirs = getattr(self, field.name), getattr(other, field.name)
            setattr(self, field.name, mine + theirs)

    @property
    def padding(self) -> float:
        """Share of positions that hold no token."""
        return 1 - self.tokens / self.positions if self.positions else 0.0

    def percentile(self, percent: float) -> int:
        """Tokens that so many percent of the samples have at most."""
        seen, wanted = 0, self.samples * percent / 100
        for length in sorted(self.lengths):
            seen += self.lengths[length]
            if seen >= wanted:
                return length
        return 0

    def to_json(self) -> dict[str, Any]:
        """For a file: every count, keys as JSON has them, in order."""
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return fields | {
            name: {str(key): value for key, value in sorted(fields[name].items())}
            for name in ("media", "faults", "lengths")
        }

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> "Tally":
        """What `to_json` gave."""
        counters = {name: Counter(fields[name]) for name in ("media", "faults")}
        lengths = Counter({int(length): count for length, count in fields["lengths"].items()})
        return cls(**fields | counters | {"lengths": lengths})


def total(texts: Iterable[str]) -> Tally:
    """The tally of all shards, from their marker files."""
    whole = Tally()
    for text in texts:
        whole.add(Tally.from_json(json.loads(text)["tally"]))
    return whole
