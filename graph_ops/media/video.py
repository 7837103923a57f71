"""The medium video: frames, each with its time of day in the text."""

import tensorflow as tf

from graph_ops.config import RowConfig, VideoConfig
from graph_ops.faults import Fault
from graph_ops.media.medium import Medium, Option
from graph_ops.target import Target
from graph_ops.video.encode import (
    Frames,
    PlannedVideos,
    encode_video_arrays,
    encode_videos,
    video_soft_tokens,
)


def _encode_files(files: tf.Tensor, *, config: VideoConfig, parity: str) -> Frames:
    return encode_videos(files, config=config, parity=parity)


def _encode_arrays(
    arrays: tf.Tensor, sizes: tf.Tensor, *, config: VideoConfig, parity: str, target: Target
) -> Frames:
    return encode_video_arrays(arrays, sizes, config=config, parity=parity, target=target)


def _count_sizes(sizes: tf.Tensor, *, config: VideoConfig, parity: str, target: Target) -> PlannedVideos:
    return video_soft_tokens(sizes, config=config, parity=parity, target=target)


def _count(positions: tf.Tensor, config: VideoConfig) -> tf.Tensor:
    """Soft tokens of patches at int32 [B, R, Q, 2], -1 in the padding."""
    patches = tf.reduce_sum(tf.cast(positions[..., 0] >= 0, tf.int32), axis=-1)
    return patches // config.pooling_kernel_size**2


def _dims(row: RowConfig, config: VideoConfig) -> dict[str, int]:
    frames = row.max_videos_per_prompt * config.num_frames
    return {
        "R": frames,
        "Q": config.max_patches,
        "E": config.patch_dim,
        "U": frames * config.max_soft_tokens,
    }


VIDEO = Medium(
    name="video",
    argument="videos",
    sizes="video_sizes",
    group="video",
    values="pixel_values_videos",
    marks="video_position_ids",
    item_shape=(None, None, None, 3),
    dtype=tf.uint8,
    item="a video is uint8 [T, H, W, 3], a list of frames, or the bytes of an animated GIF or WebP file",
    array="pixels of frames, each video in the top left corner of its place",
    size="true (frames, height, width); (0, 0, 0) for an empty slot",
    files="videos, an image file a frame",
    slots="max_videos_per_prompt",
    count_fault=Fault.VIDEO_COUNT,
    limit_fault=Fault.VIDEO_LIMIT,
    encode_files=_encode_files,
    encode_arrays=_encode_arrays,
    count_sizes=_count_sizes,
    decode_on_host=lambda file: file,
    count=_count,
    fixed_soft_tokens=lambda row: None,
    block=lambda row, config: config.max_soft_tokens,
    dims=_dims,
    is_trimmed=False,
    frames=lambda config: config.num_frames,
    options=(
        Option(
            "frame_indices",
            tf.int32,
            (None,),
            -1,
            "places of the frames in their source; -1 throughout where they are not known",
        ),
        Option("fps", tf.float64, (), 0, "frames a second of the source; 0 where that is not known"),
    ),
)
