"""The medium audio: clips."""

import tensorflow as tf

from graph_ops.audio.encode import LogMel, encode_audio, encode_wavs
from graph_ops.audio.frames import num_soft_tokens
from graph_ops.audio.host_files import decodable_clip
from graph_ops.audio.soft_tokens import audio_soft_tokens
from graph_ops.config import AudioConfig, RowConfig
from graph_ops.faults import Fault, Finding
from graph_ops.media.medium import Medium
from graph_ops.target import Target


def _encode_files(files: tf.Tensor, *, config: AudioConfig, parity: str) -> LogMel:
    return encode_wavs(files, parity=parity, config=config)


def _encode_arrays(
    arrays: tf.Tensor, sizes: tf.Tensor, *, config: AudioConfig, parity: str, target: Target
) -> LogMel:
    return encode_audio(arrays, sizes, parity=parity, config=config, target=target)


def _count_sizes(
    sizes: tf.Tensor, *, config: AudioConfig, parity: str, target: Target
) -> tuple[tf.Tensor, Finding]:
    del target  # whole numbers alone
    return audio_soft_tokens(sizes, parity=parity, config=config)


def _count(mask: tf.Tensor, config: AudioConfig) -> tf.Tensor:
    """Soft tokens of frames with the mask int32 [B, K, F]."""
    return num_soft_tokens(tf.reduce_sum(tf.cast(mask, tf.int32), axis=-1), config=config)


def _dims(row: RowConfig, config: AudioConfig) -> dict[str, int]:
    slots = row.max_audio_clips_per_prompt
    return {
        "A": slots,
        "F": config.max_frames,
        "M": config.frame_size,
        "N": slots * config.max_soft_tokens,
    }


AUDIO = Medium(
    name="audio",
    argument="audio",
    sizes="audio_lengths",
    group="audio",
    values="audio_mel",
    marks="audio_mel_mask",
    item_shape=(None,),
    dtype=tf.float32,
    item="a clip is float32 [T] in -1…1 or the bytes of a WAV file",
    array="samples in -1…1 at 16 kHz",
    size="true lengths; 0 for an empty slot",
    files="WAV files",
    slots="max_audio_clips_per_prompt",
    count_fault=Fault.AUDIO_COUNT,
    limit_fault=Fault.AUDIO_LIMIT,
    encode_files=_encode_files,
    encode_arrays=_encode_arrays,
    count_sizes=_count_sizes,
    decode_on_host=decodable_clip,
    count=_count,
    fixed_soft_tokens=lambda row: None,
    block=lambda row, config: config.max_soft_tokens,
    dims=_dims,
    is_trimmed=True,
    frames_per_soft_token=lambda config: config.frames_per_soft_token,
)
