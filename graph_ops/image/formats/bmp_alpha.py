"""BMP files of 32 bits that state where their alpha is."""

import tensorflow as tf

from graph_ops.image.formats import bmp


def layers(encoded: tf.Tensor) -> tf.Tensor:
    """uint8 [H, W, 4], red, green, blue and alpha; [H, W, 3] of a file without a mask of alpha."""
    encoded = bmp.with_file_header(encoded)
    header = bmp.read_header(encoded)
    places = bmp.places_of(header)
    return tf.cond(
        (header.bits == 32) & (places[3] != bmp.NO_ALPHA),
        lambda: tf.gather(bmp.stored_pixels(encoded, header), places, axis=-1),
        lambda: bmp.pixels(encoded),
    )
