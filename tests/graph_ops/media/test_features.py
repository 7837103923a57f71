"""A medium's tensors in the rows: padding for faulty ones, no more entries than are wanted."""

import pytest
import tensorflow as tf

from graph_ops.faults import Finding
from graph_ops.media.audio import AUDIO
from graph_ops.media.features import item_features, padded_indices
from graph_ops.media.image import IMAGE
from graph_ops.media.slots import MediumBatch, no_slots


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


def test_only_the_wanted_entries_of_an_item_are_kept():
    marks = tf.constant([[[1, 1, 0, 0]]])
    batch = MediumBatch(tf.reshape(tf.range(8.0), [1, 1, 4, 2]), marks, no_slots(tf.constant([1])))
    features = item_features(batch, Finding.none(tf.constant([1])), medium=AUDIO, entries=tf.constant(3))
    assert features["audio_mel"].numpy().tolist() == [[[[0, 1], [2, 3], [4, 5]]]]
    assert features["audio_mel_mask"].numpy().tolist() == [[[1, 1, 0]]]


def test_indices_of_full_width_stay_what_they_are():
    assert padded_indices(tf.constant([[4, 5], [6, 7]]), width=2).numpy().tolist() == [[4, 5], [6, 7]]
    assert padded_indices(tf.zeros([0, 3], tf.int32), width=5).shape == (0, 5)
