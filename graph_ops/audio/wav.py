"""WAV bytes to mono samples, in the graph and without ever raising.

    riff         where the format and the samples are
    wav_format   what the samples are
    wav_samples  the samples as floats

Every number of the header is a claim; it is believed only as far as it cannot read outside the file, take
long or take much memory.
"""

from typing import NamedTuple

import tensorflow as tf

from graph_ops.audio.resample import context, resample
from graph_ops.audio.riff import Riff, is_chunk_at, read_riff
from graph_ops.audio.wav_format import MIN_SIZE, WavFormat, read_format
from graph_ops.audio.wav_samples import to_float
from graph_ops.config import AudioConfig
from graph_ops.faults import Fault, Finding, check, first_finding
from graph_ops.file_types import file_type

LARGEST_MAGNITUDE = 2.0**31
"""Largest magnitude of a sample: a 32-bit integer that was never scaled. Ours: far below where squares
overflow.
"""


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

    RIFF, RIFX, RF64 and BW64; integers of 1 to 32 bits, 32 and 64-bit floats, A-law and mu-law; channels are
    mixed down by their mean. Only what the first `config.max_audio_length` seconds need is decoded, whatever
    the file's length.

    A `data` chunk that claims more than there is ends with the file, and one that claims nothing, with no
    chunk behind it, takes all the rest: recorders that write to a pipe cannot know its size, and a download
    may lack its end. With `config.strict` both are faults.

    Args:
        encoded: string [], the file's bytes.
        config: sampling rate, longest clip and strictness.

    Returns:
        samples: float32 [T], T = min(ceil(F × 16000 / rate), 480000) for F sample frames. Integers lie in
            [-1, 1] before resampling; floats keep their value. [0] with a fault.
        lengths: int32 [], T.
        finding: [], AUDIO_FILE_TYPE with (type, bytes), AUDIO_UNDECODABLE with (bytes, 0), AUDIO_CODEC or
            AUDIO_FORMAT with (tag, bits), AUDIO_TRUNCATED with (bytes claimed, bytes there), AUDIO_EMPTY, or
            AUDIO_VALUE; the first that applies. Numbers are clamped to int32.
    """
    riff = read_riff(encoded)
    wav = read_format(encoded, riff)
    size = _data_size(encoded, riff)
    finding = _finding(encoded, riff, wav, size, config=config)
    good = finding.is_clean
    rate, channels, frame_bytes = (
        tf.where(good, wav.rate, config.sampling_rate),
        tf.where(good, wav.channels, 1),
        tf.where(good, wav.frame_bytes, 1),
    )
    # With a fault no byte is decoded and the rest runs on nothing.
    num_frames = tf.where(good, tf.minimum(size // frame_bytes, _num_needed(rate, config)), 0)
    start = tf.clip_by_value(riff.data.start, 0, _length(encoded))
    raw = tf.strings.substr(encoded, start, num_frames * frame_bytes)
    floats = to_float(raw, wav, is_big_endian=riff.is_big_endian)
    mono = tf.reduce_mean(tf.reshape(floats, [num_frames, channels]), 1)
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


def _data_size(encoded: tf.Tensor, riff: Riff) -> tf.Tensor:
    """int64 []: bytes of samples that are there."""
    there = tf.maximum(_length(encoded) - riff.data.start, 0)
    is_unstated = (riff.data.size == 0) & ~is_chunk_at(
        encoded, riff.data.start, is_big_endian=riff.is_big_endian
    )
    return tf.where(is_unstated, there, tf.minimum(riff.data.size, there))


def _finding(
    encoded: tf.Tensor, riff: Riff, wav: WavFormat, size: tf.Tensor, *, config: AudioConfig
) -> Finding:
    """What is wrong with a file of `size` int64 [] bytes of samples."""
    length, claimed = _length(encoded), riff.data.size
    has_no_chunks = (riff.fmt.start < 0) | (riff.data.start < 0) | (riff.fmt.size < MIN_SIZE)
    kind = tf.cond(riff.is_wave, lambda: tf.constant(0), lambda: file_type(encoded))
    is_off = size != claimed
    return _first_fault(
        (kind > 0, Fault.AUDIO_FILE_TYPE, (kind, length)),
        (~riff.is_wave | has_no_chunks, Fault.AUDIO_UNDECODABLE, (length, 0)),
        (~wav.has_known_tag, Fault.AUDIO_CODEC, (wav.tag, wav.bits)),
        (~wav.is_supported, Fault.AUDIO_FORMAT, (wav.tag, wav.bits)),
        (config.strict & ~wav.is_consistent, Fault.AUDIO_FORMAT, (wav.tag, wav.bits)),
        (config.strict & is_off, Fault.AUDIO_TRUNCATED, (claimed, length - riff.data.start)),
        (size < wav.frame_bytes, Fault.AUDIO_EMPTY, (0, 0)),
    )


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


def _length(encoded: tf.Tensor) -> tf.Tensor:
    return tf.cast(tf.strings.length(encoded), tf.int64)
