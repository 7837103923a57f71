"""The bytes of a WAV file's samples -> floats."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from graph_ops.audio.wav_format import A_LAW, FLOAT, MU_LAW, PCM, WavFormat

KINDS = ((PCM, 1), (PCM, 2), (PCM, 3), (PCM, 4), (FLOAT, 4), (FLOAT, 8), (A_LAW, 1), (MU_LAW, 1))
"""What is decoded, as (tag, bytes of a sample); `_decoders` has one function for each, in this order."""


def to_float(raw: tf.Tensor, wav: WavFormat, *, is_big_endian: tf.Tensor) -> tf.Tensor:
    """Interleaved samples as float32 [frames × channels].

    Integers of fewer bits than their bytes hold stand at the upper end of them, as Microsoft has it, so full
    scale is 2^(8 × bytes − 1) whatever the bits; the most negative integer is −1. Samples of 17 to 24 bits in
    4 bytes stand at either end: at the lower one, where ALSA puts them, if all of them fit into 24 bits.
    Floats keep their value.

    Args:
        raw: string [], whole sample frames; empty for a format that is not supported.
        wav: the format.
        is_big_endian: bool [], whether the highest byte of a sample comes first.
    """
    kind = tf.argmax(tf.reduce_all(tf.stack([wav.tag, wav.sample_bytes]) == KINDS, axis=1))
    index = tf.cast(kind, tf.int32) + tf.where(is_big_endian, len(KINDS), 0)
    little, big = (_decoders(raw, wav.bits, little_endian=little) for little in (True, False))
    return tf.switch_case(index, [*little, *big])


def _decoders(raw: tf.Tensor, bits: tf.Tensor, *, little_endian: bool) -> list[Callable[[], tf.Tensor]]:
    def read(dtype: tf.DType) -> tf.Tensor:
        return tf.io.decode_raw(raw, dtype, little_endian=little_endian)

    def integers(dtype: tf.DType) -> tf.Tensor:
        return tf.cast(read(dtype), tf.float32) / 2 ** (8 * dtype.size - 1)

    def integers_24() -> tf.Tensor:
        # A zero byte below the three makes an int32 of 256 times the value: [n, 3] → [n, 4] → [n].
        codes = tf.reshape(read(tf.uint8), [-1, 3])
        low_first = tf.pad(codes if little_endian else codes[:, ::-1], [[0, 0], [1, 0]])
        return tf.cast(tf.bitcast(low_first, tf.int32), tf.float32) / 2**31

    def integers_32() -> tf.Tensor:
        values = read(tf.int32)
        fits = tf.reduce_all((values >= -(2**23)) & (values < 2**23))
        scale = tf.where((bits <= 24) & fits, 2.0**23, 2.0**31)
        return tf.cast(values, tf.float32) / scale

    return [
        lambda: integers(tf.uint8) - 1,
        lambda: integers(tf.int16),
        integers_24,
        integers_32,
        lambda: tf.cast(read(tf.float32), tf.float32),
        lambda: tf.cast(read(tf.float64), tf.float32),
        lambda: tf.gather(A_LAW_VALUES, tf.cast(read(tf.uint8), tf.int32)),
        lambda: tf.gather(MU_LAW_VALUES, tf.cast(read(tf.uint8), tf.int32)),
    ]


def _a_law_values() -> np.ndarray:
    """float32 [256], of each code. Source: ITU-T G.711, table 1."""
    codes = np.arange(256) ^ 0x55  # every other bit is inverted
    exponent, mantissa = codes >> 4 & 7, codes & 15
    # 16 steps of 2^exponent / 2, and as many below the first; the value is the middle of its step
    magnitude = np.where(exponent > 0, (2 * mantissa + 33) << np.maximum(exponent - 1, 0), 2 * mantissa + 1)
    return (np.where(codes & 0x80, magnitude, -magnitude) * 8 / 2**15).astype(np.float32)


def _mu_law_values() -> np.ndarray:
    """float32 [256], of each code. Source: ITU-T G.711, table 2."""
    codes = ~np.arange(256) & 0xFF
    exponent, mantissa = codes >> 4 & 7, codes & 15
    magnitude = ((2 * mantissa + 33) << exponent) - 33
    return (np.where(codes & 0x80, -magnitude, magnitude) * 4 / 2**15).astype(np.float32)


A_LAW_VALUES, MU_LAW_VALUES = _a_law_values(), _mu_law_values()
"""float32 [256]: the sample in -1…1 that each code stands for."""
