"""Pillow's bicubic resize, bit for bit, written as matrix products.

Each axis is resampled on its own. An output is a weighted sum of the few inputs around it, and neighbouring
outputs look at nearly the same inputs, so a block of outputs is one small matrix of weights times one window
of inputs.
"""

import functools
from collections.abc import Callable

import tensorflow as tf

CUBIC_A = -0.5
"""Shape of the Keys cubic. Source: Pillow's BICUBIC filter (Resample.c)."""
CUBIC_SUPPORT = 2
"""Reach of the Keys cubic to either side, in pixels (of the smaller image)."""
WEIGHT_BITS = 22
"""Fractional bits of a resampling weight. Source: Pillow's PRECISION_BITS, 32 - 8 - 2: sums fit int32."""
ROWS_FIRST_RATIO = 2
"""Pillow resamples rows first where the height shrinks by more than this many times what the width shrinks
by, in pixels. Source: observed on Pillow 13.0, which introduced it.
"""
BLOCK = 8
"""Output rows that share one window of input rows in a matrix product. Ours: the fastest of 8, 12, 16, 24."""
BLOCKS_AT_ONCE = 16
"""Blocks that are multiplied before the next ones are gathered. Ours: what they touch stays in the
processor's cache.
"""
VALUES_AT_ONCE = 1 << 24
"""int32 values that a resampling pass holds at once (64 MB). Ours: a large image is resampled in several
steps.
"""


def bicubic_weights(
    in_size: tf.Tensor,
    out_size: tf.Tensor,
    *,
    first_block: tf.Tensor | int = 0,
    blocks: tf.Tensor | None = None,
    block: int = BLOCK,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Pillow's antialiased bicubic along one axis, as one small matrix for each `block` outputs.

    Output o of block n is `floor(sum(weight[n, o] * pixels[start[n] : start[n] + window]) / 2^WEIGHT_BITS +
    0.5)`.

    Args:
      in_size: int32 [], positive.
      out_size: int32 [], positive.
      first_block: int32 [], where to begin.
      blocks: int32 [], how many; None for all ceil(out_size / block).
      block: outputs a matrix.

    Returns:
      start int32 [blocks] and weight int32 [blocks, block, window]. What the last block has beyond `out_size`
      repeats the last output.
    """
    blocks = -(-out_size // block) if blocks is None else blocks
    # Not `/`: graph optimisation turns a division by a constant into a product with its reciprocal, which
    # rounds differently.
    scale = tf.math.divide_no_nan(tf.cast(in_size, tf.float64), tf.cast(out_size, tf.float64))
    stretch = tf.maximum(scale, 1)
    outputs = tf.minimum(
        tf.reshape(first_block * block + tf.range(blocks * block), [-1, block]), out_size - 1
    )
    center = (tf.cast(outputs, tf.float64) + 0.5) * scale
    first = tf.maximum(tf.cast(tf.floor(center - CUBIC_SUPPORT * stretch + 0.5), tf.int32), 0)
    end = tf.minimum(tf.cast(tf.floor(center + CUBIC_SUPPORT * stretch + 0.5), tf.int32), in_size)
    window = tf.reduce_max(end[:, -1] - first[:, 0])
    start = tf.minimum(first[:, 0], in_size - window)
    # [blocks, 1, window] input positions against [blocks, block, 1] outputs.
    position = (start[:, tf.newaxis] + tf.range(window))[:, tf.newaxis, :]
    distance = (tf.cast(position, tf.float64) - center[..., tf.newaxis] + 0.5) * tf.math.divide_no_nan(
        tf.ones([], tf.float64), stretch
    )
    inside = (position >= first[..., tf.newaxis]) & (position < end[..., tf.newaxis])
    weight = tf.where(inside, _keys_cubic(tf.abs(distance)), tf.zeros([], tf.float64))
    # A running sum, because its order of additions is Pillow's.
    weight = tf.math.divide_no_nan(weight, tf.cumsum(weight, axis=-1)[..., -1:])
    return start, tf.cast(tf.sign(weight) * tf.floor(tf.abs(weight) * 2.0**WEIGHT_BITS + 0.5), tf.int32)


def known_weights(
    in_size: int | tf.Tensor, out_size: int | tf.Tensor, *, block: int = BLOCK
) -> tuple[tf.Tensor, tf.Tensor] | None:
    """`bicubic_weights` of int32 [] sizes as constants, if both are known while tracing."""
    sizes = tf.get_static_value(in_size), tf.get_static_value(out_size)
    if None in sizes:
        return None
    with tf.init_scope():
        start, weight = (tf.get_static_value(part) for part in bicubic_weights(*sizes, block=block))
    return tf.constant(start), tf.constant(weight)


def _keys_cubic(x: tf.Tensor) -> tf.Tensor:
    a = CUBIC_A
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = (((x - 5) * x + 8) * x - 4) * a
    return tf.where(x < 1, near, tf.where(x < 2, far, tf.zeros_like(x)))


def weighted_sums(rows: tf.Tensor, start: tf.Tensor, weight: tf.Tensor) -> tf.Tensor:
    """Outputs of some blocks: uint8 [in_size, N] and their part of `bicubic_weights` -> uint8 [blocks *
    block, N].
    """
    window = start[:, tf.newaxis] + tf.range(length_of(weight, axis=2))
    sums = weight @ tf.cast(tf.gather(rows, window), tf.int32) + (1 << WEIGHT_BITS - 1)
    levels = tf.clip_by_value(tf.bitwise.right_shift(sums, WEIGHT_BITS), 0, 255)
    return tf.reshape(tf.cast(levels, tf.uint8), [-1, length_of(rows, axis=1)])


def rows_come_first(
    height: tf.Tensor, width: tf.Tensor, target_height: tf.Tensor, target_width: tf.Tensor
) -> tf.Tensor:
    """Bool []: whether Pillow resamples the height before the width."""
    shrink_height, shrink_width = height - target_height, width - target_width
    return (shrink_height > 0) & (shrink_height > ROWS_FIRST_RATIO * shrink_width)


def resize_bicubic(
    pixels: tf.Tensor,
    target_height: tf.Tensor,
    target_width: tf.Tensor,
    *,
    values_at_once: int = VALUES_AT_ONCE,
) -> tf.Tensor:
    """`Image.resize((target_width, target_height), BICUBIC)` of Pillow, bit for bit.

    Args:
      pixels: uint8 [H, W, 3], not empty.
      target_height: int32 [], positive.
      target_width: int32 [], positive.
      values_at_once: int32 values to hold at once.

    Returns:
      uint8 [target_height, target_width, 3].

    Pillow 13 resamples columns first, or rows first where those shrink by much more; up to Pillow 12 it was
    always columns, which differs by 1/255 here and there.
    """
    down = functools.partial(_resample_rows, out_size=target_height, values_at_once=values_at_once)
    across = functools.partial(_resample_rows, out_size=target_width, values_at_once=values_at_once)
    height_first = rows_come_first(
        length_of(pixels, axis=0), length_of(pixels, axis=1), target_height, target_width
    )
    return branch(
        height_first,
        lambda: resample_width(resample_height(pixels, down), across),
        lambda: resample_height(resample_width(pixels, across), down),
    )


def branch(
    condition: tf.Tensor | bool, then: Callable[[], tf.Tensor], otherwise: Callable[[], tf.Tensor]
) -> tf.Tensor:
    """`tf.cond` of a bool [], or only one of the two if the condition is known while tracing."""
    known = tf.get_static_value(condition)
    return tf.cond(condition, then, otherwise) if known is None else (then if known else otherwise)()


def resample_height(pixels: tf.Tensor, resample_rows: Callable[[tf.Tensor], tf.Tensor]) -> tf.Tensor:
    """uint8 [H, W, 3] -> uint8 [H', W, 3] with `resample_rows`, uint8 [H, N] -> uint8 [H', N]."""
    height, width = length_of(pixels, axis=0), length_of(pixels, axis=1)
    return tf.reshape(resample_rows(tf.reshape(pixels, [height, width * 3])), [-1, width, 3])


def resample_width(pixels: tf.Tensor, resample_rows: Callable[[tf.Tensor], tf.Tensor]) -> tf.Tensor:
    """uint8 [H, W, 3] -> uint8 [H, W', 3] with `resample_rows`, uint8 [W, N] -> uint8 [W', N]."""
    # [H, W * 3] -> [W * 3, H] -> [W, 3 * H]: an image column becomes a row.
    height, width = length_of(pixels, axis=0), length_of(pixels, axis=1)
    columns = tf.reshape(tf.transpose(tf.reshape(pixels, [height, width * 3])), [width, 3 * height])
    return tf.reshape(tf.transpose(tf.reshape(resample_rows(columns), [-1, height])), [height, -1, 3])


def length_of(tensor: tf.Tensor, *, axis: int) -> int | tf.Tensor:
    """The length of an axis of a tensor […]: a number if it is known while tracing, otherwise int32 []."""
    return tf.shape(tensor)[axis] if tensor.shape[axis] is None else tensor.shape[axis]


def _resample_rows(rows: tf.Tensor, *, out_size: tf.Tensor, values_at_once: int) -> tf.Tensor:
    """uint8 [in_size, N] -> uint8 [out_size, N]. With equal sizes the weights are 0 and 1, so nothing
    changes, as in Pillow.
    """
    in_size, length, blocks = length_of(rows, axis=0), length_of(rows, axis=1), -(-out_size // BLOCK)
    known = known_weights(in_size, out_size)

    def resample(first: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
        if known:
            start, weight = (part[first : first + count] for part in known)
        else:
            start, weight = bicubic_weights(in_size, out_size, first_block=first, blocks=count)

        def products(begin: tf.Tensor, end: tf.Tensor) -> tf.Tensor:
            return weighted_sums(rows, start[begin:end], weight[begin:end])

        return _in_steps(products, count, BLOCKS_AT_ONCE, parallel_iterations=2)

    # A block looks at BLOCK * scale + 2 * CUBIC_SUPPORT * stretch rows; of the weights there are about 16
    # arrays at a time.
    window = (BLOCK + 2 * CUBIC_SUPPORT) * (in_size // out_size + 1) + 1
    count = tf.minimum(tf.maximum(values_at_once // (window * (length + 16 * BLOCK)), 1), blocks)
    return _in_steps(lambda begin, end: resample(begin, end - begin), blocks, count, parallel_iterations=1)[
        :out_size
    ]


def _in_steps(
    rows: Callable, total: tf.Tensor, step: int | tf.Tensor, *, parallel_iterations: int
) -> tf.Tensor:
    """`rows(begin, end)`, uint8 [..., N] each, of `step` at a time, one after the other: uint8 [..., N]."""
    parts = tf.TensorArray(tf.uint8, size=-(-total // step), infer_shape=False, element_shape=[None, None])
    _, parts = tf.while_loop(
        lambda index, _: index * step < total,
        lambda index, parts: (
            index + 1,
            parts.write(index, rows(index * step, tf.minimum(index * step + step, total))),
        ),
        (0, parts),
        parallel_iterations=parallel_iterations,
    )
    return parts.concat()
