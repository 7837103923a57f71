"""Pillow's bicubic resize, bit for bit, written as matrix products.

Each axis is resampled on its own. An output is a weighted sum of the few inputs around it, and neighbouring
outputs look at nearly the same inputs, so a block of outputs is one small matrix of weights times one window
of inputs. Pillow sums integers. Here each weight is two float32 that share its bits, so that no sum is ever
rounded: processors multiply those faster than int32, and one pass makes bytes of the sums.
"""

import functools
from collections.abc import Callable
from typing import NamedTuple

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
LOW_BITS = 7
"""Bits of a weight that go into its low half. Ours: so many keep sums of both halves in float32's exact 2^24
over `EXACT_WINDOW`.
"""
EXACT_WINDOW = 2**24 // (255 * 2 ** (LOW_BITS - 1))
"""Inputs of an output up to which sums of halves are exact: a 256-fold shrink. Beyond it int32 is summed."""
CACHED_VALUES = 1 << 19
"""float32 values that are gathered and summed at once. Ours: they stay in the processor's cache."""
WEIGHTS_AT_ONCE = 1 << 24
"""float64 values that weights are computed from at once (128 MB). Ours: a strong shrink has many."""


class Axis(NamedTuple):
    """How blocks of an axis are resampled: what `bicubic_weights` returns, in halves.

    Attributes:
        start: int32 [blocks].
        high: float32 [blocks, block, window] of integers; `high + low` is the weight in units of 2^LOW_BITS.
        low: float32 [blocks, block, window] in [-0.5, 0.5).
    """

    start: tf.Tensor
    high: tf.Tensor
    low: tf.Tensor


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


def known_axis(in_size: int | tf.Tensor, out_size: int | tf.Tensor, *, block: int = BLOCK) -> Axis | None:
    """All blocks of int32 [] sizes as constants, if both are known while tracing."""
    sizes = tf.get_static_value(in_size), tf.get_static_value(out_size)
    if None in sizes:
        return None
    with tf.init_scope():
        start, weight = bicubic_weights(*sizes, block=block)
        parts = [tf.get_static_value(part) for part in (start, *halves(weight))]
    return Axis(*map(tf.constant, parts))


def halves(weight: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Whole weights [...], int32 or float32, as the two float32 [...] of `Axis`."""
    scaled = tf.cast(weight, tf.float32) * 2.0**-LOW_BITS
    high = tf.floor(scaled + 0.5)
    return high, scaled - high


def _keys_cubic(x: tf.Tensor) -> tf.Tensor:
    a = CUBIC_A
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = (((x - 5) * x + 8) * x - 4) * a
    return tf.where(x < 1, near, tf.where(x < 2, far, tf.zeros_like(x)))


def weighted_sums(rows: tf.Tensor, axis: Axis) -> tf.Tensor:
    """Outputs of some blocks before they are rounded: uint8 [in_size, N] -> float32 [blocks * block, N] of
    whole numbers, in units of 2^(LOW_BITS - WEIGHT_BITS) levels.
    """
    window = axis.start[:, tf.newaxis] + tf.range(length_of(axis.high, axis=2))
    pixels = tf.cast(tf.gather(rows, window), tf.float32)
    # high + floor(low) loses nothing that rounding could see: high is an integer in the same unit.
    sums = axis.high @ pixels + tf.floor(axis.low @ pixels)
    return tf.reshape(sums, [-1, length_of(rows, axis=1)])


def _levels(rows: tf.Tensor, *axis: tf.Tensor) -> tf.Tensor:
    """uint8 [in_size, N], and the parts of an `Axis` of some blocks -> uint8 [blocks * block, N]. One pass
    clips and rounds, halves up.
    """
    levels, _, _ = tf.raw_ops.QuantizeV2(
        input=weighted_sums(rows, Axis(*axis)),
        min_range=0.0,
        max_range=255.0 * 2 ** (WEIGHT_BITS - LOW_BITS),
        T=tf.quint8,
        mode="SCALED",
        round_mode="HALF_AWAY_FROM_ZERO",
    )
    return tf.bitcast(levels, tf.uint8)


def _levels_of_integers(rows: tf.Tensor, start: tf.Tensor, weight: tf.Tensor) -> tf.Tensor:
    """The same from whole weights, int32 [blocks, block, window], of any window."""
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
    weights_at_once: int = WEIGHTS_AT_ONCE,
) -> tf.Tensor:
    """`Image.resize((target_width, target_height), BICUBIC)` of Pillow, bit for bit.

    Args:
      pixels: uint8 [N, H, W, 3], N images of one size, not empty.
      target_height: int32 [], positive.
      target_width: int32 [], positive.
      weights_at_once: float64 values to compute weights from at once.

    Returns:
      uint8 [N, target_height, target_width, 3].

    Pillow 13 resamples columns first, or rows first where those shrink by much more; up to Pillow 12 it was
    always columns, which differs by 1/255 here and there.
    """
    down = functools.partial(_resample_rows, out_size=target_height, weights_at_once=weights_at_once)
    across = functools.partial(_resample_rows, out_size=target_width, weights_at_once=weights_at_once)
    height_first = rows_come_first(
        length_of(pixels, axis=1), length_of(pixels, axis=2), target_height, target_width
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
    """uint8 [N, H, W, 3] -> uint8 [N, H', W, 3] with `resample_rows`, uint8 [H, …] -> uint8 [H', …]."""
    # [N, H, W * 3] -> [H, N, W * 3]: the images lie side by side.
    count, height, width = (length_of(pixels, axis=axis) for axis in range(3))
    rows = tf.transpose(tf.reshape(pixels, [count, height, width * 3]), [1, 0, 2])
    resampled = resample_rows(tf.reshape(rows, [height, count * width * 3]))
    resampled = tf.transpose(tf.reshape(resampled, [-1, count, width * 3]), [1, 0, 2])
    return tf.reshape(resampled, [count, -1, width, 3])


def resample_width(pixels: tf.Tensor, resample_rows: Callable[[tf.Tensor], tf.Tensor]) -> tf.Tensor:
    """uint8 [N, H, W, 3] -> uint8 [N, H, W', 3] with `resample_rows`, uint8 [W, …] -> uint8 [W', …]."""
    # [N * H, W * 3] -> [W * 3, N * H] -> [W, 3 * N * H]: an image column becomes a row.
    count, height, width = (length_of(pixels, axis=axis) for axis in range(3))
    lines = count * height
    columns = tf.reshape(tf.transpose(tf.reshape(pixels, [lines, width * 3])), [width, 3 * lines])
    resampled = tf.transpose(tf.reshape(resample_rows(columns), [-1, lines]))
    return tf.reshape(resampled, [count, height, -1, 3])


def length_of(tensor: tf.Tensor, *, axis: int) -> int | tf.Tensor:
    """The length of an axis of a tensor […]: a number if it is known while tracing, otherwise int32 []."""
    return tf.shape(tensor)[axis] if tensor.shape[axis] is None else tensor.shape[axis]


def _resample_rows(rows: tf.Tensor, *, out_size: tf.Tensor, weights_at_once: int) -> tf.Tensor:
    """uint8 [in_size, N] -> uint8 [out_size, N]. With equal sizes the weights are 0 and 1, so nothing
    changes, as in Pillow.
    """
    in_size, blocks = length_of(rows, axis=0), -(-out_size // BLOCK)
    known = known_axis(in_size, out_size)
    if known and known.high.shape[2] <= EXACT_WINDOW:
        return _resample_blocks(rows, known, _levels)[:out_size]

    def resample(begin: tf.Tensor, end: tf.Tensor) -> tf.Tensor:
        start, weight = bicubic_weights(in_size, out_size, first_block=begin, blocks=end - begin)
        return branch(
            length_of(weight, axis=2) > EXACT_WINDOW,
            lambda: _resample_blocks(rows, (start, weight), _levels_of_integers),
            lambda: _resample_blocks(rows, (start, *halves(weight)), _levels),
        )

    # A block looks at BLOCK * scale + 2 * CUBIC_SUPPORT * stretch rows; there are about 16 arrays of weights.
    window = (BLOCK + 2 * CUBIC_SUPPORT) * (in_size // out_size + 1) + 1
    count = tf.minimum(tf.maximum(weights_at_once // (window * 16 * BLOCK), 1), blocks)
    return in_steps(resample, blocks, count)[:out_size]


def _resample_blocks(
    rows: tf.Tensor, axis: tuple[tf.Tensor, ...], levels: Callable[..., tf.Tensor]
) -> tf.Tensor:
    """uint8 [in_size, N] -> uint8 [blocks * BLOCK, N] by `levels` of rows and some blocks of an axis: starts
    and weights.
    """
    start, weight, *_ = axis
    blocks, window = length_of(start, axis=0), length_of(weight, axis=2)
    count = tf.maximum(CACHED_VALUES // (length_of(rows, axis=1) * (BLOCK + window)), 1)
    return in_steps(
        lambda begin, end: levels(rows, *(part[begin:end] for part in axis)),
        blocks,
        count,
        parallel_iterations=2,
    )


def in_steps(
    part: Callable[[tf.Tensor, tf.Tensor], tf.Tensor],
    total: tf.Tensor,
    step: int | tf.Tensor,
    *,
    rank: int = 2,
    parallel_iterations: int = 1,
) -> tf.Tensor:
    """`part(begin, end)`, uint8 […] each, of `step` of int32 [] `total` at a time, one after the other: uint8
    […] of that rank.
    """
    parts = tf.TensorArray(tf.uint8, size=-(-total // step), infer_shape=False, element_shape=[None] * rank)
    _, parts = tf.while_loop(
        lambda index, _: index * step < total,
        lambda index, parts: (
            index + 1,
            parts.write(index, part(index * step, tf.minimum(index * step + step, total))),
        ),
        (0, parts),
        parallel_iterations=parallel_iterations,
    )
    return parts.concat()
