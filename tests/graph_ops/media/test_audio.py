"""The medium audio: counts from masks, sizes of its tensors, both kinds of items."""

import numpy as np
import pytest
import tensorflow as tf

from graph_ops.config import AudioConfig, RowConfig
from graph_ops.media.audio import AUDIO
from graph_ops.target import LITERT, TENSORFLOW

CONFIG = AudioConfig(max_audio_length=1)


def test_soft_tokens_are_counted_from_masks():
    mask = tf.sequence_mask([[0, 1, 4], [5, 99, 100]], 100, tf.int32)
    assert AUDIO.count(mask, CONFIG).numpy().tolist() == [[0, 1, 1], [2, 25, 25]]


def test_a_clip_takes_as_many_soft_tokens_as_it_has():
    for parity in ("keras_hub", "transformers"):
        assert AUDIO.fixed_soft_tokens(RowConfig(parity=parity)) is None
    assert AUDIO.block(RowConfig(), CONFIG) == 25
    assert AUDIO.frames_per_soft_token is not None
    assert AUDIO.frames_per_soft_token(CONFIG) == 4


def test_sizes_follow_from_rows_and_configuration():
    config = AudioConfig(max_audio_length=2, num_mels=16)
    assert AUDIO.dims(RowConfig(max_audio_clips_per_prompt=3), config) == {
        "A": 3,
        "F": 200,
        "M": 16,
        "N": 150,
    }


@pytest.mark.parametrize(("parity", "target"), [("keras_hub", TENSORFLOW), ("transformers", LITERT)])
def test_files_and_arrays_have_the_same_frames_and_as_many_as_are_counted(parity, target):
    samples = np.round(np.random.default_rng(0).uniform(-1, 1, 1_700) * 2**15) / 2**15
    samples = samples.astype(np.float32)
    files = tf.stack([tf.audio.encode_wav(samples[:, np.newaxis], 16_000), ""])
    arrays, lengths = tf.stack([samples, np.full_like(samples, np.nan)]), tf.constant([1_700, 0])
    found = AUDIO.encode_files(files, config=CONFIG, parity=parity)
    again = AUDIO.encode_arrays(arrays, lengths, config=CONFIG, parity=parity, target=target)
    np.testing.assert_allclose(again.values, found.values, rtol=0, atol=5e-5)
    np.testing.assert_array_equal(again.mask, found.mask)
    counts = AUDIO.count(again.mask[tf.newaxis], CONFIG)[0]
    np.testing.assert_array_equal(counts, again.num_soft_tokens)
    assert found.num_soft_tokens.numpy().tolist() == [3, 0]
