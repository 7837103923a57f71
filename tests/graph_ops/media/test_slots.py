"""Slots of files, arrays and features: the same items, whatever they come as."""

import dataclasses
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from graph_ops.config import ImageConfig
from graph_ops.faults import Fault, Finding
from graph_ops.media.audio import AUDIO
from graph_ops.media.image import IMAGE
from graph_ops.media.slots import (
    from_arrays,
    from_counts,
    from_features,
    from_files,
    items_of,
    limit_slots,
    no_slots,
)
from tests.twins.vocabularies import REPEATABLE

CONFIG, PARITY = ImageConfig(max_soft_tokens=2), "keras_hub"
PIXELS = np.random.default_rng(0).integers(0, 256, (9, 9, 3), np.uint8)
PNG = tf.io.encode_png(PIXELS).numpy()


def assert_same(found, expected):
    for one, other in zip(tf.nest.flatten(found), tf.nest.flatten(expected), strict=True):
        np.testing.assert_array_equal(one, other)


def test_files_arrays_and_features_have_the_same_slots():
    how: dict[str, Any] = {"medium": IMAGE, "config": CONFIG, "parity": PARITY}
    files = tf.constant([[PNG, b""], [b"", PNG], [b"", b""]])
    filled = np.array([[1, 0], [0, 1], [0, 0]])
    arrays = tf.constant(PIXELS * filled[:, :, np.newaxis, np.newaxis, np.newaxis].astype(np.uint8))
    sizes = tf.constant(np.stack([9 * filled] * 2, axis=-1), tf.int32)
    expected = from_files(files, **how)
    assert expected.slots.present.numpy().tolist() == filled.astype(bool).tolist()
    assert expected.slots.num_soft_tokens.numpy().tolist() == filled.tolist()
    assert expected.values.shape == (3, 2, 18, 768)
    assert_same(from_arrays(arrays, sizes, **how), expected)
    assert_same(from_features(expected.values, expected.marks, medium=IMAGE, config=CONFIG), expected)
    assert_same(items_of({"images": files}, **how), expected)
    assert_same(items_of({"images": arrays, "image_sizes": sizes}, **how), expected)


def test_a_row_is_reported_with_the_first_fault_of_its_slots():
    files = tf.constant([[PNG, b"no image", b"nor this one"], [b"", b"", PNG]])
    found = from_files(files, medium=IMAGE, config=CONFIG, parity=PARITY).slots
    assert found.finding.fault.numpy().tolist() == [Fault.IMAGE_UNDECODABLE, Fault.NONE]
    assert found.finding.detail.numpy().tolist() == [[8, 0], [0, 0]]
    assert found.present.numpy().tolist() == [[True, True, True], [False, False, True]]
    assert found.num_soft_tokens.numpy().tolist() == [[1, 0, 0], [0, 0, 1]]


def test_the_number_of_slots_is_known_where_that_of_the_input_is():
    def encode_arrays(clips, lengths, **settings):
        return clips, clips[:, :1], lengths, Finding.none(lengths)

    medium = dataclasses.replace(AUDIO, encode_arrays=encode_arrays)
    for rows, slots in ((None, 3), (2, None), (2, 3)):
        specs = tf.TensorSpec([rows, slots, 9], tf.float32), tf.TensorSpec([rows, slots], tf.int32)
        step = tf.function(
            lambda clips, lengths: from_arrays(clips, lengths, medium=medium, config=None, parity=PARITY),
            autograph=False,
        )
        found = step.get_concrete_function(*specs).structured_outputs
        assert found.values.shape.as_list() == [rows, slots, 9]
        assert found.slots.num_soft_tokens.shape.as_list() == [rows, slots]


def test_counts_make_slots_and_a_batch_without_any_has_none():
    found = from_counts(tf.constant([[3, 0]]))
    assert found.present.numpy().tolist() == [[True, False]]
    assert found.finding.fault.numpy().tolist() == [0]
    nothing = no_slots(tf.constant([5, 6]))
    assert nothing.present.shape == nothing.num_soft_tokens.shape == (2, 0)
    assert nothing.present.dtype == tf.bool
    assert nothing.finding.fault.numpy().tolist() == [0, 0]


@REPEATABLE
@given(st.lists(st.lists(st.integers(0, 2), min_size=4, max_size=4), max_size=3), st.integers(0, 6))
def test_slots_are_cut_or_filled_up_and_filled_ones_past_the_most_are_reported(rows, most):
    slots = tf.reshape(tf.constant(rows, tf.int32), [len(rows), 4])
    limited, finding = limit_slots(slots, slots > 0, medium=AUDIO, most=most)
    assert limited.numpy().tolist() == [[*row, 0, 0][:most] for row in rows]
    used = [sum(count > 0 for count in row) if any(row[most:]) else None for row in rows]
    expected = [[int(Fault.AUDIO_LIMIT), count, most] if count is not None else [0, 0, 0] for count in used]
    assert tf.concat([finding.fault[:, tf.newaxis], finding.detail], 1).numpy().tolist() == expected


@pytest.mark.parametrize(("most", "expected"), [(1, [[b"a"]]), (3, [[b"a", b"b", b""]])])
def test_slots_of_files_are_filled_up_with_empty_ones(most, expected):
    files = tf.constant([["a", "b"]])
    limited, _ = limit_slots(files, files != "", medium=IMAGE, most=most)
    assert limited.numpy().tolist() == expected
