"""Videos -> patches of the frames that are taken of them."""

from typing import NamedTuple

import tensorflow as tf

from graph_ops.config import VideoConfig
from graph_ops.faults import Fault, Finding, check, first_finding
from graph_ops.image.encode import encode_images
from graph_ops.image.patches import Patches
from graph_ops.image.planned_size import image_soft_tokens
from graph_ops.shapes import with_shape
from graph_ops.target import TENSORFLOW, Target
from graph_ops.video.encode_litert import encode_unrolled
from graph_ops.video.frames import encode_frames
from graph_ops.video.sampling import sampled_frames


class Frames(NamedTuple):
    """Videos as the vision encoder takes them: F = `num_frames`.

    Attributes:
        values: float32 [N, F, max_patches, patch_dim], patches of each frame; 0.0 in the padding.
        positions: int32 [N, F, max_patches, 2], (x, y) of each patch, -1 in the padding.
        num_soft_tokens: int32 [N, F]; 0 for no frame.
        finding: what is wrong with each video, [N].
        taken: int32 [N, F], which of the given frames each is; -1 for none.
        totals: int32 [N], frames that are given; 0 for no video.
    """

    values: tf.Tensor
    positions: tf.Tensor
    num_soft_tokens: tf.Tensor
    finding: Finding
    taken: tf.Tensor
    totals: tf.Tensor


def encode_videos(files: tf.Tensor, *, config: VideoConfig, parity: str) -> Frames:
    """Patches of videos with an image file for each frame.

    Args:
        files: string [N, T], one file a frame and "" behind the last; "" throughout = no video.
        config: all of it.
        parity: one of `PARITIES`.
    """
    totals = tf.reduce_sum(tf.cast(tf.not_equal(files, ""), tf.int32), axis=1)
    present_first = tf.argsort(tf.cast(tf.equal(files, ""), tf.int32), axis=1, stable=True)
    files = tf.gather(files, present_first, batch_dims=1)
    taken = sampled_frames(totals, num_frames=config.num_frames, parity=parity)
    padded = tf.pad(files, [[0, 0], [0, 1]])
    none = tf.shape(files)[1]
    chosen = tf.gather(padded, tf.where(taken < 0, none, taken), batch_dims=1)
    frames = encode_images(tf.reshape(chosen, [-1]), config=config, parity=parity)
    return _videos(frames, taken, totals, Finding.none(totals), config=config)


def encode_video_arrays(
    videos: tf.Tensor, sizes: tf.Tensor, *, config: VideoConfig, parity: str, target: Target = TENSORFLOW
) -> Frames:
    """Patches of videos that are arrays, the frames of each in the top left corner.

    Args:
        videos: uint8 [N, T, H, W, 3].
        sizes: int32 [N, 3], frames, height and width of each; 0, 0, 0 = no video.
        config: all of it but what files are read with.
        parity: one of `PARITIES`.
        target: where it runs. For static sizes N must be known while tracing.
    """
    finding = size_finding(sizes, tf.shape(videos)[1])
    totals = tf.where(finding.is_clean, sizes[:, 0], 0)
    taken = sampled_frames(totals, num_frames=config.num_frames, parity=parity)
    frame_sizes = tf.where((totals > 0)[:, tf.newaxis], sizes[:, 1:], 0)
    if target.static_sizes:
        frames = encode_unrolled(videos, frame_sizes, taken, config=config, target=target)
    else:
        frames = encode_frames(videos, frame_sizes, taken, config=config)
    return _videos(frames, taken, totals, finding, config=config)


class PlannedVideos(NamedTuple):
    """Videos of which only the sizes are known; as of `Frames`."""

    num_soft_tokens: tf.Tensor
    finding: Finding
    taken: tf.Tensor
    totals: tf.Tensor


def video_soft_tokens(
    sizes: tf.Tensor, *, config: VideoConfig, parity: str, target: Target = TENSORFLOW
) -> PlannedVideos:
    """Soft tokens of videos of the sizes int32 [N, 3], frames, height and width; 0, 0, 0 for no video."""
    finding = size_finding(sizes, tf.constant(2**31 - 1))
    totals = tf.where(finding.is_clean, sizes[:, 0], 0)
    taken = sampled_frames(totals, num_frames=config.num_frames, parity=parity)
    frame_sizes = tf.where((totals > 0)[:, tf.newaxis], sizes[:, 1:], 0)
    counts, of_frames = image_soft_tokens(frame_sizes, config=config, target=target)
    counts = tf.where(taken >= 0, counts[:, tf.newaxis], 0)
    frame = check(~of_frames.is_clean, Fault.VIDEO_FRAME, of_frames.fault, 0)
    return PlannedVideos(counts, first_finding(finding, frame), taken, totals)


def size_finding(sizes: tf.Tensor, most: tf.Tensor) -> Finding:
    """VIDEO_SIZE, [N], of sizes int32 [N, 3] with other than 1 … `most` frames, int32 [], or none to see."""
    frames, is_given = sizes[:, 0], tf.reduce_any(tf.not_equal(sizes, 0), axis=1)
    is_nothing = tf.reduce_all(tf.equal(sizes[:, 1:], 0), axis=1)
    return check(is_given & ((frames < 1) | (frames > most) | is_nothing), Fault.VIDEO_SIZE, frames, most)


def _videos(
    frames: Patches, taken: tf.Tensor, totals: tf.Tensor, finding: Finding, *, config: VideoConfig
) -> Frames:
    """Frames [N × F] as those of N videos; the first frame with a fault is its video's."""
    shape = [-1, config.num_frames]
    values = tf.reshape(frames.values, [*shape, config.max_patches, config.patch_dim])
    positions = tf.reshape(frames.positions, [*shape, config.max_patches, 2])
    faults = tf.reshape(frames.finding.fault, shape)
    wrong = check(tf.not_equal(faults, 0), Fault.VIDEO_FRAME, faults, tf.maximum(taken, 0)).of_rows()
    videos = taken.shape[0]
    return Frames(
        with_shape(values, [videos, None, None, None]),
        with_shape(positions, [videos, None, None, None]),
        tf.reshape(frames.num_soft_tokens, shape),
        first_finding(finding, wrong),
        taken,
        totals,
    )
