"""WAV bytes to mono samples, in the graph and without ever raising.

A RIFF WAVE file is `RIFF` size `WAVE`, then chunks, each an id of four bytes, a size and that many bytes,
padded to an even length:

    offset  0      4      8      12      16     20               20 + n + n % 2
            RIFF | size | WAVE | fmt␣ | n    | n bytes (+ 1) | LIST | … | data | n | samples

Every number of the header is a claim; it is believed only as far as it cannot read outside the file, take
long or take much memory.
Sources: Multimedia Programming Interface and Data Specifications 1.0 (IBM and Microsoft, 1991) for RIFF;
Microsoft's `mmreg.h` for WAVEFORMATEXTENSIBLE.
"""

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from graph_ops.audio.resample import DESIGN, context, resample
from graph_ops.config import AudioConfig
from graph_ops.faults import Fault, Finding, check, first_finding

MAX_CHUNKS = 256
"""Chunks that are looked at before `data`; files have fewer than 20. More are a fault, so that a million of
them take no time.
"""

PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE
"""Format tags. EXTENSIBLE keeps its tag in the first two bytes of a GUID."""

GUID_TAIL = (0x0000, 0x0000, 0x0010, 0x0080, 0xAA00, 0x3800, 0x719B)
"""The rest of that GUID as little-endian 16-bit words (KSDATAFORMAT_SUBTYPE:
xxxxxxxx-0000-0010-8000-00AA00389B71).
"""

FORMATS = ((PCM, 8), (PCM, 16), (PCM, 24), (PCM, 32), (FLOAT, 32), (FLOAT, 64))
"""Formats that are decoded, as (tag, bits); `_decoders` has one function for each, in this order."""

LARGEST_MAGNITUDE = 2.0**31
"""Largest magnitude of a sample: a 32-bit integer that was never scaled. Ours: far below where squares
overflow.
"""

_CHUNK_HEADER = 8
_RIFF_HEADER = 12
_MIN_FORMAT_CHUNK = 16
_FORMAT_WORDS = 20  # of 16 bits: WAVEFORMATEXTENSIBLE has 40 bytes


class Waveforms(NamedTuple):
    """Mono clips.

    Attributes:
        samples: float32 [N, T], T that of the longest; zeros beyond a row's length. [T] for a single clip.
        lengths: int32 [N], 0 for no clip and for a faulty one.
        finding: what is wrong with each clip, [N].
    """

    samples: tf.Tensor
    lengths: tf.Tensor
    finding: Finding


def decode_wav(encoded: tf.Tensor, *, config: AudioConfig) -> Waveforms:
    """Decodes one WAV file to mono samples at `config.sampling_rate`.

    8-bit (unsigned), 16, 24 and 32-bit integers, 32 and 64-bit floats; channels are mixed down by their mean.
    Only what the first `config.max_audio_length` seconds need is decoded, whatever the file's length.

    Args:
        encoded: string [], the file's bytes.
        config: sampling rate and longest clip.

    Returns:
        samples: float32 [T], T = min(ceil(F × 16000 / rate), 480000) for F sample frames. Integers lie in
            [-1, 1] before resampling; floats keep their value. [0] with a fault.
        lengths: int32 [], T.
        finding: [], AUDIO_UNDECODABLE with (bytes, 0), AUDIO_FORMAT with (tag, bits), AUDIO_TRUNCATED with
            (bytes claimed, bytes there), AUDIO_EMPTY, or AUDIO_VALUE; the first that applies. Numbers are
            clamped to int32.
    """
    length = tf.cast(tf.strings.length(encoded), tf.int64)
    fmt, data = _find_chunks(encoded, length)
    tag, channels, rate, block, bits = _read_format(encoded, fmt, length)
    there = length - data[0]
    finding = _first_fault(
        (
            _not_wave(encoded) | (fmt[0] < 0) | (data[0] < 0) | (fmt[1] < _MIN_FORMAT_CHUNK),
            Fault.AUDIO_UNDECODABLE,
            (length, 0),
        ),
        (~_is_supported(tag, channels, rate, block, bits), Fault.AUDIO_FORMAT, (tag, bits)),
        (data[1] > there, Fault.AUDIO_TRUNCATED, (data[1], there)),
        (data[1] < block, Fault.AUDIO_EMPTY, (0, 0)),
    )
    good = finding.is_clean
    rate, channels, block = (
        tf.where(good, rate, config.sampling_rate),
        tf.where(good, channels, 1),
        tf.where(good, block, 1),
    )
    # With a fault no byte is decoded and the rest runs on nothing.
    num_frames = tf.where(good, tf.minimum(data[1] // block, _num_needed(rate, config)), 0)
    raw = tf.strings.substr(encoded, tf.clip_by_value(data[0], 0, length), num_frames * block)
    mono = tf.reduce_mean(tf.reshape(_to_float(raw, tag, bits), [num_frames, channels]), 1)
    finding = first_finding(finding, value_findings(mono[tf.newaxis]).at(0))
    mono = tf.cond(finding.is_clean, lambda: mono, lambda: mono[:0])
    resampled = resample(mono, tf.cast(rate, tf.int32), config=config)[: config.max_samples]
    return Waveforms(resampled, tf.size(resampled), finding)


def decode_wavs(encoded: tf.Tensor, *, config: AudioConfig) -> Waveforms:
    """Decodes a batch of WAV files; "" stands for no clip.

    Args:
        encoded: string [N]; N may be 0.
        config: sampling rate and longest clip.
    """
    decoded: Waveforms = tf.map_fn(
        lambda one: decode_wav(one, config=config),
        encoded,
        fn_output_signature=Waveforms(
            tf.RaggedTensorSpec([None], tf.float32),
            tf.TensorSpec([], tf.int32),
            Finding(tf.TensorSpec([], tf.int32), tf.TensorSpec([2], tf.int32)),
        ),
    )
    absent = tf.equal(encoded, "")
    fault, detail = decoded.finding
    finding = Finding(tf.where(absent, Fault.NONE, fault), tf.where(absent[:, tf.newaxis], 0, detail))
    return Waveforms(decoded.samples.to_tensor(), decoded.lengths, finding)


def value_findings(samples: tf.Tensor) -> Finding:
    """AUDIO_VALUE for each clip of float32 [N, T] with a sample that no spectrogram can be computed of.

    Its numbers are how many there are and the index of the first.
    """
    # NaN is not below anything. Not `~(…)`, which graph optimisation makes `>`, and NaN is not above
    # anything.
    unusable = 1 - tf.cast(tf.abs(samples) <= LARGEST_MAGNITUDE, tf.int32)

    def found() -> Finding:
        count, first = tf.reduce_sum(unusable, axis=1), tf.argmax(unusable, axis=1, output_type=tf.int32)
        return check(count > 0, Fault.AUDIO_VALUE, count, first)

    clean = Finding.none(tf.zeros(tf.shape(samples)[:1], tf.int32))
    return tf.cond(tf.reduce_any(unusable > 0), found, lambda: clean)


def _word(text: bytes) -> int:
    """A chunk id as the int32 that its four bytes are."""
    return int.from_bytes(text, "little", signed=True)


def _read(encoded: tf.Tensor, position: tf.Tensor, num_bytes: int, dtype: tf.DType) -> tf.Tensor:
    """`num_bytes` little-endian bytes from `position` ≤ length on, as `dtype`; zeros beyond the end."""
    text = tf.strings.substr(encoded, position, tf.constant(num_bytes, position.dtype))
    return tf.io.decode_raw(text, dtype, fixed_length=num_bytes)


def _not_wave(encoded: tf.Tensor) -> tf.Tensor:
    words = _read(encoded, tf.constant(0, tf.int64), _RIFF_HEADER, tf.int32)
    return (words[0] != _word(b"RIFF")) | (words[2] != _word(b"WAVE"))


def _find_chunks(encoded: tf.Tensor, length: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """(offset, size) of the first `fmt ` chunk before `data` and of `data`, int64 [2] each; offset −1 where
    there is none.

    Each step moves on by at least a chunk's header, and a size that leaves the file ends the walk.
    """

    def seeks(position: tf.Tensor, fmt: tf.Tensor, data: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
        return (data[0] < 0) & (position + _CHUNK_HEADER <= length) & (count < MAX_CHUNKS)

    def step(position: tf.Tensor, fmt: tf.Tensor, data: tf.Tensor, count: tf.Tensor) -> tuple[tf.Tensor, ...]:
        words = _read(encoded, position, _CHUNK_HEADER, tf.int32)
        size = tf.cast(tf.bitcast(words[1], tf.uint32), tf.int64)
        here = tf.stack([position + _CHUNK_HEADER, size])
        fmt = tf.where((words[0] == _word(b"fmt ")) & (fmt[0] < 0), here, fmt)
        data = tf.where(words[0] == _word(b"data"), here, data)
        return position + _CHUNK_HEADER + size + size % 2, fmt, data, count + 1

    nowhere = tf.constant([-1, 0], tf.int64)
    _, fmt, data, _ = tf.while_loop(seeks, step, (tf.constant(_RIFF_HEADER, tf.int64), nowhere, nowhere, 0))
    return fmt, data


def _read_format(encoded: tf.Tensor, fmt: tf.Tensor, length: tf.Tensor) -> tuple[tf.Tensor, ...]:
    """Format tag, channels, rate in Hz, bytes in a sample frame and bits in a sample, all int64 [];
    unchecked.

    16-bit words: tag, channels, rate (2), bytes a second (2), frame bytes, bits, extra bytes, valid bits,
    speakers (2), GUID (8).
    """
    words = tf.cast(
        _read(encoded, tf.clip_by_value(fmt[0], 0, length), 2 * _FORMAT_WORDS, tf.uint16), tf.int64
    )
    words = tf.where(
        tf.range(_FORMAT_WORDS, dtype=tf.int64) < fmt[1] // 2, words, 0
    )  # what follows the chunk is not its
    is_extended = (words[0] == EXTENSIBLE) & tf.reduce_all(words[13:] == GUID_TAIL)
    return (
        tf.where(is_extended, words[12], words[0]),
        words[1],
        words[2] + 2**16 * words[3],
        words[6],
        words[7],
    )


def _is_supported(
    tag: tf.Tensor, channels: tf.Tensor, rate: tf.Tensor, block: tf.Tensor, bits: tf.Tensor
) -> tf.Tensor:
    """Whether the format is one of FORMATS and the header agrees with itself."""
    is_known = tf.reduce_any(tf.reduce_all(tf.stack([tag, bits]) == FORMATS, 1))
    is_consistent = (channels > 0) & (block == channels * bits // 8)
    return is_known & is_consistent & (rate > 0) & (rate <= DESIGN.max_rate)


def _first_fault(*checks: tuple[tf.Tensor, Fault, tuple]) -> Finding:
    """The first (condition, code, detail) where the condition holds."""
    fault, detail = tf.constant(Fault.NONE, tf.int32), tf.constant([0, 0], tf.int64)
    for condition, code, numbers in reversed(checks):
        fault = tf.where(condition, tf.constant(code, tf.int32), fault)
        detail = tf.where(condition, tf.stack([tf.cast(number, tf.int64) for number in numbers]), detail)
    return Finding(fault, tf.cast(tf.minimum(detail, tf.int32.max), tf.int32))


def _num_needed(rate: tf.Tensor, config: AudioConfig) -> tf.Tensor:
    """Sample frames that the longest clip depends on: its seconds and the resampler's reach beyond them."""
    return rate * config.max_audio_length + context(rate, config=config)


def _to_float(raw: tf.Tensor, tag: tf.Tensor, bits: tf.Tensor) -> tf.Tensor:
    """Interleaved samples as float32 [frames × channels]; a format that is not in FORMATS must come with no
    bytes.
    """
    index = tf.argmax(tf.reduce_all(tf.stack([tag, bits]) == FORMATS, 1), output_type=tf.int32)
    return tf.switch_case(index, _decoders(raw))


def _decoders(raw: tf.Tensor) -> list[Callable[[], tf.Tensor]]:
    """One function for each of FORMATS. Full scale is 2^(bits − 1), which makes the most negative integer
    −1.
    """

    def integers(dtype: tf.DType, bits: int) -> tf.Tensor:
        return tf.cast(tf.io.decode_raw(raw, dtype), tf.float32) / 2 ** (bits - 1)

    def integers_24() -> tf.Tensor:
        # A zero byte below the three makes an int32 of 256 times the value: [n, 3] → [n, 4] → [n].
        low_first = tf.pad(tf.reshape(tf.io.decode_raw(raw, tf.uint8), [-1, 3]), [[0, 0], [1, 0]])
        return tf.cast(tf.bitcast(low_first, tf.int32), tf.float32) / 2**31

    def floats(dtype: tf.DType) -> tf.Tensor:
        return tf.cast(tf.io.decode_raw(raw, dtype), tf.float32)

    return [
        lambda: integers(tf.uint8, 8) - 1,
        lambda: integers(tf.int16, 16),
        integers_24,
        lambda: integers(tf.int32, 32),
        lambda: floats(tf.float32),
        lambda: floats(tf.float64),
    ]
