"""Steps are timed in order, also one that fails."""

import itertools

import pytest

from export.report import stopwatch
from export.report.stopwatch import REPEATS, Step, Stopwatch


@pytest.fixture
def _clock(monkeypatch):
    """Time goes on by a second whenever somebody looks."""
    ticks = itertools.count()
    monkeypatch.setattr(stopwatch.time, "perf_counter", lambda: float(next(ticks)))


@pytest.mark.usefixtures("_clock")
def test_the_first_call_is_a_step_and_those_after_it_another():
    watch, calls = Stopwatch(), list[int]()
    assert watch.first_and_repeated("adding", lambda: calls.append(1)) is None
    assert len(calls) == 1 + REPEATS
    assert watch.steps == [Step("adding, first call", (1.0,)), Step("adding, again", (1.0,) * REPEATS)]


@pytest.mark.usefixtures("_clock")
def test_a_step_that_fails_is_timed_and_not_repeated():
    def fails():
        raise ValueError("no")

    watch = Stopwatch()
    with pytest.raises(ValueError, match="no"):
        watch.first_and_repeated("failing", fails)
    assert watch.steps == [Step("failing, first call", (1.0,))]


def test_the_median_is_of_all_times():
    assert Step("a", (3.0, 1.0, 9.0)).median == 3.0
