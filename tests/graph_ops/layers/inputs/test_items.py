"""Lists of files and of arrays, padded to slots."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph_ops.layers.inputs.items import is_number, slots_of_lists
from graph_ops.media.audio import AUDIO
from graph_ops.media.image import IMAGE
from tests.twins.vocabularies import REPEATABLE


def image(height, width, level=1):
    return np.full((height, width, 3), level, np.uint8)


@REPEATABLE
@given(st.lists(st.lists(st.binary(min_size=1, max_size=3), max_size=3), min_size=1, max_size=4))
def test_files_stand_in_their_order_and_empty_slots_after_them(rows):
    slots, sizes = slots_of_lists(rows, medium=IMAGE, max_slots=2)
    assert sizes is None
    width = slots.shape[1]
    uniform = len({len(row) for row in rows}) == 1
    assert width == (len(rows[0]) if uniform else max(2, *map(len, rows)))
    assert slots.tolist() == [row + [b""] * (width - len(row)) for row in rows]


@pytest.mark.parametrize(
    ("rows", "shape", "sizes"),
    [
        ([[image(2, 3)], [image(2, 3)]], (2, 1, 2, 3, 3), [[[2, 3]], [[2, 3]]]),
        ([image(2, 3), image(2, 3)], (2, 1, 2, 3, 3), [[[2, 3]], [[2, 3]]]),
        ([image(2, 3), image(4, 1)], (2, 5, 4, 3, 3), [[[2, 3], *[[0, 0]] * 4], [[4, 1], *[[0, 0]] * 4]]),
        ([np.stack([image(2, 3)] * 2)], (1, 2, 2, 3, 3), [[[2, 3], [2, 3]]]),
        ([None, image(2, 3)], (2, 5, 2, 3, 3), [[[0, 0]] * 5, [[2, 3], *[[0, 0]] * 4]]),
        ([[[image(2, 3)], []]], (1, 1, 2, 3, 3), [[[2, 3]]]),
    ],
)
def test_rows_keep_their_number_of_slots_only_if_all_are_alike(rows, shape, sizes):
    slots, found = slots_of_lists(rows, medium=IMAGE, max_slots=5)
    assert slots.shape == shape
    assert found.tolist() == sizes


def test_lists_of_numbers_are_clips():
    slots, sizes = slots_of_lists([[0.5, 1.0], [[0.25]]], medium=AUDIO, max_slots=1)
    assert slots.tolist() == [[[0.5, 1.0]], [[0.25, 0.0]]]
    assert sizes.tolist() == [[2], [1]]


@pytest.mark.parametrize("rows", [[], [None], [[], None]])
def test_no_items_are_files_that_are_not_there(rows):
    slots, sizes = slots_of_lists(rows, medium=AUDIO, max_slots=3)
    assert sizes is None
    assert (slots.shape[0], slots.dtype) == (len(rows), object)
    assert not slots.any()


def test_files_and_arrays_are_not_mixed():
    with pytest.raises(TypeError, match="`images`: files and arrays must not be mixed in one call"):
        slots_of_lists([[b"a"], [image(1, 1)]], medium=IMAGE, max_slots=1)


@pytest.mark.parametrize(
    ("row", "medium", "error", "message"),
    [
        (object(), IMAGE, TypeError, r"`images`: an image is uint8 \[H, W, 3\] .*; got object. Convert it"),
        ([np.zeros((4, 5))], IMAGE, ValueError, r"`images`: .*; got an array of shape \(4, 5\). Reshape it"),
        (np.zeros((1, 1, 4, 5, 3)), IMAGE, ValueError, r"got an array of shape \(1, 1, 4, 5, 3\)"),
        (np.zeros((3, 2, 2)), AUDIO, ValueError, r"`audio`: .*; got an array of shape \(3, 2, 2\)"),
        (np.zeros((4, 5, 4)), IMAGE, ValueError, "must have 3 channels"),
        ("a.wav", AUDIO, TypeError, "a file must be given by its bytes"),
    ],
)
def test_what_is_no_item_is_refused(row, medium, error, message):
    with pytest.raises(error, match=message):
        slots_of_lists([row], medium=medium, max_slots=1)


def test_numbers_are_told_from_what_holds_them():
    assert all(map(is_number, (0, -1.5, True, np.float32(2), np.int8(3))))
    assert not any(map(is_number, (None, "1", b"1", [1], np.zeros(1))))


def test_a_file_is_turned_into_one_that_is_decoded_once():
    seen: list[bytes] = []

    def turned(file: bytes) -> bytes:
        seen.append(file)
        return b"turned"

    medium = dataclasses.replace(IMAGE, decode_on_host=turned)
    files, sizes = slots_of_lists([[b"a", b"b"], b"c"], medium=medium, max_slots=2)
    assert files.tolist() == [[b"turned", b"turned"], [b"turned", b""]]
    assert sizes is None
    assert seen == [b"a", b"b", b"c"]
