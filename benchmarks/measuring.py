"""Interleaved timing: contenders take turns, so that what the machine does meanwhile meets all of them alike."""

import statistics
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

Work = Callable[[int], object]


class Comparison(NamedTuple):
    """Medians of one task.

    Attributes:
        task: what was done.
        ours: milliseconds of this project.
        peer: name of the peer.
        theirs: milliseconds of the peer.
        target: largest ratio that the project wants, or None.
    """

    task: str
    ours: float
    peer: str
    theirs: float
    target: float | None

    @property
    def ratio(self) -> float:
        """Our time in units of the peer's."""
        return self.ours / self.theirs


def medians(contenders: dict[str, Work], *, rounds: int, warmup: int = 5) -> dict[str, float]:
    """Median milliseconds of each contender; each is called with the round's number, in an order that rotates."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    names = list(contenders)
    for turn in range(-warmup, rounds):
        for name in _rotated(names, turn):
            start = time.perf_counter()
            contenders[name](turn + warmup)
            elapsed = time.perf_counter() - start
            if turn >= 0:
                times[name].append(1e3 * elapsed)
    return {name: statistics.median(each) for name, each in times.items()}


def _rotated(names: list[str], turn: int) -> Iterator[str]:
    yield from names[turn % len(names) :] + names[: turn % len(names)]
