"""Videos that are arrays -> patches: the frames of a video share their size, and are resized side by side."""

import functools

import tensorflow as tf

from graph_ops.config import VideoConfig
from graph_ops.image.encode import encode_each
from graph_ops.image.patches import Patches, no_image, patches_of, positions, soft_tokens
from graph_ops.image.planned_size import planned_sizes
from graph_ops.image.resize import in_steps

VALUES_AT_ONCE = 1 << 22
"""uint8 values of frames that are resized side by side. Ours: six of 640 × 360, one of 1,920 × 1,080."""


def encode_frames(videos: tf.Tensor, sizes: tf.Tensor, taken: tf.Tensor, *, config: VideoConfig) -> Patches:
    """Patches of the frames that are taken of N videos, [N × F] of them.

    Args:
        videos: uint8 [N, T, H, W, 3].
        sizes: int32 [N, 2], height and width of each video; 0, 0 for none.
        taken: int32 [N, F], which frames; -1 for none, behind all others.
        config: all of it but what files are read with.
    """
    plan = planned_sizes(sizes, tf.shape(videos)[2:4], config=config)

    def encode(number: tf.Tensor) -> Patches:
        target, of_video = plan.targets[number], taken[number]
        rows, columns = tf.unstack(target // config.patch_size)
        is_frame = of_video >= 0
        count = tf.reduce_sum(tf.cast(is_frame, tf.int32))
        values = tf.cond(
            tf.equal(rows, 0),
            lambda: no_frames(config=config).values,
            lambda: _resized(videos[number], plan.sizes[number], target, of_video[:count], config=config),
        )
        grid = positions(rows, columns, config=config)
        return Patches(
            values,
            tf.where(is_frame[:, tf.newaxis, tf.newaxis], grid, -1),
            tf.where(is_frame, soft_tokens(rows, columns, config=config), 0),
            plan.finding.at(tf.fill([config.num_frames], number)),
        )

    absent = tf.reduce_all(taken < 0, axis=1)
    nothing = functools.partial(no_frames, config=config)
    frames = encode_each(absent, encode, nothing=nothing, config=config)
    return tf.nest.map_structure(lambda part: tf.reshape(part, [-1, *part.shape[2:]]), frames)


def no_frames(*, config: VideoConfig) -> Patches:
    """A video of which no frame is taken, before scaling: [F] empty slots."""
    return tf.nest.map_structure(
        lambda part: tf.repeat(part[tf.newaxis], config.num_frames, axis=0), no_image(config=config)
    )


def _resized(
    video: tf.Tensor, size: tf.Tensor, target: tf.Tensor, taken: tf.Tensor, *, config: VideoConfig
) -> tf.Tensor:
    """uint8 [F, max_patches, patch_dim] of those frames of uint8 [T, H, W, 3] that `taken` int32 [K] names;
    zeros behind them.
    """

    def patches(begin: tf.Tensor, end: tf.Tensor) -> tf.Tensor:
        frames = tf.gather(video, taken[begin:end])[:, : size[0], : size[1]]
        return patches_of(frames, *tf.unstack(target), config=config)

    count = tf.size(taken)
    step = tf.maximum(VALUES_AT_ONCE // (3 * size[0] * size[1]), 1)
    values = in_steps(patches, count, step, rank=3, parallel_iterations=2)
    missing = config.num_frames - count
    values = tf.cond(
        tf.equal(missing, 0), lambda: values, lambda: tf.pad(values, [[0, missing], [0, 0], [0, 0]])
    )
    return tf.ensure_shape(values, [config.num_frames, config.max_patches, config.patch_dim])
