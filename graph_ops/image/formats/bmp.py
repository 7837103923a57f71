"""BMP: TensorFlow's decoder takes palette indices for grey levels and knows no compression field; rows of
bytes are simple enough.
"""

import tensorflow as tf

from graph_ops.image.formats.file_bytes import Size, bytes_at, no_size, number_at

SIGNATURES = ((0, b"BM"),)
"""(offset, bytes) that a file begins with."""
HEADER_SIZES = (40, 52, 56, 64, 108, 124)
"""Sizes in bytes of the BMP headers with 32-bit width and height. Source: BITMAPINFOHEADER and its
successors.
"""
RAW, BITFIELDS = 0, 3
"""Values of a BMP header's compression field. Source: BI_RGB and BI_BITFIELDS."""


def size(encoded: tf.Tensor) -> Size:
    """int32 [] each, as the header says; 0 × 0 for a kind that is not decoded."""
    bits, compression = number_at(encoded, 28, size=2), number_at(encoded, 30, size=4)
    usual_masks = bytes_at(encoded, 54, 12) == b"\0\0\xff\0\0\xff\0\0\xff\0\0\0"
    plain = (compression == RAW) & tf.reduce_any(bits == [1, 4, 8, 24, 32])
    masked = (compression == BITFIELDS) & (bits == 32) & usual_masks
    known = tf.reduce_any(number_at(encoded, 14, size=4) == tf.constant(HEADER_SIZES)) & (plain | masked)
    return tf.cond(
        known, lambda: (tf.abs(number_at(encoded, 22, size=4)), number_at(encoded, 18, size=4)), no_size
    )


def pixels(encoded: tf.Tensor) -> tf.Tensor:
    """uint8 [H, W, 3], through the palette if there is one."""
    height, width = size(encoded)
    bits, palette_at = number_at(encoded, 28, size=2), 14 + number_at(encoded, 14, size=4)
    stated_colors = number_at(encoded, 46, size=4)
    colors = tf.where(stated_colors == 0, tf.bitwise.left_shift(1, tf.minimum(bits, 8)), stated_colors)
    offset = number_at(encoded, 10, size=4)
    # Some files state that the pixels begin where their palette does; Pillow sees through it.
    offset += tf.where((bits <= 8) & (offset == palette_at), 4 * colors, 0)
    row_bytes = (width * bits + 31) // 32 * 4
    rows = tf.reshape(
        tf.io.decode_raw(bytes_at(encoded, offset, height * row_bytes), tf.uint8), [height, row_bytes]
    )
    rows = tf.cond(number_at(encoded, 22, size=4) < 0, lambda: rows, lambda: rows[::-1])

    def from_channels() -> tf.Tensor:
        return tf.reshape(rows[:, : width * (bits // 8)], [height, width, bits // 8])[..., 2::-1]

    def from_palette() -> tf.Tensor:
        palette = tf.reshape(
            tf.io.decode_raw(bytes_at(encoded, palette_at, 4 * colors), tf.uint8), [colors, 4]
        )
        # [height, row_bytes] -> [height, row_bytes, indices in a byte], the highest bits first.
        shifts = tf.range(8 - bits, -1, -bits)
        indices = tf.bitwise.right_shift(
            tf.cast(rows, tf.int32)[..., tf.newaxis], shifts
        ) % tf.bitwise.left_shift(1, bits)
        return tf.gather(palette[:, 2::-1], tf.reshape(indices, [height, -1])[:, :width])

    return tf.cond(bits > 8, from_channels, from_palette)
