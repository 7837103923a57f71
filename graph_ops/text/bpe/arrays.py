"""Moves within one-dimensional tensors, in the forms that LiteRT runs fast.

Its slices with a stride and its columns of a matrix take some 3 ns for each element, as much as a gather;
plain slices and reshapes take next to nothing.
"""

import tensorflow as tf


def places(is_true: tf.Tensor) -> tf.Tensor:
    """int32 [n]; where bool [N] is true."""
    return tf.cast(tf.reshape(tf.where(is_true), [-1]), tf.int32)


def later(values: tf.Tensor, by: "int | tf.Tensor", fill: "int | bool") -> tf.Tensor:
    """[N]: the values [N], each `by` places later; `fill` in the first ones."""
    ahead = tf.fill(tf.reshape(by, [1]), tf.constant(fill, values.dtype))
    return tf.slice(tf.concat([ahead, values], axis=0), [0], tf.shape(values))


def earlier(values: tf.Tensor, by: int, fill: "int | bool") -> tf.Tensor:
    """[N]: the values [N], each `by` places earlier; `fill` in the last ones."""
    behind = tf.fill([by], tf.constant(fill, values.dtype))
    return tf.slice(tf.concat([values, behind], axis=0), [by], tf.shape(values))
