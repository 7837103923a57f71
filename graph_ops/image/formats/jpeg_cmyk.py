"""JPEG of four colours -> RGB, equal to Pillow.

TensorFlow's decoder multiplies the four colours itself and rounds down, where Pillow rounds to the nearest,
and it inverts them if there is no Adobe marker, where Pillow does not. The colours themselves come back from
four decodings of the same scans: with and without an Adobe marker, each with the file's black and with a
black that an empty quantization table makes level. For a colour c and black k, in bytes,

- with the marker the decoder gives p = ⌊c k / 255⌋, without it q = ⌊(255 - c) (255 - k) / 255⌋, hence
  c + k = 255 + p - q;
- where k is level this is c, and elsewhere k.

The colours' own conversion (YCCK) and the product are then computed as libjpeg and Pillow do.
"""

import tensorflow as tf

from graph_ops.image.formats.file_bytes import Size, bytes_at
from graph_ops.image.formats.jpeg_segments import ADOBE, Parts, parts_of

CMYK_MARKER = b"\xff\xee\0\x0e" + ADOBE + b"\0\x64\0\0\0\0\0"
"""An Adobe segment of colours that are not transformed."""
DECODES = 4
"""How many decodings of the file are held at once."""
LEVEL = 128
"""A sample of zero coefficients. Source: ITU-T T.81, A.3.1."""
COLOR_BITS = 16
"""Fraction of the next numbers in bits. Source: libjpeg, jdcolor.c."""
RED_OF_CR, GREEN_OF_CB, GREEN_OF_CR, BLUE_OF_CB = 91881, -22554, -46802, 116130
"""1.402, -0.34414, -0.71414 and 1.772. Source: libjpeg, jdcolor.c."""


def pixels(encoded: tf.Tensor) -> tf.Tensor:
    """uint8 [H, W, 3]. Raises if the decodings do not fit each other."""
    parts = parts_of(encoded)
    product, sums = _products_and_sums(parts, parts.frame, b"")
    _, levelled = _products_and_sums(parts, *_level_black(parts.frame))
    colors = levelled - LEVEL
    black = (sums - colors)[..., :1]
    fits = tf.reduce_all(sums - colors == black) & tf.reduce_all(_product(colors, black, 0) == product)
    inks = tf.cond(parts.is_transformed, lambda: _inks(colors), lambda: colors)
    # The caller's reshape is what raises.
    return tf.cond(fits, lambda: tf.cast(_product(inks, black, 127), tf.uint8), _nothing)


def _product(colors: tf.Tensor, black: tf.Tensor, half: int) -> tf.Tensor:
    """int16 [H, W, 3]: (colours × black + half) / 255, rounded down; one by one, which saves memory."""
    level = tf.cast(black[..., 0], tf.int32)
    products = [
        (tf.cast(color, tf.int32) * level + half) // 255 for color in tf.unstack(colors, num=3, axis=-1)
    ]
    return tf.stack([tf.cast(product, tf.int16) for product in products], axis=-1)


def _nothing() -> tf.Tensor:
    return tf.zeros([0, 0, 3], tf.uint8)


def _products_and_sums(parts: Parts, frame: tf.Tensor, tables: tf.Tensor | bytes) -> Size:
    """int16 [H, W, 3] each: the colours times black / 255, rounded down, and the colours plus black."""
    start, end = [b"\xff\xd8", parts.tables, tables], [frame, parts.scans]
    with_marker, without = (
        tf.cast(
            tf.io.decode_jpeg(
                tf.strings.join([*start, *marker, *end]), channels=3, dct_method="INTEGER_ACCURATE"
            ),
            tf.int16,
        )
        for marker in ([CMYK_MARKER], [])
    )
    return with_marker, 255 + with_marker - without


def _level_black(frame: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The frame's segment, in which black has a quantization table of zeros, and that table's segment."""
    # Marker, length, bits, height, width and 4 take 10 bytes; then identifier, sampling and table of each
    # colour.
    frame_bytes = tf.io.decode_raw(frame, tf.uint8)
    taken = tf.cast(frame_bytes[12:21:3], tf.int32)
    is_free = tf.reduce_all(tf.range(4)[:, tf.newaxis] != taken, axis=1)
    number = tf.gather([b"\0", b"\1", b"\2", b"\3"], tf.argmax(is_free))
    table = tf.strings.join([b"\xff\xdb\0\x43", number, bytes(64)])
    return tf.strings.join([bytes_at(frame, 0, 21), number, tf.strings.substr(frame, 22, 65535)]), table


def _inks(colors: tf.Tensor) -> tf.Tensor:
    """int16 [H, W, 3] luma, Cb and Cr -> cyan, magenta, yellow."""
    luma, blue, red = (tf.cast(color, tf.int32) for color in tf.unstack(colors, num=3, axis=-1))
    blue, red, half = blue - LEVEL, red - LEVEL, 1 << (COLOR_BITS - 1)
    levels = [RED_OF_CR * red, GREEN_OF_CB * blue + GREEN_OF_CR * red, BLUE_OF_CB * blue]
    lights = [luma + tf.bitwise.right_shift(level + half, COLOR_BITS) for level in levels]
    return tf.stack([tf.cast(tf.clip_by_value(255 - light, 0, 255), tf.int16) for light in lights], axis=-1)
