"""Static shapes that follow from how a tensor was made, but that TensorFlow did not infer."""

from collections.abc import Sequence

import tensorflow as tf


def with_shape(tensor: tf.Tensor, shape: "Sequence[int | None] | tf.TensorShape") -> tf.Tensor:
    """The tensor, known to have that shape. No op is added, unlike by `tf.ensure_shape`, which LiteRT
    lacks.
    """
    tensor.set_shape(shape)
    return tensor
