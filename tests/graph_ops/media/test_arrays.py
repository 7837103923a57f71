"""Items of several sizes side by side."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from graph_ops.media.arrays import pack_items
from graph_ops.media.audio import AUDIO
from graph_ops.media.image import IMAGE
from tests.twins.vocabularies import REPEATABLE


def test_images_are_packed_to_the_largest():
    rows = [[np.ones((2, 5, 3), np.uint8)], [np.full((4, 1, 3), 2, np.uint8), np.ones((1, 1, 3), np.uint8)]]
    packed, sizes = pack_items(rows, medium=IMAGE, slots=2)
    assert packed.shape == (2, 2, 4, 5, 3)
    assert packed.dtype == np.uint8
    assert sizes.tolist() == [[[2, 5], [0, 0]], [[4, 1], [1, 1]]]
    assert packed[1, 0, :, 0, 0].tolist() == [2, 2, 2, 2]
    assert packed.sum() == 2 * 5 * 3 + 2 * 4 * 3 + 3


def test_clips_are_packed_with_their_lengths():
    packed, sizes = pack_items([[np.ones(3, np.float32)], []], medium=AUDIO, slots=1)
    assert packed.tolist() == [[[1, 1, 1]], [[0, 0, 0]]]
    assert sizes.tolist() == [[3], [0]]


def test_no_items_still_have_the_mediums_dtype():
    packed, sizes = pack_items([[], []], medium=AUDIO, slots=1)
    assert (packed.dtype, packed.shape) == (np.float32, (2, 1, 1))
    assert not sizes.any()


@REPEATABLE
@given(st.lists(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=3), max_size=3))
def test_every_item_is_found_again_at_its_size_and_the_rest_is_zeros(sizes):
    rows = [
        [np.full((*size, 3), 1 + k + 3 * b, np.uint8) for k, size in enumerate(row)]
        for b, row in enumerate(sizes)
    ]
    packed, found = pack_items(rows, medium=IMAGE, slots=3)
    assert (packed.shape[:2], found.shape) == ((len(rows), 3), (len(rows), 3, 2))
    for b, row in enumerate(rows):
        for k, item in enumerate(row):
            height, width = found[b, k]
            np.testing.assert_array_equal(packed[b, k, :height, :width], item)
        assert not packed[b, len(row) :].any()
    assert packed.sum() == sum(item.sum() for row in rows for item in row)


def test_a_dtype_that_holds_all_items_is_taken():
    packed, _ = pack_items([[np.ones(2, np.float32), np.ones(1)]], medium=AUDIO, slots=2)
    assert packed.dtype == np.float64
