"""Positions that follow each other, against a loop."""

import numpy as np
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from graph_ops.image.formats.file_bytes import steps_through


@tf.function(input_signature=[tf.TensorSpec([None], tf.int32), tf.TensorSpec([], tf.int32)], autograph=False)
def steps(following, start):
    return steps_through(following, start)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 9), max_size=50), st.integers(0, 50))
def test_positions_are_those_of_a_loop(lengths, start):
    total = len(lengths)
    following = np.minimum(np.arange(total) + np.array(lengths, int), total).astype(np.int32)
    at, expected = start, []
    while at < total:
        expected.append(at)
        at = following[at]
    np.testing.assert_array_equal(steps(following, start), expected)
