"""What the samples of a WAV file are: the `fmt ` chunk, read and judged.

16-bit words: tag, channels, rate (2), bytes a second (2), frame bytes, bits, extra bytes, valid bits,
speakers (2), GUID (8). Source: Microsoft's `mmreg.h`, WAVEFORMATEXTENSIBLE.
"""

from typing import NamedTuple

import tensorflow as tf

from graph_ops.audio.resample import DESIGN
from graph_ops.audio.riff import Riff, text_at

PCM, FLOAT, A_LAW, MU_LAW, EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
"""Format tags. EXTENSIBLE keeps its tag in the first two bytes of a GUID."""
GUID_TAILS = (
    (0x0000, 0x0000, 0x0010, 0x0080, 0xAA00, 0x3800, 0x719B),
    (0x0000, 0x0721, 0x11D3, 0x4486, 0xC1C8, 0x00CA, 0x0000),
)
"""The rest of that GUID as little-endian 16-bit words: xxxxxxxx-0000-0010-8000-00AA00389B71
(KSDATAFORMAT_SUBTYPE), and xxxxxxxx-0721-11D3-8644-C8C1CA000000 (ambisonic B-format).
"""
MIN_SIZE = 16
"""Bytes of the smallest `fmt ` chunk."""

_WORDS = 20
_FLOAT_BITS = (32, 64)
_MOST_BITS = 32


class WavFormat(NamedTuple):
    """A format; unchecked but for `is_supported`. int64 [] but for the flags.

    Attributes:
        tag: that of the GUID for EXTENSIBLE.
        channels: in a sample frame.
        rate: sample frames a second.
        bits: of a sample, as the header says.
        sample_bytes: of a sample in the file.
        is_supported: bool [], whether such samples are decoded.
        is_consistent: bool [], whether the header agrees with itself on the size of a frame.
    """

    tag: tf.Tensor
    channels: tf.Tensor
    rate: tf.Tensor
    bits: tf.Tensor
    sample_bytes: tf.Tensor
    is_supported: tf.Tensor
    is_consistent: tf.Tensor

    @property
    def frame_bytes(self) -> tf.Tensor:
        """int64 [], of a sample of every channel."""
        return self.channels * self.sample_bytes

    @property
    def has_known_tag(self) -> tf.Tensor:
        """Bool [], whether samples under this tag are decoded for some number of bits."""
        return tf.reduce_any(self.tag == (PCM, FLOAT, A_LAW, MU_LAW))


def read_format(encoded: tf.Tensor, riff: Riff) -> WavFormat:
    """The format of a file, string [].

    The size of a sample follows from its bits, as libsndfile has it: the stated size of a frame is 0 or wrong
    in many files. Where it says 4 bytes for samples of 17 to 24 bits it is right.
    """
    words = _read_words(encoded, riff)
    is_extended = (words[0] == EXTENSIBLE) & tf.reduce_any(tf.reduce_all(words[13:] == GUID_TAILS, axis=1))
    tag = tf.where(is_extended, words[12], words[0])
    low, high = (tf.where(riff.is_big_endian, words[3 - i], words[2 + i]) for i in (0, 1))
    channels, rate, frame_bytes, bits = words[1], low + 2**16 * high, words[6], words[7]
    is_companded = (tag == A_LAW) | (tag == MU_LAW)
    in_four_bytes = (tag == PCM) & (bits > 16) & (bits <= 24) & (frame_bytes == 4 * channels)
    sample_bytes = tf.where(in_four_bytes, tf.constant(4, tf.int64), (bits + 7) // 8)
    sample_bytes = tf.where(is_companded, tf.ones_like(bits), sample_bytes)
    is_known = (
        ((tag == PCM) & (bits >= 1) & (bits <= _MOST_BITS))
        | ((tag == FLOAT) & tf.reduce_any(bits == _FLOAT_BITS))
        | is_companded
    )
    is_supported = is_known & (channels > 0) & (rate > 0) & (rate <= DESIGN.max_rate)
    is_consistent = frame_bytes == channels * sample_bytes
    return WavFormat(tag, channels, rate, bits, sample_bytes, is_supported, is_consistent)


def _read_words(encoded: tf.Tensor, riff: Riff) -> tf.Tensor:
    """int64 [20]; what follows the chunk is not its own, and reads as 0."""
    text = text_at(encoded, riff.fmt.start, size=2 * _WORDS)
    codes = tf.reshape(tf.io.decode_raw(text, tf.uint8, fixed_length=2 * _WORDS), [_WORDS, 2])
    weights = tf.where(riff.is_big_endian, tf.constant([256, 1], tf.int64), [1, 256])
    words = tf.reduce_sum(tf.cast(codes, tf.int64) * weights, axis=1)
    return tf.where(tf.range(_WORDS, dtype=tf.int64) < riff.fmt.size // 2, words, 0)
