"""BMP files of 32 bits that state where their alpha is."""

import tensorflow as tf

from graph_ops.image.formats import bmp
from graph_ops.image.formats.file_bytes import bytes_at, number_at

ALPHA_BYTES = (
    (b"\0\0\0\xff\0\0\xff\0\0\xff\0\0\xff\0\0\0", 0),
    (b"\xff\0\0\0\0\xff\0\0\0\0\xff\0\0\0\0\xff", 3),
    (b"\0\0\xff\0\0\xff\0\0\xff\0\0\0\0\0\0\xff", 3),
    (b"\0\0\0\xff\0\xff\0\0\xff\0\0\0\0\0\xff\0", 2),
    (b"\0" * 16, 3),
)
"""Masks of red, green, blue and alpha, and which byte of a pixel is alpha under them. Source:
`BmpImagePlugin` of Pillow 13, which takes no other masks with alpha.
"""
MASKED_HEADER = 56
"""Least size in bytes of a header that has a mask of alpha. Source: BITMAPV3INFOHEADER."""


def layers(encoded: tf.Tensor) -> tf.Tensor:
    """uint8 [H, W, 4], red, green, blue and alpha; [H, W, 3] of a file without a mask of alpha."""
    opaque = bmp.pixels(encoded)
    is_masked = (number_at(encoded, 28, size=2) == 32) & (number_at(encoded, 30, size=4) == bmp.BITFIELDS)
    has_alpha = number_at(encoded, 14, size=4) >= MASKED_HEADER
    masks = tf.strings.join([bytes_at(encoded, 54, tf.where(has_alpha, 16, 12)), b"\0" * 4])
    is_known = tf.equal(bytes_at(masks, 0, 16), [known for known, _ in ALPHA_BYTES]) & is_masked
    byte = tf.gather([at for _, at in ALPHA_BYTES], tf.argmax(is_known))
    return tf.cond(
        tf.reduce_any(is_known),
        lambda: tf.concat([opaque, _bytes_of(encoded, byte, tf.shape(opaque))], axis=-1),
        lambda: opaque,
    )


def _bytes_of(encoded: tf.Tensor, byte: tf.Tensor, shape: tf.Tensor) -> tf.Tensor:
    """uint8 [H, W, 1]: one of the 4 bytes of each pixel."""
    start = number_at(encoded, 10, size=4)
    start = tf.where(start > 0, start, 14 + number_at(encoded, 14, size=4))
    octets = tf.io.decode_raw(bytes_at(encoded, start, 4 * shape[0] * shape[1]), tf.uint8)
    rows = tf.reshape(octets, [shape[0], shape[1], 4])[..., byte : byte + 1]
    return tf.cond(number_at(encoded, 22, size=4) < 0, lambda: rows, lambda: rows[::-1])
