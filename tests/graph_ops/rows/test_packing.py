"""Truncation and packing, against their slow twins."""

import random

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from graph_ops.rows.packing import Segment, next_token_labels, pack_rows, truncated_lengths
from tests.graph_ops.rows.padded import padded
from tests.twins import rows as twin
from tests.twins.vocabularies import REPEATABLE


def test_truncation_equals_taking_turns_for_every_small_case():
    cases = np.array([(p, r, f) for p in range(12) for r in range(12) for f in range(p + 1)], np.int32)
    for budget in range(12):
        some = cases[cases[:, 2] <= budget]
        kept = truncated_lengths(
            tf.constant(some[:, 0]), tf.constant(some[:, 1]), budget=budget, floor=tf.constant(some[:, 2])
        )
        expected = [twin.take_turns(p, r, budget, f) for p, r, f in some.tolist()]
        assert np.stack(kept, axis=-1).tolist() == [list(pair) for pair in expected]


@pytest.mark.parametrize("start", [None, 2])
@pytest.mark.parametrize("end", [None, 1])
def test_packing_equals_the_twin(start, end):
    draw = random.Random(0)
    prompts = [[draw.randrange(3, 90) for _ in range(draw.randrange(6))] for _ in range(30)]
    responses = [[draw.randrange(3, 90) for _ in range(draw.randrange(5))] for _ in range(30)]
    rows = pack_rows(
        Segment(*padded(prompts)),
        Segment(*padded(responses)),
        keep=tf.ones([30], tf.bool),
        sequence_length=13,
        start_id=start,
        end_id=end,
        pad_id=0,
    )
    for b, (prompt, response) in enumerate(zip(prompts, responses, strict=True)):
        row, mask = twin.pack(prompt, response, 13, start, end, 0)
        assert rows.token_ids[b].numpy().tolist() == row
        assert rows.response_mask[b].numpy().tolist() == mask
        assert int(tf.reduce_sum(tf.cast(rows.padding_mask[b], tf.int32))) == len(prompt) + len(response) + (
            start is not None
        ) + (end is not None)


def test_labels_are_the_successors_and_weigh_on_the_response():
    rows = pack_rows(
        Segment(*padded([[5, 6]] * 2)),
        Segment(*padded([[7]] * 2)),
        keep=tf.constant([True, False]),
        sequence_length=7,
        start_id=2,
        end_id=1,
        pad_id=9,
    )
    inputs, y, sample_weight = next_token_labels(rows)
    assert inputs.token_ids.numpy().tolist() == [[2, 5, 6, 7, 1, 9], [9] * 6]
    assert y.numpy().tolist() == [[5, 6, 7, 1, 9, 9], [9] * 6]
    assert sample_weight.numpy().tolist() == [[False, False, True, True, False, False], [False] * 6]


@REPEATABLE
@given(st.integers(0, 2**30), st.integers(0, 2**30), st.integers(0, 2**20), st.floats(0, 1))
def test_no_place_is_left_empty_while_there_are_tokens_for_it(prompt, response, budget, share):
    floor = int(share * min(prompt, budget))
    kept = truncated_lengths(
        tf.constant([prompt]), tf.constant([response]), budget=budget, floor=tf.constant([floor])
    )
    of_prompt, of_response = (int(part[0]) for part in kept)
    assert floor <= of_prompt <= prompt
    assert 0 <= of_response <= response
    assert of_prompt + of_response == min(budget, prompt + response)


def test_no_rows_are_packed_into_no_rows():
    nothing = Segment(tf.zeros([0, 0], tf.int32), tf.zeros([0], tf.int32))
    rows = pack_rows(
        nothing, nothing, keep=tf.zeros([0], tf.bool), sequence_length=4, start_id=2, end_id=1, pad_id=0
    )
    assert [part.shape for part in rows] == [(0, 4)] * 3
