"""Budgets in any form -> int32 [B, K]."""

import numpy as np
import pytest
import tensorflow as tf

from graph_ops.layers.inputs.budgets import as_budgets
from graph_ops.media.image import IMAGE

ITEMS = tf.zeros([2, 3, 5])


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (70, [[70] * 3] * 2),
        ([70, 140], [[70] * 3, [140] * 3]),
        (np.array([[70, 0, 140]] * 2), [[70, 0, 140]] * 2),
        ([[70], [140, None, 280]], [[70, 0, 0], [140, 0, 280]]),
        ([[], 70], [[0, 0, 0], [70, 0, 0]]),
        (tf.constant([[70, 70]] * 2, tf.int64), [[70, 70, 0]] * 2),
    ],
)
def test_budgets_of_a_batch(value, expected):
    found = as_budgets(value, ITEMS, medium=IMAGE, batched=True)
    assert (found.dtype, found.numpy().tolist()) == (tf.int32, expected)


@pytest.mark.parametrize(("value", "expected"), [(70, [[70] * 3]), ([70, None], [[70, 0, 0]])])
def test_budgets_of_one_prompt(value, expected):
    assert as_budgets(value, ITEMS[:1], medium=IMAGE, batched=False).numpy().tolist() == expected


def test_budgets_in_a_graph_follow_slots_that_vary():
    @tf.function(input_signature=[tf.TensorSpec([None, None]), tf.TensorSpec([None, None], tf.int32)])
    def graph(items, given):
        return as_budgets(given, items, medium=IMAGE, batched=True)

    assert graph(ITEMS[..., 0], [[70], [140]]).numpy().tolist() == [[70, 0, 0], [140, 0, 0]]


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (70.0, TypeError, "`max_soft_tokens`: must be whole numbers; got"),
        ([[1.5], [70]], TypeError, "`max_soft_tokens`: must be whole numbers; got"),
        (np.zeros((2, 3, 1), int), ValueError, r"`max_soft_tokens`: must be one number, or one for each"),
        ([[70] * 4, []], ValueError, "must be for items that are there; got 4 for 3 of `images`"),
    ],
)
def test_what_is_no_budget_is_refused(value, error, message):
    with pytest.raises(error, match=message):
        as_budgets(value, ITEMS, medium=IMAGE, batched=True)
