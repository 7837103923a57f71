"""Both ways to a frame's spectrum, beside NumPy's FFT in float64."""

import numpy as np
import pytest
import tensorflow as tf

from graph_ops.audio.magnitude import magnitude, magnitude_by_fft, magnitude_by_matmul
from graph_ops.config import AudioConfig
from graph_ops.target import LITERT, TENSORFLOW

CONFIG = AudioConfig()
HALF = CONFIG.frame_length // 2


def frames():
    draw = np.random.default_rng(0)
    time = np.arange(CONFIG.frame_length)
    signals = [draw.normal(size=time.size), np.sin(0.3 * time), np.zeros(time.size), np.ones(time.size)]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * time / CONFIG.frame_length)
    return (np.array(signals) * window).astype(np.float32)


@pytest.mark.parametrize(
    ("by", "tolerance"),
    [
        (magnitude_by_fft, 1e-5),  # rounded to float32 after the transform: 2⁻²⁴ of magnitudes up to 80
        (magnitude_by_matmul, 1e-4),  # sums of 160 float32 products of rests up to 2⁻⁹
    ],
)
def test_magnitudes_are_those_of_a_float64_transform(by, tolerance):
    given = frames()
    expected = np.abs(np.fft.rfft(given.astype(np.float64), CONFIG.num_fft_bins))
    found = by(tf.constant(given[:, :HALF]), tf.constant(given[:, HALF:]), config=CONFIG)
    assert found.dtype == tf.float32
    np.testing.assert_allclose(found.numpy(), expected, rtol=0, atol=tolerance)


def test_a_target_without_an_fft_gets_matrix_products():
    def ops(target):
        step = tf.function(
            lambda first, second: magnitude(first, second, config=CONFIG, target=target), autograph=False
        )
        graph = step.get_concrete_function(*[tf.TensorSpec([None, HALF])] * 2).graph
        return {operation.type for operation in graph.get_operations()}

    assert "RFFT" in ops(TENSORFLOW)
    assert "RFFT" not in ops(LITERT)
    assert "MatMul" in ops(LITERT)
