"""`resizing` for LiteRT: the same bytes from its builtin ops, without float64, in strips that bound the
memory.

A strip is one row of soft tokens: 48 rows of the resized image. It depends on some 52 rows of the image times
the shrink, which are cut out, resampled along both axes and cut into patches before the next strip begins.
What a device holds of a large image is the image, a strip and the patches, and a strip stays in the
processor's cache. (A strip of an image 70 times as wide as high is all of it.)
"""

from collections.abc import Callable

import tensorflow as tf

from graph_ops.config import ImageConfig
from graph_ops.image.resize import (
    BLOCK,
    LOW_BITS,
    WEIGHT_BITS,
    Axis,
    branch,
    halves,
    known_axis,
    rows_come_first,
    weighted_sums,
)
from graph_ops.image.weights_litert import portable_weights

Size = tuple[tf.Tensor | int, tf.Tensor | int]


def resize_to_patches(
    images: tf.Tensor, size: Size, target: Size, *, index: int, config: ImageConfig
) -> tf.Tensor:
    """uint8 [patches, patch_dim] of the image with that index among uint8 [N, H, W, 3]; see `resizer`."""
    return resizer(images, size, target, config=config)(index)


def resizer(
    images: tf.Tensor, size: Size, target: Size, *, config: ImageConfig
) -> "Callable[[int | tf.Tensor], tf.Tensor]":
    """The patches of images of one size, resized to `target` by Pillow's bicubic.

    Args:
      images: uint8 [N, H, W, 3].
      size: int32 [] each, height and width of each image in the top left corner of its place, in 1…the
          target's longest.
      target: int32 [] each, height and width, positive multiples of `config.side_multiple`.
      config: patch and pooling sizes.

    Returns:
      A function of the index of an image, to uint8 [patches, patch_dim], row by row. Where `size` and
      `target` are numbers, the weights are constants.
    """
    block = max(divisor for divisor in range(1, BLOCK + 1) if config.side_multiple % divisor == 0)
    vertical, horizontal = (
        _axis(in_size, out_size, block=block) for in_size, out_size in zip(size, target, strict=True)
    )
    height_first = rows_come_first(*size, *target)
    blocks = config.side_multiple // block
    # [strips, blocks]: the first image row that each block looks at. All strips are cut equally high.
    starts = tf.reshape(vertical.start, [-1, blocks])
    span = tf.reduce_max(starts[:, -1] - starts[:, 0]) + tf.shape(vertical.high)[2]
    begins = tf.minimum(starts[:, 0], size[0] - span)

    def patches_of_strip(number: tf.Tensor, index: "int | tf.Tensor") -> tf.Tensor:
        rows = tf.slice(images, tf.stack([index, begins[number], 0, 0]), tf.stack([1, span, size[1], 3]))
        rows = tf.reshape(rows, tf.stack([span, 3 * size[1]]))
        start, high, low = (part[number * blocks : (number + 1) * blocks] for part in vertical)
        down = Axis(start - begins[number], high, low)
        resized = branch(
            height_first,
            lambda: _resample_columns(_levels(weighted_sums(rows, down)), horizontal, target[1]),
            lambda: _levels(weighted_sums(_resample_columns(rows, horizontal, target[1]), down)),
        )
        return _patches_of_rows(resized, target[1], config=config)

    def patches_of(index: "int | tf.Tensor") -> tf.Tensor:
        strips = target[0] // config.side_multiple
        return joined(lambda number: patches_of_strip(number, index), strips, config=config)

    return patches_of


def joined(
    part: Callable[[tf.Tensor], tf.Tensor], count: "int | tf.Tensor", *, config: ImageConfig
) -> tf.Tensor:
    """uint8 [patches, patch_dim]: those of `part(0)` … `part(count - 1)`, one after the other."""
    # LiteRT cannot join the parts of a TensorArray.
    _, patches = tf.while_loop(
        lambda number, _: number < count,
        lambda number, patches: (number + 1, tf.concat([patches, part(number)], axis=0)),
        (tf.constant(0), tf.zeros([0, config.patch_dim], tf.uint8)),
        shape_invariants=(tf.TensorShape([]), tf.TensorShape([None, config.patch_dim])),
        parallel_iterations=1,
    )
    return patches


def _axis(in_size: tf.Tensor | int, out_size: tf.Tensor | int, *, block: int) -> Axis:
    if known := known_axis(in_size, out_size, block=block):
        return known
    start, weight = portable_weights(in_size, out_size, block=block)
    return Axis(start, *halves(weight))


def _levels(sums: tf.Tensor) -> tf.Tensor:
    """float32 [...] of `weighted_sums` -> uint8 [...], clipped and rounded, halves up."""
    levels = sums * 2.0 ** (LOW_BITS - WEIGHT_BITS) + 0.5
    return tf.cast(tf.clip_by_value(levels, 0, 255), tf.uint8)


def _resample_columns(rows: tf.Tensor, axis: Axis, out_size: tf.Tensor | int) -> tf.Tensor:
    """uint8 [R, in_size * 3] -> uint8 [R, out_size * 3]."""
    # [R, in_size * 3] -> [in_size * 3, R] -> [in_size, 3 * R]: an image column becomes a row.
    height = tf.shape(rows)[0]
    columns = tf.reshape(tf.transpose(rows), tf.stack([-1, 3 * height]))
    return tf.transpose(tf.reshape(_levels(weighted_sums(columns, axis)), tf.stack([3 * out_size, height])))


def _patches_of_rows(rows: tf.Tensor, width: tf.Tensor | int, *, config: ImageConfig) -> tf.Tensor:
    """uint8 [side_multiple, width * 3] -> uint8 [patches, patch_dim]."""
    side, squares = config.patch_size, config.pooling_kernel_size
    # [3, 16, columns, 16 * 3] -> [3, columns, 16, 16 * 3]: whole runs of 48 bytes move.
    patches = tf.transpose(tf.reshape(rows, tf.stack([squares, side, width // side, side * 3])), [0, 2, 1, 3])
    return tf.reshape(patches, [-1, config.patch_dim])
