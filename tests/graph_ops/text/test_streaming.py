"""Which ids wait for the next call."""

import dataclasses
import itertools
import random

import numpy as np
import pytest
import tensorflow as tf

from graph_ops.text.streaming import require_streamable, streamed_ids
from tests.twins.streams import EDGES, decoded_so_far, hostile_ids
from tests.twins.vocabularies import small_vocabulary

VOCABULARY = small_vocabulary("ab", ["<|turn>"])
FIRST = VOCABULARY.find("<0x00>")


def waiting(rows):
    """How many ids wait, of rows [B] of ids that came at once."""
    width = max(map(len, rows), default=0)
    padded = np.array([row + [FIRST + 0xF0] * (width - len(row)) for row in rows], np.int32)
    lengths = tf.constant([len(row) for row in rows])
    zeros, is_last = tf.zeros([len(rows), 3], tf.int32), tf.zeros([len(rows)], tf.bool)
    found = streamed_ids(tf.constant(padded), lengths, zeros, is_last, vocabulary=VOCABULARY)
    kept = tf.reduce_sum(tf.cast(found.keep, tf.int32), axis=1)
    assert (lengths - kept).numpy().tolist() == np.count_nonzero(found.pending, axis=1).tolist()
    for row, pending in zip(rows, found.pending.numpy().tolist(), strict=True):
        assert ([0, 0, 0, *row])[-3:][-np.count_nonzero(pending) or 3 :] == [p for p in pending if p]
    return (lengths - kept).numpy().tolist()


def test_three_bytes_wait_only_if_they_can_become_a_character():
    rows = [[FIRST + byte for byte in found] for found in itertools.product(EDGES, repeat=3)]
    assert len(rows) > 10_000
    assert waiting(rows) == [decoded_so_far(row, VOCABULARY) for row in rows]


def test_what_waits_of_hostile_ids_is_as_little_as_can_be():
    rng = random.Random(0)
    rows = [hostile_ids(rng, VOCABULARY) for _ in range(4_000)]
    assert waiting(rows) == [decoded_so_far(row, VOCABULARY) for row in rows]


def test_nothing_waits_behind_the_last_ids_and_what_waited_comes_out():
    pending = tf.constant([[0, FIRST + 0xF0, FIRST + 0x9F]] * 2)
    empty, zero = tf.zeros([2, 0], tf.int32), tf.constant([0, 0])
    found = streamed_ids(empty, zero, pending, tf.constant([False, True]), vocabulary=VOCABULARY)
    assert found.keep.numpy().tolist() == [[False] * 3, [False, True, True]]
    assert found.pending.numpy().tolist() == [pending[0].numpy().tolist(), [0, 0, 0]]


def test_what_is_no_byte_among_the_pending_ids_is_left_out():
    pending = tf.constant([[-1, len(VOCABULARY), 2**31 - 1], [0, 1, FIRST - 1]])
    ids, one = tf.constant([[FIRST + 256]] * 2), tf.constant([1, 1])
    found = streamed_ids(ids, one, pending, tf.constant([False, False]), vocabulary=VOCABULARY)
    assert found.keep.numpy().tolist() == [[False] * 3 + [True]] * 2
    assert not found.pending.numpy().any()


def test_a_vocabulary_that_drops_a_first_space_is_refused():
    require_streamable(VOCABULARY)
    with pytest.raises(ValueError, match="`tokenizer`: streaming needs a vocabulary that takes texts as"):
        require_streamable(dataclasses.replace(VOCABULARY, keeps_text=False))
