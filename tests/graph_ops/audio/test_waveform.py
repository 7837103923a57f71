"""Frames of raw samples: every length, batches, and a number of frames that varies."""

import numpy as np
import pytest
import tensorflow as tf

from graph_ops.audio.encode import encode_audio
from graph_ops.audio.frames import least_samples, num_valid_frames
from graph_ops.audio.soft_tokens import audio_soft_tokens
from graph_ops.audio.waveform import raw_frames
from graph_ops.config import PARITIES, AudioConfig
from graph_ops.faults import Fault
from graph_ops.target import LITERT, TENSORFLOW

CONFIG = AudioConfig(
    features="waveform",
    stride=4,
    frame_length=4,
    frames_per_soft_token=1,
    sampling_rate=40,
    max_audio_length=1,
)


def test_frames_stand_side_by_side_and_end_in_zeros():
    frames = raw_frames(tf.constant([1.0, 2, 3, 4, 5]), num_frames=3, config=CONFIG)
    assert frames.numpy().tolist() == [[1, 2, 3, 4], [5, 0, 0, 0], [0, 0, 0, 0]]
    assert raw_frames(tf.range(9.0), num_frames=1, config=CONFIG).numpy().tolist() == [[0, 1, 2, 3]]
    assert raw_frames(tf.zeros([2, 0]), num_frames=0, config=CONFIG).shape == [2, 0, 4]


def test_a_number_of_frames_that_varies_gives_the_same():
    samples = tf.reshape(tf.range(30.0), [2, 15])

    @tf.function(input_signature=[tf.TensorSpec([None, None]), tf.TensorSpec([], tf.int32)])
    def traced(samples, count):
        frames = raw_frames(samples, num_frames=count, config=CONFIG)
        assert frames.shape.as_list() == [None, None, 4]
        return frames

    for count in range(6):
        fixed = raw_frames(samples, num_frames=count, config=CONFIG)
        np.testing.assert_array_equal(traced(samples, count), fixed)


@pytest.mark.parametrize("target", [TENSORFLOW, LITERT], ids=["TensorFlow", "LiteRT"])
@pytest.mark.parametrize("parity", PARITIES)
def test_a_clip_of_each_length_is_its_samples_and_zeros(parity, target):
    for length in range(50):
        clip = np.arange(1, length + 1, dtype=np.float32)
        padded = np.append(clip, [np.nan] * 3).astype(np.float32)
        found = encode_audio(
            tf.constant([padded]), tf.constant([length]), parity=parity, config=CONFIG, target=target
        )
        expected = np.zeros(CONFIG.max_samples, np.float32)
        expected[: min(length, 40)] = clip[:40]
        np.testing.assert_array_equal(found.values[0], expected.reshape(10, 4))
        used = min(-(-length // 4), 10)
        assert found.mask.numpy()[0].tolist() == [1] * used + [0] * (10 - used)
        assert found.num_soft_tokens.numpy().tolist() == [used]
        assert bool(found.finding.is_clean[0])


def test_one_sample_is_enough_and_counts_need_no_samples():
    assert least_samples(parity="transformers", config=CONFIG) == 1
    lengths = tf.constant([0, 1, 4, 5, 40, 41, 2**31 - 1])
    counts, finding = audio_soft_tokens(lengths, parity="transformers", config=CONFIG)
    assert counts.numpy().tolist() == [0, 1, 1, 2, 10, 10, 10]
    assert bool(tf.reduce_all(finding.is_clean))
    assert (
        num_valid_frames(lengths, parity="keras_hub", config=CONFIG).numpy().tolist()
        == counts.numpy().tolist()
    )


def test_a_clip_with_something_else_than_numbers_is_a_finding_and_silence():
    clips = tf.constant([[1.0, np.inf, 3.0], [1.0, 2.0, 3.0]])
    found = encode_audio(clips, tf.constant([3, 3]), parity="transformers", config=CONFIG)
    assert found.finding.fault.numpy().tolist() == [Fault.AUDIO_VALUE, 0]
    assert not found.values.numpy()[0].any()
    assert found.values.numpy()[1, 0].tolist() == [1, 2, 3, 0]
    assert found.num_soft_tokens.numpy().tolist() == [0, 1]
