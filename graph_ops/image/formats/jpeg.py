"""JPEG: grey, YCbCr and RGB; baseline and progressive."""

import tensorflow as tf

from graph_ops.image.formats.file_bytes import Size, no_size

SIGNATURES = ((0, b"\xff\xd8\xff"),)
"""(offset, bytes) that a file begins with."""


def size(encoded: tf.Tensor) -> Size:
    """int32 [] each, as the header says; 0 × 0 for CMYK, which TensorFlow rounds otherwise than Pillow."""
    height, width, channels = tf.unstack(tf.image.extract_jpeg_shape(encoded))
    return tf.cond(channels < 4, lambda: (height, width), no_size)


def pixels(encoded: tf.Tensor) -> tf.Tensor:
    """uint8 [H, W, 3]."""
    # The accurate transform is libjpeg's default, hence Pillow's; TensorFlow's default is the fast one.
    return tf.io.decode_jpeg(encoded, channels=3, dct_method="INTEGER_ACCURATE")
