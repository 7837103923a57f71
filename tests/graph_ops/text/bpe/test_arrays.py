"""Moves within tensors."""

import numpy as np
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from graph_ops.text.bpe.arrays import earlier, later, places
from tests.twins.vocabularies import REPEATABLE

NUMBERS = st.lists(st.integers(-(2**31), 2**31 - 1), max_size=12)


@REPEATABLE
@given(NUMBERS, st.integers(1, 5))
def test_values_move_and_the_rest_is_filled(numbers, by):
    values = tf.constant(numbers, tf.int32, [len(numbers)])
    assert later(values, by, 7).numpy().tolist() == ([7] * by + numbers)[: len(numbers)]
    assert later(values, tf.constant(by), 7).numpy().tolist() == ([7] * by + numbers)[: len(numbers)]
    assert earlier(values, by, 7).numpy().tolist() == (numbers + [7] * by)[by:]


@REPEATABLE
@given(st.lists(st.booleans(), max_size=20))
def test_places_are_those_of_true(flags):
    found = places(tf.constant(flags, tf.bool, [len(flags)]))
    assert found.dtype == tf.int32
    assert found.numpy().tolist() == np.flatnonzero(np.array(flags, bool)).tolist()
    assert later(tf.constant(flags, tf.bool, [len(flags)]), 1, True).dtype == tf.bool
