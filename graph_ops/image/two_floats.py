"""Numbers of 48 significant bits, each the sum of two float32, for devices that have no float64.

The sum or product of two float32, and what rounding took from it, are both found with float32 operations
alone (Dekker 1971, Knuth). This needs every operation to round to nearest once, as IEEE 754 says and as
LiteRT does.
"""

from typing import NamedTuple

import tensorflow as tf

SPLITTER = float(2**12 + 1)
"""Times this, a float32 of 24 significant bits falls into two of 12. Source: Dekker, A floating-point
technique for extending the available precision.
"""


class TwoFloats(NamedTuple):
    """The number `high + low`: float32 [...] each, `low` no more than half a unit in the last place of
    `high`.
    """

    high: tf.Tensor
    low: tf.Tensor


def from_integer(number: tf.Tensor) -> TwoFloats:
    """int32 [...], exactly; magnitudes below 2^31 - 128."""
    high = tf.cast(number, tf.float32)
    return TwoFloats(high, tf.cast(number - tf.cast(high, tf.int32), tf.float32))


def add(x: TwoFloats, y: TwoFloats) -> TwoFloats:
    """`x + y`."""
    total = x.high + y.high
    taken = total - x.high
    lost = (x.high - (total - taken)) + (y.high - taken)
    return _normalised(total, lost + (x.low + y.low))


def multiply(x: TwoFloats, y: TwoFloats) -> TwoFloats:
    """`x × y`."""
    product = x.high * y.high
    (a, b), (c, d) = _split(x.high), _split(y.high)
    lost = ((a * c - product) + a * d + b * c) + b * d
    return _normalised(product, lost + (x.high * y.low + x.low * y.high))


def reciprocal(x: TwoFloats) -> TwoFloats:
    """`1 / x`, by Newton's method from float32's answer."""
    guess = tf.math.reciprocal(x.high)
    guess = TwoFloats(guess, tf.zeros_like(guess))
    for _ in range(2):
        error = multiply(x, guess)
        rest = add(TwoFloats(tf.constant(2.0), tf.constant(0.0)), TwoFloats(-error.high, -error.low))
        guess = multiply(guess, rest)
    return guess


def scaled(x: TwoFloats, power_of_two: float) -> TwoFloats:
    """`x` times a power of two, exactly."""
    return TwoFloats(x.high * power_of_two, x.low * power_of_two)


def _normalised(high: tf.Tensor, low: tf.Tensor) -> TwoFloats:
    total = high + low
    return TwoFloats(total, low - (total - high))


def _split(x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    shifted = x * SPLITTER
    high = shifted - (shifted - x)
    return high, x - high
