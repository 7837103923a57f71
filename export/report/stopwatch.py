"""How long the steps of a request take."""

import statistics
import time
from collections.abc import Callable
from typing import NamedTuple, TypeVar

REPEATS = 5
"""Calls that are timed after a signature's first. Ours: enough for a median, and soon over."""
Result = TypeVar("Result")


class Step(NamedTuple):
    """One step.

    Attributes:
        name: what was done.
        seconds: of each time that it was done.
    """

    name: str
    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """Seconds."""
        return statistics.median(self.seconds)


class Stopwatch:
    """Collects the steps that it times, in order."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def once(self, name: str, function: Callable[[], Result]) -> Result:
        """What a function returns; the time until it returned, or raised, is a step."""
        began = time.perf_counter()
        try:
            return function()
        finally:
            self.steps.append(Step(name, (time.perf_counter() - began,)))

    def first_and_repeated(self, name: str, function: Callable[[], Result]) -> Result:
        """What the first call returns, in which a runtime still prepares itself; the calls after it are a
        step of their own.
        """
        result = self.once(f"{name}, first call", function)
        seconds = []
        for _ in range(REPEATS):
            began = time.perf_counter()
            function()
            seconds.append(time.perf_counter() - began)
        self.steps.append(Step(f"{name}, again", tuple(seconds)))
        return result
