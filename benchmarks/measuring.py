"""Interleaved timing: contenders take turns, so that what the machine does meanwhile meets all of them alike.

A turn is a number of calls in a row, of which the first few do not count: after a matrix product NumPy's BLAS
threads go on spinning for some 20 ms, and a thread pool that has slept needs a few calls to wake up; both
would be charged to whoever comes next.
"""

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
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


CALLS_IN_A_TURN, UNCOUNTED_CALLS = 20, 5
PAUSE_SECONDS = 0.03
"""Before a turn, for the threads of the one before to go to sleep."""


def medians(contenders: dict[str, Work], *, rounds: int) -> dict[str, float]:
    """Median milliseconds of each contender over its counted calls; each call gets its own number, 0 … rounds
    × CALLS_IN_A_TURN - 1.
    """
    times: dict[str, list[float]] = {name: [] for name in contenders}
    names = list(contenders)
    for turn in range(rounds):
        for name in _rotated(names, turn):
            time.sleep(PAUSE_SECONDS)
            for call in range(CALLS_IN_A_TURN):
                start = time.perf_counter()
                contenders[name](turn * CALLS_IN_A_TURN + call)
                elapsed = time.perf_counter() - start
                if turn and call >= UNCOUNTED_CALLS:  # the whole first turn warms up
                    times[name].append(1e3 * elapsed)
    return {name: statistics.median(each) for name, each in times.items()}


def _rotated(names: list[str], turn: int) -> Iterator[str]:
    yield from names[turn % len(names) :] + names[: turn % len(names)]


def compared(
    task: str, contenders: dict[str, Work], rounds: int, targets: Mapping[str, float]
) -> Iterator[Comparison]:
    """Our time beside that of each peer, with the ratio that is wanted of some; `contenders` has "ours"."""
    times = medians(contenders, rounds=rounds)
    for peer in contenders:
        if peer != "ours":
            yield Comparison(task, times["ours"], peer, times[peer], targets.get(peer))
