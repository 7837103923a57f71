"""Media in any form as slots of a batch."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from graph_ops.layers.inputs.slots import as_slots, is_single
from graph_ops.media.audio import AUDIO
from graph_ops.media.image import IMAGE
from tests.twins.vocabularies import REPEATABLE

PIXELS = np.arange(2 * 4 * 3, dtype=np.uint8).reshape(2, 4, 3)
CLIP = np.array([0.5, -1.0, 0.25], np.float32)


def slots(value, sizes=None, *, medium=IMAGE, rows=None, most=2):
    found = as_slots(value, sizes, medium=medium, rows=rows, max_slots=most)
    return {name: tensor.numpy().tolist() for name, tensor in found.items()}


IMAGES = {
    "array": PIXELS,
    "floats": PIXELS.astype(np.float32),
    "int64": PIXELS.astype(np.int64),
    "tensor": tf.constant(PIXELS),
    "list": [PIXELS],
    "tuple": (PIXELS,),
    "slot": PIXELS[np.newaxis],
    "nested": [[PIXELS]],
    "ragged": tf.RaggedTensor.from_tensor(PIXELS, ragged_rank=2),
}


@pytest.mark.parametrize("form", IMAGES)
def test_one_image_is_one_slot_in_every_form(form):
    found = slots(IMAGES[form], most=None)
    assert found == {"images": [[PIXELS.tolist()]], "image_sizes": [[[2, 4]]]}
    assert is_single(IMAGES[form], medium=IMAGE) == (form in ("array", "floats", "int64", "tensor", "ragged"))


@pytest.mark.parametrize("form", [CLIP, CLIP.astype(np.float64), CLIP.tolist(), tf.constant(CLIP)], ids=type)
def test_one_clip_is_one_slot_in_every_form(form):
    expected = {"audio": [[CLIP.tolist()]], "audio_lengths": [[3]]}
    assert slots(form, medium=AUDIO) == slots(form, medium=AUDIO, most=None) == expected
    assert is_single(form, medium=AUDIO)
    assert not is_single([form], medium=AUDIO)


@REPEATABLE
@given(st.binary(min_size=1, max_size=9).filter(lambda data: data[-1]))
def test_files_are_slots_of_strings(data):
    for form in (data, bytearray(data), memoryview(data), np.bytes_(data), tf.constant(data)):
        assert slots(form) == {"images": [[data]]}
        assert is_single(form, medium=IMAGE)
    for form in ([data], tf.constant([data]), np.array([data], object), np.array([data])):
        assert slots(form) == slots(form, rows=1) == {"images": [[data]]}


def test_one_axis_more_means_slots_of_a_prompt_and_rows_of_a_batch():
    two = np.stack([PIXELS, PIXELS])
    assert slots(two)["image_sizes"] == [[[2, 4], [2, 4]]]
    assert slots(two, rows=2)["image_sizes"] == [[[2, 4]], [[2, 4]]]
    assert slots(two[:, np.newaxis], rows=2)["image_sizes"] == [[[2, 4]], [[2, 4]]]


def test_sizes_of_padded_arrays_are_the_callers():
    assert slots(PIXELS, [1, 2])["image_sizes"] == [[[1, 2]]]
    assert slots(np.stack([PIXELS] * 2), [[1, 2], [0, 0]], rows=2)["image_sizes"] == [[[1, 2]], [[0, 0]]]
    assert slots(CLIP, 2, medium=AUDIO)["audio_lengths"] == [[2]]


def test_ragged_tensors_have_the_size_of_each_item():
    images = tf.ragged.stack(
        [
            tf.RaggedTensor.from_tensor(PIXELS[:height, :width], ragged_rank=2)
            for height, width in ((2, 1), (1, 4))
        ]
    )
    found = slots(images, rows=2)
    assert found["image_sizes"] == [[[2, 1], [0, 0]], [[1, 4], [0, 0]]]
    assert found["images"][0][0][1] == [PIXELS[1, 0].tolist(), *[[0] * 3] * 3]
    one_a_row = tf.RaggedTensor.from_row_lengths(np.concatenate([PIXELS, PIXELS[:1]]), [2, 0, 1])
    assert slots(one_a_row, rows=3, most=1)["image_sizes"] == [[[2, 4]], [[0, 0]], [[1, 4]]]
    clips = tf.ragged.constant([[[0.5, 1.0], []], [[0.25]]])
    assert slots(clips, medium=AUDIO, rows=2)["audio_lengths"] == [[2, 0], [1, 0]]
    files = tf.ragged.constant([["a", "b"], []])
    assert slots(files, rows=2) == {"images": [[b"a", b"b"], [b"", b""]]}


@pytest.mark.parametrize(
    ("value", "medium", "rows", "error", "message"),
    [
        (
            PIXELS[0],
            IMAGE,
            None,
            ValueError,
            r"`images`: must be items, .*; got shape \(4, 3\) for one prompt. Reshape",
        ),
        (
            np.zeros((1, 1, 2, 4, 3), np.uint8),
            IMAGE,
            None,
            ValueError,
            "after at most a slot axis .* for one prompt",
        ),
        (np.zeros((1, 1, 1, 2, 4, 3), np.uint8), IMAGE, 1, ValueError, "for a batch of prompts. Reshape it"),
        (
            PIXELS + 0.5,
            IMAGE,
            None,
            ValueError,
            "`images`: pixels must be whole numbers in 0…255; got float64",
        ),
        (
            PIXELS.astype(np.int16) - 1,
            IMAGE,
            None,
            ValueError,
            "whole numbers in 0…255; got int16 with others",
        ),
        (
            PIXELS.astype(np.int64) + 250,
            IMAGE,
            None,
            ValueError,
            "whole numbers in 0…255; got int64 with others",
        ),
        (
            np.array([1, 2]),
            AUDIO,
            None,
            TypeError,
            r"`audio`: samples must be floats in -1…1; got int64. Divide",
        ),
        (np.array(["a.wav"]), AUDIO, 1, TypeError, "`audio`: a file must be given by its bytes"),
    ],
)
def test_what_is_no_medium_is_refused(value, medium, rows, error, message):
    with pytest.raises(error, match=message):
        slots(value, medium=medium, rows=rows)


def test_pixels_of_a_graph_are_checked_when_it_runs():
    step = tf.function(
        lambda image: as_slots(image, medium=IMAGE, rows=None, max_slots=1)["images"], autograph=False
    )
    assert step(tf.constant(PIXELS, tf.float32)).numpy().tolist() == [[PIXELS.tolist()]]
    with pytest.raises(tf.errors.InvalidArgumentError, match="pixels must be whole numbers"):
        step(tf.constant(PIXELS, tf.float32) / 2)
