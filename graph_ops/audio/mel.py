"""Magnitudes -> log-mel frames."""

import itertools

import numpy as np
import tensorflow as tf

from graph_ops.audio.frames import windowed_halves
from graph_ops.audio.magnitude import magnitude
from graph_ops.config import AudioConfig
from graph_ops.target import TENSORFLOW, Target

PARALLEL_PARTS = 2
"""Parts that frames are cut into, which TensorFlow then computes side by side. Ours: an FFT op runs on one
core.
"""


def log_mel_spectrogram(
    samples: tf.Tensor, *, num_frames: int | tf.Tensor, config: AudioConfig, target: Target = TENSORFLOW
) -> tf.Tensor:
    """Natural logarithm of the mel magnitude, frame by frame.

    Frame i covers samples 160 i − 160 … 160 i + 159; what lies before the clip or beyond its end reads as 0.
    The steps: periodic Hann window, magnitude of the DFT of 512, mel triangles, log(mel + mel_floor), then
    mean and deviation of each bin if there are any.

    Args:
        samples: float32 [..., T].
        num_frames: int or int32 [], frames to compute.
        config: the numbers of the spectrogram.
        target: where it runs. TensorFlow is within 1e-6 of the references, LiteRT within 5e-5; see
            `magnitude_by_fft` and `magnitude_by_matmul` for why plain float32 is not enough.

    Returns:
        float32 [..., num_frames, num_mels].
    """
    first, second = windowed_halves(samples, num_frames, config=config)
    leading = tf.shape(first)[:-1]
    # One matrix product over all rows is faster than one for each: [..., num_frames, 160] → [rows, 160].
    first, second = (tf.reshape(half, [-1, config.stride]) for half in (first, second))

    def log_mel_of(rows: slice) -> tf.Tensor:
        spectrum = magnitude(first[rows], second[rows], config=config, target=target)
        mel = tf.matmul(spectrum, linear_to_mel_weight_matrix(config=config))
        return _normalise(tf.math.log(mel + config.mel_floor), config=config)

    parts = PARALLEL_PARTS if target.parallel_ops else 1
    bounds = [tf.shape(first)[0] * part // parts for part in range(parts + 1)]
    log_mel = tf.concat([log_mel_of(slice(begin, end)) for begin, end in itertools.pairwise(bounds)], 0)
    log_mel = tf.reshape(log_mel, tf.concat([leading, [config.num_mels]], 0))
    log_mel.set_shape(
        [*samples.shape[:-1], num_frames if isinstance(num_frames, int) else None, config.num_mels]
    )
    return log_mel


def linear_to_mel_weight_matrix(*, config: AudioConfig) -> np.ndarray:
    """Triangles that sum a magnitude spectrum into mel bins, float32 [num_fft_bins // 2 + 1, num_mels], for
    use while tracing.

    Corners are equally spaced in mel = 2595 log10(1 + f / 700), the HTK scale, from `min_frequency` to
    `max_frequency`; each triangle rises from 0 at its left corner to 1 at the next one and falls to 0 at the
    one after; no area normalisation. Source: The HTK Book, 5.4; both references use it. Computed in float64.
    """
    low, high = 2595 * np.log10(1 + np.array([config.min_frequency, config.max_frequency]) / 700)
    corners = 700 * (10 ** (np.linspace(low, high, config.num_mels + 2) / 2595) - 1)
    hertz = np.arange(config.num_fft_bins // 2 + 1)[:, np.newaxis] * (
        config.sampling_rate / config.num_fft_bins
    )
    left, peak, right = corners[:-2], corners[1:-1], corners[2:]
    rising, falling = (hertz - left) / (peak - left), (right - hertz) / (right - peak)
    return np.maximum(0, np.minimum(rising, falling)).astype(np.float32)


def silent_frame(*, config: AudioConfig) -> np.ndarray:
    """The log-mel frame of silence, float32 [num_mels]: log(mel_floor), less the mean, over the deviation."""
    floor = np.full(config.num_mels, np.log(config.mel_floor))
    mean = 0 if config.per_bin_mean is None else np.asarray(config.per_bin_mean)
    stddev = 1 if config.per_bin_stddev is None else np.asarray(config.per_bin_stddev)
    return ((floor - mean) / stddev).astype(np.float32)


def _normalise(log_mel: tf.Tensor, *, config: AudioConfig) -> tf.Tensor:
    if config.per_bin_mean is not None:
        log_mel = log_mel - np.asarray(config.per_bin_mean, np.float32)
    if config.per_bin_stddev is not None:
        log_mel = log_mel / np.asarray(config.per_bin_stddev, np.float32)
    return log_mel
