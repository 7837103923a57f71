"""Pillow's bicubic weights without float64: from whole numbers, and from pairs of float32 where those end.

The distance of input x from the centre of output o, in pixels of the smaller image, is a ratio of whole
numbers,

    t = |(2 x + 1) out_size - (2 o + 1) in_size| / D,   D = 2 max(in_size, out_size),

and with N for the numerator the Keys cubic falls into linear factors; their values times D³ are products of
whole numbers:

    t < 1:        (1 - t) (1 + t (1 - 3/2 t))   ->   (D - N) (2 D² + N (2 D - 3 N))   / 2
    1 <= t < 2:   (1 - t) (2 - t)² / 2          ->   (D - N) (2 D - N)²               / 2

So a weight's only errors are those of two products, of the sum that it is divided by and of that division:
some 2^-44 of it. Pillow's own are 2^-53 of a position, or 2^-42 pixels at position 2,048. Both round to
2^-22, and hardly ever differently.
"""

import tensorflow as tf

from graph_ops.image import two_floats
from graph_ops.image.resize import WEIGHT_BITS
from graph_ops.image.two_floats import TwoFloats, from_integer, multiply, scaled

DIGIT_BITS = 17
"""Bits of a digit while weights are summed in int32. Ours: the sum of a 1,000-fold shrink fits, and three
digits hold a weight.
"""
DIGITS = 3


def portable_weights(
    in_size: tf.Tensor | int, out_size: tf.Tensor | int, *, block: int
) -> tuple[tf.Tensor, tf.Tensor]:
    """`bicubic_weights` of all blocks of an axis.

    Args:
      in_size: int32 [], in 1…2^26.
      out_size: int32 [], in 1…2^14.
      block: outputs a matrix.

    Returns:
      start int32 [blocks] and weight float32 [blocks, block, window] of whole numbers, as `bicubic_weights`;
      a weight in a million differs by 1 of 2^22. `in_size / out_size` must be below 1,000 for that; beyond,
      sums may overflow.
    """
    outputs = tf.minimum(tf.reshape(tf.range(-(-out_size // block) * block), [-1, block]), out_size - 1)
    longer, double = tf.maximum(in_size, out_size), 2 * out_size
    # (2 o + 1) in_size = whole double + rest: the centre lies `whole` pixels and `rest` / `double` of one
    # from the left edge.
    odd, product = 2 * outputs + 1, (2 * outputs + 1) * (in_size % double)
    whole, rest = odd * (in_size // double) + product // double, product % double
    first = tf.maximum(whole + (rest - 4 * longer - out_size) // double + 1, 0)
    end = tf.minimum(whole - (out_size - 4 * longer - rest) // double, in_size)
    window = tf.reduce_max(end[:, -1] - first[:, 0])
    start = tf.minimum(first[:, 0], in_size - window)
    # [blocks, 1, window] inputs against [blocks, block, 1] outputs.
    inputs = tf.reshape(start, [-1, 1, 1]) + tf.range(window)
    numerator = tf.abs((2 * (inputs - tf.expand_dims(whole, -1)) + 1) * out_size - tf.expand_dims(rest, -1))
    weight = _keys_cubic(tf.minimum(numerator, 4 * longer), 2 * longer)
    return start, _quantised(multiply(weight, two_floats.reciprocal(_sum(weight))), WEIGHT_BITS)


def _keys_cubic(numerator: tf.Tensor, denominator: tf.Tensor) -> TwoFloats:
    """The Keys cubic at int32 `numerator / denominator` in [0, 2], times a number that is the same for all
    and close to 1.
    """
    near = numerator < denominator
    left = tf.where(near, numerator, 2 * denominator - numerator)
    right = tf.where(near, 2 * denominator - 3 * numerator, 2 * denominator - numerator)
    exact = from_integer(denominator)
    constant = scaled(multiply(exact, exact), 2.0)
    constant = TwoFloats(tf.where(near, constant.high, 0.0), tf.where(near, constant.low, 0.0))
    bracket = two_floats.add(multiply(from_integer(left), from_integer(right)), constant)
    whole = multiply(from_integer(denominator - numerator), bracket)
    inverse = 1 / exact.high
    factor = 0.5 * inverse * inverse * inverse
    return multiply(whole, TwoFloats(factor, tf.zeros_like(factor)))


def _sum(weight: TwoFloats) -> TwoFloats:
    """The sum over the last axis [..., 1], by digits of `DIGIT_BITS` bits, which add up exactly."""
    total = TwoFloats(tf.zeros([]), tf.zeros([]))
    high, low = weight
    for digit in range(1, DIGITS + 1):
        high, low = high * 2.0**DIGIT_BITS, low * 2.0**DIGIT_BITS
        whole = tf.floor(high + 0.5)
        high, low = (high - whole) + low, low - ((high - whole + low) - (high - whole))
        digits = from_integer(tf.reduce_sum(tf.cast(whole, tf.int32), axis=-1, keepdims=True))
        total = two_floats.add(total, scaled(digits, 2.0 ** (-DIGIT_BITS * digit)))
    return total


def _quantised(weight: TwoFloats, bits: int) -> tf.Tensor:
    """float32 [...] of integers: the weights in units of 2^-bits, rounded half away from zero as Pillow
    does.
    """
    sign = tf.sign(weight.high)
    high, low = sign * weight.high * 2.0**bits, sign * weight.low * 2.0**bits
    whole = tf.floor(high + 0.5)
    rest = (high - whole) + low
    return sign * (whole + tf.where(rest >= 0.5, 1.0, tf.where(rest < -0.5, -1.0, 0.0)))
