"""JPEG: grey, YCbCr, RGB, CMYK and YCCK; baseline and progressive."""

import tensorflow as tf

from graph_ops.image.formats import jpeg_cmyk
from graph_ops.image.formats.file_bytes import Size, no_size

SIGNATURES = ((0, b"\xff\xd8\xff"),)
"""(offset, bytes) that a file begins with."""


def size(encoded: tf.Tensor) -> Size:
    """int32 [] each, as the header says; 0 × 0 for other numbers of colours than 1, 3 and 4."""
    height, width, channels = tf.unstack(tf.image.extract_jpeg_shape(encoded))
    return tf.cond((channels == 1) | (channels == 3) | (channels == 4), lambda: (height, width), no_size)


def pixels(encoded: tf.Tensor) -> tf.Tensor:
    """uint8 [H, W, 3]."""
    channels = tf.image.extract_jpeg_shape(encoded)[2]

    def of_three() -> tf.Tensor:
        # The accurate transform is libjpeg's default, hence Pillow's; TensorFlow's default is the fast one.
        return tf.io.decode_jpeg(encoded, channels=3, dct_method="INTEGER_ACCURATE")

    return tf.cond(channels == 4, lambda: jpeg_cmyk.pixels(encoded), of_three)
