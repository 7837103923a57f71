"""What the table of media says agrees with features, settings and faults; items are packed by it."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from graph_ops.config import RowConfig
from graph_ops.faults import SENTENCES, Finding
from graph_ops.features import FEATURES
from graph_ops.media.arrays import pack_items
from graph_ops.media.audio import AUDIO
from graph_ops.media.features import item_features, padded_indices
from graph_ops.media.image import IMAGE
from graph_ops.media.slots import MediumBatch
from graph_ops.media.table import MEDIA

FIELDS = {field.name for field in dataclasses.fields(RowConfig)}


@pytest.mark.parametrize("medium", MEDIA, ids=lambda medium: medium.name)
def test_a_medium_names_features_settings_and_faults_that_exist(medium):
    named = {feature.name: feature for feature in FEATURES}
    for name in (medium.values, medium.marks, medium.indices, medium.mask):
        assert named[name].group == medium.group
    assert medium.slots in FIELDS
    assert medium.num_slots(RowConfig()) > 0
    assert {medium.count_fault, medium.limit_fault} <= set(SENTENCES)
    assert medium.config().max_soft_tokens > 0
    assert medium.item_shape[: medium.varying] == (None,) * medium.varying


def test_no_two_media_share_a_name():
    for attribute in ("name", "argument", "sizes", "group", "values", "marks", "slots", "count_fault"):
        assert len({getattr(medium, attribute) for medium in MEDIA}) == len(MEDIA)


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


@pytest.mark.parametrize(
    ("medium", "sizes", "filled"),
    [(IMAGE, [[[0, 0], [0, 3], [2, 2]]], [[False, True, True]]), (AUDIO, [[0, 4]], [[False, True]])],
    ids=lambda value: getattr(value, "name", ""),
)
def test_a_slot_is_filled_if_its_item_has_a_size(medium, sizes, filled):
    assert medium.is_filled(tf.constant(sizes)).numpy().tolist() == filled


@pytest.mark.parametrize(("medium", "padding"), [(IMAGE, -1), (AUDIO, 0)], ids=["image", "audio"])
def test_a_faulty_row_holds_padding_only(medium, padding):
    values, marks = tf.ones([2, 1, 3, 4]), tf.ones([2, 1, 3], tf.int32)
    finding = Finding(tf.constant([0, 3]), tf.zeros([2, 2], tf.int32))
    batch = MediumBatch(*([values, marks] + [None] * (len(MediumBatch._fields) - 2)))
    features = item_features(batch, finding, medium=medium, entries=None)
    assert features[medium.values].numpy()[0].all()
    assert not features[medium.values].numpy()[1].any()
    assert (features[medium.marks].numpy()[1] == padding).all()
    assert (features[medium.marks].numpy()[0] == 1).all()


def test_indices_are_filled_up_with_zeros():
    padded = padded_indices(tf.constant([[4, 5]]), width=4)
    assert padded.numpy().tolist() == [[4, 5, 0, 0]]
    assert padded.shape[1] == 4
