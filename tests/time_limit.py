"""A time after which no test begins: `pytest --seconds N`, for machines that must not take for ever.

Files then run in an order that differs from commit to commit: what a slow machine leaves out has its turn on
another day.
"""

import hashlib
import os
import subprocess
import time
from collections.abc import Sequence
from typing import Any

import pytest

END = "GEMMA4_TESTS_END"
"""When no more tests begin, in seconds since the epoch; in the environment, which xdist's workers inherit."""
REASON = "its time was over (--seconds)"


def begin(seconds: float | None) -> None:
    """From now on, for this process and those that it starts."""
    if seconds is None:
        os.environ.pop(END, None)
    else:
        os.environ[END] = str(time.time() + seconds)


def skip_if_over() -> None:
    """Skips the test that is about to be set up, if it is too late for it."""
    if time.time() > float(os.environ.get(END, "inf")):
        pytest.skip(REASON)


def in_turns(items: list[pytest.Item]) -> list[pytest.Item]:
    """The tests of a file together, and files in the order of this commit."""
    if END not in os.environ:
        return items
    commit = subprocess.run(("git", "rev-parse", "HEAD"), capture_output=True, check=False).stdout
    turn = {path: hashlib.sha256(commit + bytes(path)).digest() for path in {item.path for item in items}}
    return sorted(items, key=lambda item: turn[item.path])


def left_out(reports: Sequence[Any]) -> int:
    """How many of the skipped tests, by pytest's reports, had no time."""
    return sum(REASON in str(report.longrepr) for report in reports)
