"""Media through a model's encoders: the slots that are filled, and those that are empty."""

from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from export.fusing.encoders import encode_media, encoder_of
from graph_ops.media.audio import AUDIO
from graph_ops.media.image import IMAGE

PATCHES, NUMBERS, DIM = 3, 2, 4


class Encoder:
    """Sums each patch, tells its column, and remembers how many slots it was asked for."""

    def __init__(self):
        self.slots = []

    def __call__(self, given):
        values, positions = given[IMAGE.values], given[IMAGE.marks]
        assert values.shape[2:] == (PATCHES, NUMBERS)
        self.slots.append((values.shape[0], values.shape[1]))
        sums = tf.reduce_sum(values, axis=-1)
        columns = tf.cast(positions[..., 0], tf.float32)
        return tf.stack([sums, columns, sums + 1.0, tf.ones_like(sums)], axis=-1)


def model(encoder):
    return SimpleNamespace(backbone=SimpleNamespace(vision_encoder=encoder, audio_encoder=None))


def features(*filled):
    """Rows of image slots, each filled or not; an empty one holds garbage with marks of padding."""
    rows, slots = np.shape(filled)
    values = np.random.default_rng(0).normal(size=(rows, slots, PATCHES, NUMBERS)).astype(np.float32)
    marks = np.where(np.array(filled)[..., np.newaxis, np.newaxis], [[0, 0], [1, 0], [2, 0]], -1)
    return {
        IMAGE.values: tf.constant(values),
        IMAGE.marks: tf.constant(marks, tf.int32),
        IMAGE.mask: tf.zeros([rows, 8], tf.bool),
        IMAGE.indices: tf.zeros([rows, slots * PATCHES], tf.int32),
    }


ROWS = {
    "all": ([True, True], [True, True]),
    "some": ([True, False], [False, True]),
    "one": ([False, False], [False, True]),
    "none": ([False, False],),
}


def test_an_encoder_is_the_backbones_or_the_models():
    encoder = Encoder()
    assert encoder_of(model(encoder), IMAGE) is encoder
    assert encoder_of(model(encoder).backbone, IMAGE) is encoder
    assert encoder_of(model(encoder), AUDIO) is None
    assert encoder_of(lambda features: features, IMAGE) is None


@pytest.mark.parametrize("case", ROWS)
def test_a_filled_slot_is_the_same_whether_empty_ones_are_skipped_or_not(case):
    given, filled = features(*ROWS[case]), np.array(ROWS[case])
    every, present = (
        encode_media(model(Encoder()), given, skip_empty=skip)["img_embeddings"].numpy()
        for skip in (False, True)
    )
    assert every.shape == present.shape == (*filled.shape, PATCHES, DIM)
    np.testing.assert_array_equal(present[filled], every[filled])
    assert not present[~filled].any()
    assert every[~filled].all()


@pytest.mark.parametrize("case", ROWS)
def test_an_empty_slot_costs_no_encoder(case):
    encoder = Encoder()
    encode_media(model(encoder), features(*ROWS[case]), skip_empty=True)
    count = int(np.sum(ROWS[case]))
    looked, *asked = encoder.slots
    assert looked == (1, 1)
    assert asked == ([(count, 1)] if count else [])


def test_a_traced_batch_of_any_size_has_static_dims_otherwise():
    given = features([True, False])
    specs = {name: tf.TensorSpec([None, *tensor.shape[1:]], tensor.dtype) for name, tensor in given.items()}
    function = tf.function(
        lambda tensors: encode_media(model(Encoder()), tensors, skip_empty=True), input_signature=[specs]
    )
    assert function.get_concrete_function().structured_outputs["img_embeddings"].shape.as_list() == [
        None,
        2,
        PATCHES,
        DIM,
    ]
    assert function(given).keys() == {"img_embeddings", IMAGE.mask, IMAGE.indices}


def test_a_medium_that_the_model_or_the_row_lacks_is_left_out():
    given = features([True])
    assert encode_media(model(None), given, skip_empty=True) == {}
    assert encode_media(model(Encoder()), {"token_ids": tf.zeros([1, 8])}, skip_empty=True) == {}
