"""Encoded image files -> pixels, equal to Pillow's `Image.open(file).convert("RGB")`, without ever raising.

| format | decoded                                                        | refused (IMAGE_UNDECODABLE)                             |
| ------ | -------------------------------------------------------------- | ------------------------------------------------------- |
| JPEG   | grey, YCbCr, RGB; baseline and progressive                     | CMYK (TensorFlow rounds its conversion unlike Pillow)   |
| PNG    | all: grey, palette, alpha, 1 to 16 bits, interlaced, animated  |                                                         |
| GIF    | first frame, on the background that Pillow gives it            | frames without a palette                                |
| BMP    | 1, 4 and 8-bit palettes, 24 and 32-bit                         | 16-bit, run-length encoded, OS/2, unusual channel masks |
| WebP   | lossy, lossless, alpha; first frame of an animation            |                                                         |

Alpha is dropped, not blended, and EXIF orientation is ignored, as `convert("RGB")` does. Truncated files are refused.
"""

from collections.abc import Callable

import tensorflow as tf

from graph_ops.config import ImageConfig
from graph_ops.faults import Fault

Size = tuple[tf.Tensor, tf.Tensor]

GIF_MAX_BLOCKS = 10_000
"""Most steps taken through a GIF's blocks up to the end of its first frame. Ours: a file must not ask for minutes."""
BMP_HEADER_SIZES = (40, 52, 56, 64, 108, 124)
"""Sizes of the BMP headers with 32-bit width and height, in bytes. Source: BITMAPINFOHEADER and its successors."""


def decode_image(encoded: tf.Tensor, *, config: ImageConfig) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """The pixels of one encoded image, or what is wrong with it.

    The size is read from the header before anything is decoded.

    Args:
      encoded: string [], a JPEG, PNG, GIF, BMP or WebP file.
      config: `max_image_pixels`.

    Returns:
      pixels: uint8 [H, W, 3], empty ([0, 0, 3]) if there is a fault.
      fault: int32 [], NONE, IMAGE_TOO_LARGE or IMAGE_UNDECODABLE.
      detail: int32 [2], (height, width) for IMAGE_TOO_LARGE, (length in bytes, 0) for IMAGE_UNDECODABLE, else 0.
    """
    # A decoder raises on a damaged file, and would take the whole batch with it. A one-element dataset is the graph's `try`: an element
    # that raised is dropped, and the refusal behind it comes out instead.
    attempt = tf.data.Dataset.from_tensors(encoded).map(lambda file: _decode(file, config=config)).ignore_errors()
    refusal = tf.data.Dataset.from_tensors(_refusal(Fault.IMAGE_UNDECODABLE, tf.strings.length(encoded), 0))
    return attempt.concatenate(refusal).take(1).get_single_element()


def _refusal(fault: Fault, *detail: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    return tf.zeros([0, 0, 3], tf.uint8), tf.constant(fault, tf.int32), tf.stack(detail)


def _decode(encoded: tf.Tensor, *, config: ImageConfig) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """`decode_image`, but raises on a damaged file."""
    kind = _format_index(encoded)
    height, width = tf.switch_case(kind, [lambda size=size: size(encoded) for size, _ in FORMATS.values()])
    with tf.control_dependencies([tf.debugging.assert_positive([height, width])]):
        too_large = tf.cast(height, tf.int64) * tf.cast(width, tf.int64) > config.max_image_pixels

    def decode() -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        pixels = tf.switch_case(kind, [lambda decode=decode: decode(encoded) for _, decode in FORMATS.values()])
        tf.debugging.assert_equal(tf.shape(pixels), [height, width, 3])
        return tf.reshape(pixels, [height, width, 3]), tf.constant(Fault.NONE, tf.int32), tf.zeros([2], tf.int32)

    return tf.cond(too_large, lambda: _refusal(Fault.IMAGE_TOO_LARGE, height, width), decode)


def _format_index(encoded: tf.Tensor) -> tf.Tensor:
    """int32 []: the position in `FORMATS` of the file's format; its length if the file starts with no known signature."""
    def starts(pattern: str) -> tf.Tensor:
        return tf.strings.regex_full_match(tf.strings.substr(encoded, 0, 12), pattern)


def _number(encoded: tf.Tensor, offset: int | tf.Tensor, dtype: tf.DType, *, little_endian: bool = True) -> tf.Tensor:
    """int32 []: the number of type `dtype` that starts at byte `offset`."""
    return tf.cast(tf.io.decode_raw(tf.strings.substr(encoded, offset, dtype.size), dtype, little_endian=little_endian)[0], tf.int32)
