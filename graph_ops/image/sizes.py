"""What is wrong with an image's size, before any pixel of it is looked at."""

import tensorflow as tf

from graph_ops.config import ImageConfig
from graph_ops.faults import Fault, Finding, check, first_finding


def size_finding(sizes: tf.Tensor, limits: tf.Tensor, *, config: ImageConfig) -> Finding:
    """IMAGE_SIZE or IMAGE_TOO_LARGE, or nothing, for each image [N].

    Args:
        sizes: int32 [N, 2], height and width.
        limits: int32 [2], the longest sides that there may be.
        config: `max_image_pixels`.
    """
    height, width = sizes[:, 0], sizes[:, 1]
    outside = tf.reduce_any((sizes < 0) | (sizes > limits), axis=-1)
    # height * width > most, without overflow.
    large = (height > 0) & (width > config.max_image_pixels // tf.maximum(height, 1))
    return first_finding(
        check(outside, Fault.IMAGE_SIZE, height, width), check(large, Fault.IMAGE_TOO_LARGE, height, width)
    )
