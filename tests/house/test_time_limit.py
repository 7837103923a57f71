"""`--seconds`: what begins too late is left out, counted, and had its turn on another commit."""

import itertools
import os
import pathlib
import types

import pytest

from tests import time_limit


@pytest.fixture
def limit(monkeypatch):
    """`limit(seconds)`, undone after the test."""
    monkeypatch.setenv(time_limit.END, os.environ.get(time_limit.END, "inf"))
    return time_limit.begin


def item(path):
    return types.SimpleNamespace(path=pathlib.Path(path))


def test_a_test_begins_until_its_time_is_over(limit):
    for seconds in (None, 60):
        limit(seconds)
        time_limit.skip_if_over()
    limit(-1)
    with pytest.raises(pytest.skip.Exception, match="its time was over"):
        time_limit.skip_if_over()


def test_without_a_limit_tests_stay_in_order(limit):
    items = [item("b"), item("a")]
    limit(None)
    assert time_limit.in_turns(items) is items


def test_a_file_stays_whole_and_commits_differ_in_the_order(limit, monkeypatch):
    limit(60)
    items = [item(f"test_{number % 9}.py") for number in range(27)]
    orders = []
    for commit in (b"a", b"b"):
        answer = types.SimpleNamespace(stdout=commit)
        monkeypatch.setattr(time_limit.subprocess, "run", lambda *_, answer=answer, **__: answer)
        found = [one.path for one in time_limit.in_turns(items)]
        assert [path for path, _ in itertools.groupby(found)] == found[::3]
        orders.append(found)
    assert sorted(orders[0]) == sorted(orders[1])
    assert orders[0] != orders[1]


def test_what_had_no_time_is_counted():
    reasons = time_limit.REASON, "no vocabulary"
    reports = [types.SimpleNamespace(longrepr=("file", 1, f"Skipped: {reason}")) for reason in reasons]
    assert time_limit.left_out(reports) == 1
