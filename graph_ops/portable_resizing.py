"""`resizing` for LiteRT: the same bytes from its builtin ops, without float64, in strips that bound the memory.

A strip is one row of soft tokens: 48 rows of the resized image. It depends on some 52 rows of the image times the shrink, which
are cut out, resampled along both axes and cut into patches before the next strip begins. What a device must hold for a large image is
the image, one strip, and the patches.
"""

from typing import NamedTuple

import tensorflow as tf

from graph_ops.config import ImageConfig
from graph_ops.exact_weights import exact_weights
from graph_ops.resizing import BLOCK, WEIGHT_BITS, known_weights, quantised_halves, rows_come_first, weighted_sums


class Axis(NamedTuple):
    """How one axis is resampled: `start` int32 [blocks]; `high` and `low` float32 [blocks, block, window]; see `bicubic_weights`."""

    start: tf.Tensor
    high: tf.Tensor
    low: tf.Tensor


def resize_to_patches(
    images: tf.Tensor, index: int, size: tuple[tf.Tensor, tf.Tensor], target: tuple[tf.Tensor, tf.Tensor], *, config: ImageConfig
) -> tf.Tensor:
    """The patches of one image, resized to `target` by Pillow's bicubic.

    Args:
      images: uint8 [N, H, W, 3].
      index: of the image.
      size: int32 [] each, height and width of the image in the top left corner of `images[index]`, positive.
      target: int32 [] each, positive multiples of `config.side_multiple`.
      config: patch and pooling sizes.

    Returns:
      uint8 [patches, patch_dim], row by row.
    """
    block = max(divisor for divisor in range(1, BLOCK + 1) if config.side_multiple % divisor == 0)
    vertical, horizontal = (_axis(length, wanted, block=block) for length, wanted in zip(size, target, strict=True))
    height_first = rows_come_first(*size, *target)
    per_strip = config.side_multiple // block
    # [strips, per_strip]: the first row of the image that each block looks at.
    starts = tf.reshape(vertical.start, [-1, per_strip])
    span = tf.reduce_max(starts[:, -1] - starts[:, 0]) + tf.shape(vertical.high)[2]
    begins = tf.minimum(starts[:, 0], size[0] - span)

    def strip(number: tf.Tensor) -> tf.Tensor:
        """uint8 [patches of a strip, patch_dim]."""
        begin = begins[number]
        rows = tf.slice(images, tf.stack([index, begin, 0, 0]), tf.stack([1, span, size[1], 3]))
        rows = tf.reshape(rows, tf.stack([span, 3 * size[1]]))
        first = number * per_strip
        down = Axis(*(part[first : first + per_strip] for part in vertical))
        down = down._replace(start=down.start - begin)
        resized = tf.cond(
            height_first,
            lambda: _resample_columns(weighted_sums(rows, *down), horizontal, target[1]),
            lambda: weighted_sums(_resample_columns(rows, horizontal, target[1]), *down),
        )
        side, squares = config.patch_size, config.pooling_kernel_size
        # [3, 16, columns, 16 * 3] -> [3, columns, 16, 16 * 3]
        patches = tf.transpose(tf.reshape(resized, tf.stack([squares, side, target[1] // side, side * 3])), [0, 2, 1, 3])
        return tf.reshape(patches, [-1, config.patch_dim])

    _, patches = tf.while_loop(
        lambda number, _: number < target[0] // config.side_multiple,
        lambda number, patches: (number + 1, tf.concat([patches, strip(number)], axis=0)),
        (tf.constant(0), tf.zeros([0, config.patch_dim], tf.uint8)),
        shape_invariants=(tf.TensorShape([]), tf.TensorShape([None, config.patch_dim])),
        parallel_iterations=1,
    )
    return patches


def _axis(in_size: tf.Tensor, out_size: tf.Tensor, *, block: int) -> Axis:
    if (known := known_weights(in_size, out_size, block=block)) is not None:
        return Axis(*known)
    start, weight = exact_weights(in_size, out_size, block=block, weight_bits=WEIGHT_BITS)
    return Axis(start, *quantised_halves(weight))


def _resample_columns(rows: tf.Tensor, axis: Axis, out_size: tf.Tensor) -> tf.Tensor:
    """uint8 [R, in_size * 3] -> uint8 [R, out_size * 3]."""
    # [R, in_size * 3] -> [in_size * 3, R] -> [in_size, 3 * R]: an image column becomes a row.
    height = tf.shape(rows)[0]
    columns = tf.reshape(tf.transpose(rows), tf.stack([-1, 3 * height]))
    return tf.transpose(tf.reshape(weighted_sums(columns, *axis), tf.stack([3 * out_size, height])))
