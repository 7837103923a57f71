"""Videos that are arrays -> patches where sizes are static: the frames of a video share their weights, and a
loop.
"""

import tensorflow as tf

from graph_ops.config import VideoConfig
from graph_ops.faults import Finding
from graph_ops.image.patches import Patches, positions, scaled_pixels, soft_tokens
from graph_ops.image.planned_size import planned_sizes
from graph_ops.image.resize import branch
from graph_ops.image.resize_litert import joined, resizer
from graph_ops.target import Target


def encode_unrolled(
    videos: tf.Tensor, sizes: tf.Tensor, taken: tf.Tensor, *, config: VideoConfig, target: Target
) -> Patches:
    """Patches of the frames that are taken of N videos, [N × F] of them.

    Args:
        videos: uint8 [N, T, H, W, 3], of an N that is known while tracing.
        sizes: int32 [N, 2], height and width of each video; 0, 0 for none.
        taken: int32 [N, F], which frames; -1 for none.
        config: all of it but what files are read with.
        target: where it runs.

    Raises:
        ValueError: the number of videos is unknown or 0.
    """
    count = videos.shape[0]
    if not count:
        raise ValueError(
            f"`videos`: their number must be known while tracing, and positive, for {target.name}; got "
            f"{count}. Fix dim 0 of the input's spec."
        )
    plan = planned_sizes(sizes, tf.minimum(tf.shape(videos)[2:4], target.longest_side), config=config)
    values, places, counts = zip(
        *(
            _video(videos, number, plan.sizes[number], plan.targets[number], taken[number], config, target)
            for number in range(count)
        ),
        strict=True,
    )
    frames = tf.ones_like(taken)
    return Patches(
        tf.concat(values, axis=0),
        tf.concat(places, axis=0),
        tf.concat(counts, axis=0),
        Finding(
            tf.reshape(plan.finding.fault[:, tf.newaxis] * frames, [-1]),
            tf.reshape(plan.finding.detail[:, tf.newaxis] * frames[..., tf.newaxis], [-1, 2]),
        ),
    )


def _video(
    videos: tf.Tensor,
    number: int,
    size: tf.Tensor,
    to: tf.Tensor,
    taken: tf.Tensor,
    config: VideoConfig,
    target: Target,
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """float32 [F, max_patches, patch_dim], int32 [F, max_patches, 2], int32 [F]."""
    shape = tf.shape(videos)
    images = tf.reshape(videos, tf.concat([[shape[0] * shape[1]], shape[2:4], [3]], axis=0))
    rows, columns = (side // config.patch_size for side in tf.unstack(to))
    places = number * shape[1] + tf.maximum(taken, 0)

    def resized() -> tf.Tensor:
        patches_of = resizer(images, tuple(tf.unstack(size)), tuple(tf.unstack(to)), config=config)
        return joined(lambda frame: patches_of(places[frame]), config.num_frames, config=config)

    nothing = tf.zeros([0, config.patch_dim], tf.uint8)
    patches = branch(tf.equal(rows, 0), lambda: nothing, resized)
    values = scaled_pixels(tf.cast(patches, tf.float32), config=config, target=target)
    values = tf.reshape(values, tf.stack([config.num_frames, rows * columns, config.patch_dim]))
    # Floats and not bytes are padded: LiteRT cannot pad bytes.
    values = tf.pad(values, [[0, 0], [0, config.max_patches - rows * columns], [0, 0]])
    values = tf.reshape(values, [config.num_frames, config.max_patches, config.patch_dim])
    is_frame = taken >= 0
    grid = positions(rows, columns, config=config)
    return (
        tf.where(is_frame[:, tf.newaxis, tf.newaxis], values, 0.0),
        tf.where(is_frame[:, tf.newaxis, tf.newaxis], grid, -1),
        tf.where(is_frame, soft_tokens(rows, columns, config=config), 0),
    )
