"""Log-mel frames of any waveform, and the triangles behind them."""

import numpy as np
import pytest
import tensorflow as tf

from graph_ops.audio.mel import linear_to_mel_weight_matrix, log_mel_spectrogram, silent_frame
from graph_ops.config import AudioConfig
from graph_ops.target import LITERT, TENSORFLOW
from tests.graph_ops.audio.sounds import CONFIG, SIGNALS, TOLERANCE
from tests.twins import audio as twin


def test_mel_weights_equal_their_definition(extractor, converter):
    weights = linear_to_mel_weight_matrix(config=CONFIG)
    assert weights.shape == (257, 128)
    assert weights.dtype == np.float32
    np.testing.assert_allclose(weights, twin.mel_weights(), atol=1e-6)
    np.testing.assert_allclose(weights, extractor.mel_filters, atol=1e-6)
    np.testing.assert_allclose(weights, converter.mel_filters, atol=1e-6)


def test_log_mel_takes_any_leading_dims_and_reads_zeros_beyond_the_end():
    samples = SIGNALS["noise"](2 * 3 * 700).reshape(2, 3, 700)
    result = log_mel_spectrogram(tf.constant(samples), num_frames=8, config=CONFIG)
    assert result.shape == [2, 3, 8, 128]
    np.testing.assert_allclose(result[1, 2], twin.log_mel(samples[1, 2], 8), atol=TOLERANCE)
    one = log_mel_spectrogram(tf.constant(samples[1, 2]), num_frames=2, config=CONFIG)
    np.testing.assert_allclose(one, result[1, 2, :2], rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("target", [TENSORFLOW, LITERT], ids=lambda target: target.name)
def test_silence_gives_the_silent_frame(target):
    config = AudioConfig(num_mels=2, per_bin_mean=(1.0, -2.0), per_bin_stddev=(0.5, 4.0), mel_floor=0.01)
    silent = silent_frame(config=config)
    np.testing.assert_allclose(silent, [(np.log(0.01) - 1) / 0.5, (np.log(0.01) + 2) / 4], rtol=1e-6)
    found = log_mel_spectrogram(tf.zeros([1, 480]), num_frames=3, config=config, target=target)
    np.testing.assert_allclose(found[0], [silent] * 3, rtol=1e-6)


@pytest.mark.parametrize(("rows", "num_frames"), [(0, 3), (1, 1), (2, 0)])
def test_no_rows_and_no_frames_keep_the_other_dims(rows, num_frames):
    for count in (num_frames, tf.constant(num_frames)):
        found = log_mel_spectrogram(tf.ones([rows, 200]), num_frames=count, config=CONFIG)
        assert found.shape == (rows, num_frames, 128)


def test_a_tone_is_loudest_in_the_bin_around_its_frequency():
    weights = linear_to_mel_weight_matrix(config=CONFIG)
    for hertz in (500, 2_000, 7_000):
        tone = np.sin(2 * np.pi * hertz / CONFIG.sampling_rate * np.arange(960)).astype(np.float32)
        frame = log_mel_spectrogram(tf.constant(tone), num_frames=4, config=CONFIG)[2]
        line = hertz * CONFIG.num_fft_bins // CONFIG.sampling_rate
        assert weights[line - 1 : line + 2, int(np.argmax(frame))].any()
