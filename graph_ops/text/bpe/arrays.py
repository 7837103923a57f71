"""Moves within one-dimensional tensors, in the forms that LiteRT runs fast.

Its slices with a stride and its columns of a matrix take some 3 ns for each element, as much as a gather;
plain slices and reshapes take next to nothing.
"""

import numpy as np
import tensorflow as tf


def places(is_true: tf.Tensor) -> tf.Tensor:
    """int32 [n]; where bool [N] is true."""
    return tf.cast(tf.reshape(tf.where(is_true), [-1]), tf.int32)


def later(values: tf.Tensor, *, by: int | tf.Tensor, fill: int | bool) -> tf.Tensor:
    """Values [N], int32 or bool, each `by` (int32 []) places later; `fill` in the first ones."""
    ahead = tf.fill(tf.reshape(by, [1]), tf.constant(fill, values.dtype))
    return tf.slice(tf.concat([ahead, values], axis=0), [0], tf.shape(values))


def earlier(values: tf.Tensor, *, by: int, fill: int | bool) -> tf.Tensor:
    """Values [N], int32 or bool, each `by` places earlier; `fill` in the last ones."""
    behind = tf.fill([by], tf.constant(fill, values.dtype))
    return tf.slice(tf.concat([values, behind], axis=0), [by], tf.shape(values))


def taken(values: "tf.Tensor | np.ndarray", where: tf.Tensor) -> tf.Tensor:
    """The values [N] or rows [N, C] at int32 […] places. `tf.gather` would take twice as long in TensorFlow,
    which copies each of its elements by a call of its own.
    """
    return tf.gather_nd(values, tf.expand_dims(where, axis=-1))


def columns(rows: tf.Tensor) -> list[tf.Tensor]:
    """The columns int32 [n] of int32 [n, C]; n may be 0, where LiteRT cannot unstack."""
    return [tf.reshape(tf.slice(rows, [0, place], [-1, 1]), [-1]) for place in range(rows.shape[1])]
