import dataclasses
import json

import numpy as np
import pytest

from export.bulk.schema import COUNT, Schema, Stored, Tensor, from_levels, restore, store, tensors_of

IDS = Tensor("token_ids", "int32", (6,), 0, "int32")
PLACES = Tensor("position_ids", "int32", (6,), COUNT, "int32")
PIXELS = Tensor("pixel_values", "float32", (2, 4, 6), 0.0, "uint8", (1 / 255,), (0.0,))
MEL = Tensor("audio_mel", "float32", (1, 5, 3), -6.907755374908447, "float32")


@pytest.mark.parametrize(
    ("tensor", "row", "lengths"),
    [
        (IDS, [2, 5, 0, 7, 0, 0], [4]),
        (IDS, [0] * 6, [0]),
        (PLACES, range(6), [0]),
        (PLACES, [0, 1, 0, 1, 4, 5], [4]),
        (MEL, np.full((1, 5, 3), MEL.padding, np.float32), []),
    ],
    ids=str,
)
def test_what_is_stored_ends_with_the_last_that_is_not_padding(tensor, row, lengths):
    row = np.asarray(row, tensor.dtype)
    stored = store(row, tensor)
    assert stored.lengths.tolist() == lengths
    np.testing.assert_array_equal(restore(stored, tensor), row)


def test_each_item_has_a_length_of_its_own():
    rng = np.random.default_rng(0)
    levels = rng.integers(1, 256, (2, 4, 6)).astype(np.uint8)
    levels[0, 3:] = levels[1, 1:] = 0
    row = from_levels(levels, PIXELS)
    stored = store(row, PIXELS)
    assert (stored.values.dtype, stored.values.shape, stored.lengths.tolist()) == (np.uint8, (4, 6), [3, 1])
    assert restore(stored, PIXELS).tobytes() == row.tobytes()


def test_every_level_of_every_scale_is_the_same_float_again():
    levels = np.arange(256, dtype=np.uint8).repeat(6).reshape(1, 256, 6)
    for scale, offset in (
        ((1 / 255,), (0.0,)),
        ((0.0171, 0.0175, 0.0174), (-2.1, -2.0, -1.8)),
        ((1.0,), (0.0,)),
    ):
        tensor = dataclasses.replace(PIXELS, shape=(1, 256, 6), scale=scale, offset=offset)
        row = from_levels(levels, tensor)
        np.testing.assert_array_equal(restore(store(row, tensor), tensor), row)


def test_pixels_between_levels_are_refused():
    with pytest.raises(ValueError, match=r"`pixels`: pixel_values must be whole levels"):
        store(np.full((2, 4, 6), 0.3, np.float32), PIXELS)


def test_a_schema_is_read_back():
    schema = Schema((IDS, PLACES, PIXELS, MEL), "tfrecord", False, {"model": "x"})
    assert Schema.from_json(schema.to_json()) == schema
    later = json.dumps(json.loads(schema.to_json()) | {"version": 2})
    with pytest.raises(ValueError, match="`schema`: must be of version 1; got 2"):
        Schema.from_json(later)


def test_tensors_are_read_off_a_row_that_ends_with_padding():
    row = {
        "position_ids": np.arange(6, dtype=np.int32),
        "token_ids": np.array([2, 7, 1, 1, 1, 1], np.int32),
        "pixel_values": np.zeros((2, 4, 6), np.float32),
    }
    settings = {"image_converter": {"config": {"scale": 1 / 255, "offset": None}}}
    ids, places, pixels = tensors_of(row, settings, compact=True)
    assert (ids.padding, places.padding, pixels) == (1, COUNT, PIXELS)
    assert tensors_of(row, settings, compact=False)[2].stored == "float32"
    assert (IDS.is_list, PIXELS.is_list, PIXELS.length_name) == (True, False, "pixel_values.lengths")


def test_a_vector_of_floats_has_bytes():
    tensor = Tensor("x", "float32", (3,), 0.0, "float32")
    np.testing.assert_array_equal(restore(Stored(np.ones(2, np.float32), np.array([2])), tensor), [1, 1, 0])
