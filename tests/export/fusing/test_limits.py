"""What requests say of where their answers end, and what is wrong with it."""

import numpy as np
import pytest
import tensorflow as tf

from export.fusing.limits import INPUTS, MOST_STOP_STRINGS, blanked, limits_of
from graph_ops.faults import Fault, Finding, check, status_messages

ROWS = tf.zeros([3])


def test_a_request_that_says_nothing_gets_what_the_export_allows():
    found = limits_of({}, ROWS, most=7)
    assert found.new_tokens.numpy().tolist() == [7, 7, 7]
    assert found.stops.shape == (3, 0)
    assert status_messages(found.finding).numpy().tolist() == [b"", b"", b""]


@pytest.mark.parametrize("wrong", [-1, 8, np.iinfo(np.int32).min, np.iinfo(np.int32).max])
def test_a_number_out_of_range_is_its_rows_status(wrong):
    given = {"max_new_tokens": tf.constant([0, wrong, 7]), "stop": tf.constant([["a"]] * 3)}
    found = limits_of(given, ROWS, most=7)
    assert found.new_tokens.numpy().tolist() == [7, 7, 7]
    statuses = status_messages(found.finding).numpy().tolist()
    assert statuses[0] == statuses[2] == b""
    assert statuses[1].decode() == (
        f"`max_new_tokens`: must be from 0 to 7, the most that this export allows, which 0 stands for; got "
        f"{wrong}. Ask for fewer, or export with a larger one."
    )
    assert found.stops.numpy().tolist() == [[b"a"], [b""], [b"a"]]


def test_stop_strings_are_utf8():
    stops = tf.constant([["a", b"\xff\xfe"], ["\u540d", ""], [b"\x80", b"\xf0\x9f"]])
    found = limits_of({"stop": stops}, ROWS, most=7)
    assert found.finding.fault.numpy().tolist() == [Fault.STOP_TEXT, 0, Fault.STOP_TEXT]
    assert found.finding.detail.numpy().tolist() == [[1, 2], [0, 0], [0, 1]]
    assert found.stops.numpy().tolist() == [[b"", b""], ["\u540d".encode(), b""], [b"", b""]]
    assert b"the one in place 1, counted from 0, has 2 bytes" in status_messages(found.finding).numpy()[0]


def test_a_row_may_have_so_many_stop_strings_whatever_others_have():
    stops = np.full((3, MOST_STOP_STRINGS + 3), "", object)
    stops[0, :MOST_STOP_STRINGS], stops[1, :], stops[2, -1] = "a", "b", "c"
    found = limits_of({"stop": tf.constant(stops)}, ROWS, most=7)
    assert found.finding.fault.numpy().tolist() == [0, Fault.STOP_COUNT, Fault.STOP_COUNT]
    assert found.stops.shape == (3, MOST_STOP_STRINGS)
    assert found.stops.numpy()[0].tolist() == [b"a"] * MOST_STOP_STRINGS
    assert not b"".join(found.stops.numpy()[1:].ravel())


def test_a_graph_takes_any_number_of_rows_and_strings():
    specs = {name: tf.TensorSpec(given.shape, given.dtype) for name, given in INPUTS.items()}
    limits = tf.function(lambda tensors: limits_of(tensors, tensors["max_new_tokens"], most=7))
    limits = limits.get_concrete_function(specs)
    for rows, strings in ((0, 0), (1, 0), (2, 1), (1, 40)):
        stops = tf.constant(np.full((rows, strings), "", object), tf.string, [rows, strings])
        found = limits(tf.zeros([rows], tf.int32), stops)
        assert found.new_tokens.numpy().tolist() == [7] * rows


def test_rows_with_a_finding_are_empty_to_the_model():
    features = {"token_ids": tf.constant([[2, 5], [2, 6]]), "padding_mask": tf.constant([[True, True]] * 2)}
    features |= {"vision_indices": tf.constant([[1], [1]]), "vision_mask": tf.constant([[False, True]] * 2)}
    found = blanked(features, check(tf.constant([True, False]), Fault.STOP_COUNT, 1, 1), pad=0)
    assert found["token_ids"].numpy().tolist() == [[0, 0], [2, 6]]
    assert found["padding_mask"].numpy().tolist() == [[False, False], [True, True]]
    assert found["vision_indices"].numpy().tolist() == [[0], [1]]
    assert found["vision_mask"].numpy().tolist() == [[False, False], [False, True]]
    same = blanked(features, Finding.none(ROWS[:2]), pad=0)
    assert same["token_ids"].numpy().tolist() == features["token_ids"].numpy().tolist()
