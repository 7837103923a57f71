"""Ids in any form."""

import numpy as np
import pytest
import tensorflow as tf

from graph_ops.layers.inputs.ids import as_rows


@pytest.mark.parametrize(
    ("given", "single", "expected"),
    [
        ([1, 2], True, [[1, 2]]),
        ([], True, [[]]),
        ([[1], [], [2, 3]], False, [[1], [], [2, 3]]),
        (np.array([[1, 2]], np.int64), False, [[1, 2]]),
        (tf.constant([4]), True, [[4]]),
        ([tf.constant(4), 5], True, [[4, 5]]),
        ([tf.constant([4]), np.array([5, 6])], False, [[4], [5, 6]]),
        (tf.ragged.constant([[1], [2, 3]]), False, [[1], [2, 3]]),
    ],
)
def test_ids_become_rows(given, single, expected):
    is_single, rows = as_rows(given)
    assert (is_single, rows.to_list(), rows.dtype) == (single, expected, tf.int32)
