"""Transparent PNG files over a colour."""

from collections.abc import Sequence

import tensorflow as tf

from graph_ops.image.formats import png
from graph_ops.image.formats.file_bytes import number_at
from graph_ops.image.formats.png_chunks import TRANSPARENCY, Chunks
from graph_ops.image.transparency import composited, keyed

GREY, RGB, PALETTE, GREY_ALPHA, RGB_ALPHA = 0, 2, 3, 4, 6
"""Colour types. Source: PNG 1.2."""


def over(encoded: tf.Tensor, chunks: Chunks, *, background: Sequence[int]) -> tf.Tensor:
    """uint8 [H, W, 3] of any kind of PNG, as Pillow composites it.

    The one transparent colour of a grey or RGB file (chunk `tRNS`) is compared as Pillow compares it: the
    low byte of each number that the chunk holds, with the pixel as 8 bits. That is another colour than
    the standard's for 2 and 4 bits, where Pillow widens the pixels alone, and for 16.
    """
    kind, key = number_at(encoded, 25, size=1), chunks.content(encoded, TRANSPARENCY)
    is_keyed = tf.not_equal(key, "")
    has_alpha = (kind == GREY_ALPHA) | (kind == RGB_ALPHA) | ((kind == PALETTE) & is_keyed)

    def opaque() -> tf.Tensor:
        pixels = png.pixels(encoded)
        return tf.cond(
            is_keyed & (kind != PALETTE),
            lambda: keyed(pixels, _is_key(pixels, encoded, key), background=background),
            lambda: pixels,
        )

    return tf.cond(
        has_alpha,
        lambda: composited(tf.io.decode_png(encoded, channels=4), background=background),
        opaque,
    )


def _is_key(pixels: tf.Tensor, encoded: tf.Tensor, key: tf.Tensor) -> tf.Tensor:
    """Bool [H, W, 1]: where the pixels have the colour of the chunk `tRNS`."""
    octets = tf.io.decode_raw(key, tf.uint8)
    # 2 bytes a number: of grey one, of RGB three.
    count = tf.where(number_at(encoded, 25, size=1) == GREY, 1, 3)
    numbers = tf.reshape(octets[: 2 * count], [count, 2])
    is_bilevel = number_at(encoded, 24, size=1) == 1
    color = tf.where(is_bilevel & tf.reduce_any(numbers > 0), tf.constant(255, tf.uint8), numbers[:, 1])
    return tf.reduce_all(pixels == color, axis=-1, keepdims=True)
