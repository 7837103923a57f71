"""Whole rows beside those of KerasHub's class: a right runtime passes, one that is off does not."""

import sys

import pytest

from export.verify.rows import rows
from tests.export.verify.rig import Asked, Off, subject


def off(output):
    return lambda right: Off(right, output=output)


def test_each_tensor_of_a_text_is_a_line_and_one_that_is_off_fails_alone():
    pytest.importorskip("keras_hub")
    runtimes = [lambda right: right, off("token_ids"), off("padding_mask")]
    results = list(rows(subject(sequence_length=64, runtimes=runtimes)))
    assert [result.step for result in results] == ["row: padding_mask", "row: token_ids"] * 3
    assert [result.differing for result in results] == [0, 0, 0, 1, 1, 0]
    assert {(result.compared, result.reference) for result in results} == {(64, "keras_hub's class")}


def test_rows_of_the_other_parity_have_no_line():
    assert list(rows(subject(parity="transformers", runtimes=[Asked]))) == []


def test_without_keras_hub_nothing_is_run(monkeypatch):
    monkeypatch.setitem(sys.modules, "keras_hub", None)
    (result,) = rows(subject(runtimes=[Asked]))
    assert (result.step, result.skipped) == ("whole rows", "keras-hub is not installed")
