"""Static shapes that TensorFlow did not infer, and tensors of which the shape says almost all."""

from collections.abc import Sequence

import tensorflow as tf


def with_shape(tensor: tf.Tensor, shape: "Sequence[int | None] | tf.TensorShape") -> tf.Tensor:
    """The tensor, known to have that shape. No op is added, unlike by `tf.ensure_shape`, which LiteRT
    lacks.
    """
    tensor.set_shape(shape)
    return tensor


_SHARED_BYTES = 16 << 20
"""Most bytes of a value that a signature keeps: two images of 280 soft tokens."""


def constant_items(
    value: float, count: tf.Tensor, shape: tf.TensorShape, *, dtype: tf.DType = tf.float32
) -> tf.Tensor:
    """[count, *shape] of a dtype, the same value throughout.

    Few items are a view of a constant: to write them would be most of the time of a row without media.
    """
    few = _SHARED_BYTES // (shape.num_elements() * dtype.size)
    return tf.cond(
        count <= few,
        lambda: tf.constant(value, dtype, shape=[few, *shape])[:count],
        lambda: tf.fill([count, *shape], tf.constant(value, dtype)),
    )
