"""Frames -> magnitudes of their spectrum, by an FFT or, where there is none, by matrix products."""

import numpy as np
import tensorflow as tf

from graph_ops.config import AudioConfig
from graph_ops.target import Target

_GRID = 2.0**8
"""Steps per unit of the coarse numbers in `magnitude_by_matmul`: two such factors and a sum of 160 (a full
window's) take 24 bits.
"""


def magnitude(first: tf.Tensor, second: tf.Tensor, *, config: AudioConfig, target: Target) -> tf.Tensor:
    """Magnitude of the DFT of windowed frames.

    Args:
        first: float32 [rows, 160], the first half of each frame.
        second: float32 [rows, 160], the second half.
        config: FFT and frame length.
        target: whether there are an FFT and float64.

    Returns:
        float32 [rows, num_fft_bins // 2 + 1].
    """
    by = magnitude_by_fft if target.fft and target.float64 else magnitude_by_matmul
    return by(first, second, config=config)


def magnitude_by_fft(first: tf.Tensor, second: tf.Tensor, *, config: AudioConfig) -> tf.Tensor:
    """Magnitude of the DFT of frames in two halves [rows, 160], float32 [rows, num_fft_bins // 2 + 1], by a
    float64 FFT.

    In float32 a loud tone (magnitude 80) leaves rounding noise of about 1e-6 in every bin, which beside
    mel_floor = 1e-3 moves a quiet bin's logarithm by 3e-3; both references transform in float64. What comes
    out may be rounded: a magnitude is a relative thing.
    """
    zeros = tf.zeros([tf.shape(first)[0], config.num_fft_bins - config.frame_length])
    frames = tf.cast(tf.concat([first, second, zeros], 1), tf.float64)
    spectrum = tf.cast(tf.signal.rfft(frames, [config.num_fft_bins]), tf.complex64)
    return tf.sqrt(tf.square(tf.math.real(spectrum)) + tf.square(tf.math.imag(spectrum)))


def magnitude_by_matmul(first: tf.Tensor, second: tf.Tensor, *, config: AudioConfig) -> tf.Tensor:
    """The same by float32 matrix products, for devices that have neither an FFT nor float64.

    *Half the size.* A magnitude does not change when time is shifted, so time 0 may lie in the frame's
    middle, x[160]. Then the cosines see only the frame's even part and the sines only its odd part, each of
    160 numbers:

        after[m]  = x[160 + m],  m = 0 … 159
        before[m] = x[160 − m]               x[160] is in both; x[0], where the window is 0, is in neither

    *Twice the precision.* Samples and coefficients are each split into a coarse part, a multiple of 2⁻⁸, and
    a small rest:

        x · c = coarse x · coarse c  +  x · rest of c  +  rest of x · coarse c

    The first product, the large one, is a sum of multiples of 2⁻¹⁶ below 2⁸ and so exact in float32's 24 bits
    (up to full scale; louder input only loses precision); the other two are 2⁻⁸ as large, and so are their
    rounding errors.
    """
    before, after = tf.reverse(tf.concat([first[:, 1:], second[:, :1]], 1), [1]), second
    coarse_before, coarse_after = tf.round(before * _GRID) / _GRID, tf.round(after * _GRID) / _GRID
    rest_before, rest_after = before - coarse_before, after - coarse_after
    real = _split_product(coarse_after + coarse_before, rest_after + rest_before, _cosines(config))
    imaginary = _split_product(coarse_after - coarse_before, rest_after - rest_before, _sines(config))
    return tf.sqrt(tf.square(real) + tf.square(imaginary))


def _split_product(coarse: tf.Tensor, rest: tf.Tensor, matrix: np.ndarray) -> tf.Tensor:
    """(coarse + rest) @ matrix with the large product exact; float32 [rows, 160] and float64 [160, bins] to
    float32 [rows, bins].
    """
    coarse_matrix = np.round(matrix * _GRID) / _GRID
    rest_matrix = (matrix - coarse_matrix).astype(np.float32)
    coarse_matrix = coarse_matrix.astype(np.float32)
    small = tf.matmul(coarse + rest, rest_matrix) + tf.matmul(rest, coarse_matrix)
    return tf.matmul(coarse, coarse_matrix) + small


def _angles(config: AudioConfig) -> np.ndarray:
    """2 π m k / 512 for times m = 0 … 159 from a frame's middle and bins k = 0 … 256, float64 [160, 257]."""
    times, bins = np.arange(config.stride)[:, np.newaxis], np.arange(config.num_fft_bins // 2 + 1)
    return 2 * np.pi * (times * bins % config.num_fft_bins) / config.num_fft_bins


def _cosines(config: AudioConfig) -> np.ndarray:
    once = np.where(np.arange(config.stride) == 0, 0.5, 1)  # the middle sample is in both halves
    return np.cos(_angles(config)) * once[:, np.newaxis]


def _sines(config: AudioConfig) -> np.ndarray:
    return np.sin(_angles(config))
