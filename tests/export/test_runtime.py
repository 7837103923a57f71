"""What every place that a preprocessor runs in has, and rows cut to their lengths."""

import inspect
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from export.litert.runtime import CompiledModelRuntime, InterpreterRuntime
from export.runtime import Runtime, cut
from export.saved_model.runtime import SavedModelRuntime
from export.verify.eager import EagerRuntime
from tests.twins.vocabularies import REPEATABLE

PLACES: list[Any] = [CompiledModelRuntime, EagerRuntime, InterpreterRuntime, SavedModelRuntime]


@pytest.mark.parametrize("place", PLACES)
def test_every_place_answers_every_question(place):
    questions = [name for name in vars(Runtime) if not name.startswith("_")]
    assert {"tokenize", "detokenize", "postprocess", "row"} <= set(questions)
    for name in questions:
        assert inspect.signature(getattr(place, name)) == inspect.signature(getattr(Runtime, name))


def test_every_place_has_a_name_of_its_own():
    assert len({place.name for place in PLACES}) == len(PLACES)
    assert all(place.name for place in PLACES)


@REPEATABLE
@given(st.lists(st.lists(st.integers(1, 99), max_size=5), max_size=5))
def test_what_was_padded_is_cut_to_what_it_was(rows):
    padded = np.zeros((len(rows), 5), np.int32)
    for place, row in enumerate(rows):
        padded[place, : len(row)] = row
    assert [row.tolist() for row in cut(padded, np.array([len(row) for row in rows], int))] == rows


def test_a_length_for_each_row_is_needed():
    with pytest.raises(ValueError, match="shorter"):
        cut(np.zeros((2, 3)), np.array([1]))
