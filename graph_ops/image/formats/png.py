"""PNG: 8 bytes of signature, then the IHDR chunk: length, name, width, height, bit depth, colour type."""

import tensorflow as tf

from graph_ops.image.formats.file_bytes import Size, number_at

SIGNATURES = ((0, b"\x89PNG\r\n\x1a\n"),)
"""(offset, bytes) that a file begins with."""


def size(encoded: tf.Tensor) -> Size:
    """int32 [] each, as the IHDR chunk says."""
    return number_at(encoded, 20, size=4, little_endian=False), number_at(
        encoded, 16, size=4, little_endian=False
    )


def pixels(encoded: tf.Tensor) -> tf.Tensor:
    """uint8 [H, W, 3] of any kind of PNG."""

    def deep_grey() -> tf.Tensor:
        # Pillow clips 16-bit grey to 8 bits, but keeps the high byte of every other 16-bit image, as
        # TensorFlow does.
        grey = tf.cast(tf.minimum(tf.io.decode_png(encoded, channels=1, dtype=tf.uint16), 255), tf.uint8)
        return tf.repeat(grey, 3, axis=-1)

    is_deep_grey = (number_at(encoded, 24, size=1) == 16) & (number_at(encoded, 25, size=1) == 0)
    return tf.cond(is_deep_grey, deep_grey, lambda: tf.io.decode_png(encoded, channels=3))
