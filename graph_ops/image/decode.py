"""Encoded image files -> pixels, equal to Pillow's `Image.open(file).convert("RGB")`, without ever raising.

| format | decoded                                                       | refused (IMAGE_UNDECODABLE)      |
| ------ | ------------------------------------------------------------- | -------------------------------- |
| JPEG   | grey, YCbCr, RGB; baseline and progressive                    | CMYK (TensorFlow rounds it else) |
| PNG    | all: grey, palette, alpha, 1 to 16 bits, interlaced, animated |                                  |
| GIF    | first frame, on the background that Pillow gives it           | frames without a palette         |
| BMP    | 1, 4 and 8-bit palettes, 24 and 32-bit                        | 16-bit, RLE, OS/2, rare masks    |
| WebP   | lossy, lossless, alpha; first frame of an animation           |                                  |

Alpha is dropped, not blended, and EXIF orientation is ignored, as `convert("RGB")` does. Truncated files are
refused.
"""

import functools
from types import ModuleType
from typing import NamedTuple

import tensorflow as tf

from graph_ops.config import ImageConfig, RowConfig
from graph_ops.faults import Fault, Finding, check
from graph_ops.image.formats import bmp, gif, jpeg, png, webp
from graph_ops.image.formats.file_bytes import Size, bytes_at
from graph_ops.image.formats.layered import LAYERED
from graph_ops.image.orientation import turned

FORMATS: tuple[ModuleType, ...] = (jpeg, png, gif, bmp, webp)
"""Each with `SIGNATURES`, `size(encoded)` and `pixels(encoded)`, which may raise on a damaged file."""


class Pixels(NamedTuple):
    """A decoded image.

    Attributes:
        pixels: uint8 [H, W, 3]; [0, 0, 3] if there is a fault.
        finding: [], IMAGE_TOO_LARGE with (height, width), IMAGE_UNDECODABLE with (length in bytes, 0), or
            none.
    """

    pixels: tf.Tensor
    finding: Finding


def decode_image(encoded: tf.Tensor, *, config: ImageConfig, parity: str = RowConfig.parity) -> Pixels:
    """The pixels of one encoded image, or what is wrong with it.

    The size is read from the header before anything is decoded.

    Args:
        encoded: string [], a JPEG, PNG, GIF, BMP or WebP file.
        config: `max_image_pixels`, `apply_exif_orientation` and `background_color`.
        parity: one of `PARITIES`, for a `background_color` that follows it.
    """
    attempts = [
        functools.partial(_attempt, encoded, file_format, config=config, parity=parity)
        for file_format in FORMATS
    ]
    return tf.switch_case(_format_index(encoded), [*attempts, functools.partial(_undecodable, encoded)])


def _attempt(encoded: tf.Tensor, file_format: ModuleType, *, config: ImageConfig, parity: str) -> Pixels:
    """What a format's functions, which may raise, make of a file.

    A decoder raises on a damaged file, and would take the whole batch with it. A one-element dataset is the
    graph's `try`: an element that raised is dropped, and the refusal behind it comes out instead.
    """
    versions = tf.data.Dataset.from_tensors(encoded)
    if repaired := LAYERED[file_format].repaired:
        versions = versions.concatenate(versions.map(repaired))
    decode = functools.partial(_decode, file_format=file_format, config=config, parity=parity)
    decoded = versions.map(decode).ignore_errors()
    outcomes = decoded.concatenate(tf.data.Dataset.from_tensors(_undecodable(encoded))).take(1)
    options = tf.data.Options()
    # For one element, tuning and rewriting cost more than they save.
    options.autotune.enabled = False
    options.experimental_optimization.apply_default_optimizations = False
    return outcomes.with_options(options).get_single_element()


def _decode(encoded: tf.Tensor, *, file_format: ModuleType, config: ImageConfig, parity: str) -> Pixels:
    height, width = file_format.size(encoded)
    too_large = tf.cast(height, tf.int64) * tf.cast(width, tf.int64) > config.max_image_pixels
    oversized = Pixels(_no_pixels(), check(too_large, Fault.IMAGE_TOO_LARGE, height, width))

    def decode() -> Pixels:
        pixels = _shown(encoded, (height, width), file_format=file_format, config=config, parity=parity)
        return Pixels(pixels, Finding.none(height))

    valid = (height > 0) & (width > 0)
    return tf.cond(
        valid, lambda: tf.cond(too_large, lambda: oversized, decode), lambda: _undecodable(encoded)
    )


def _shown(
    encoded: tf.Tensor, size: Size, *, file_format: ModuleType, config: ImageConfig, parity: str
) -> tf.Tensor:
    """uint8 [H, W, 3]: the picture composited and turned, as far as the settings and the format have it."""
    layered, background = LAYERED[file_format], config.background(parity)
    contents = layered.contents(encoded)
    if background is None or layered.over is None:
        pixels = file_format.pixels(encoded)
    else:
        pixels = layered.over(encoded, contents, background=background)
    pixels = tf.reshape(pixels, [*size, 3])
    return turned(pixels, layered.orientation(encoded, contents)) if config.apply_exif_orientation else pixels


def _undecodable(encoded: tf.Tensor) -> Pixels:
    length = tf.strings.length(encoded)
    return Pixels(_no_pixels(), check(tf.ones_like(length, tf.bool), Fault.IMAGE_UNDECODABLE, length, 0))


def _no_pixels() -> tf.Tensor:
    return tf.zeros([0, 0, 3], tf.uint8)


def _format_index(encoded: tf.Tensor) -> tf.Tensor:
    """int32 []: the row of `FORMATS` that decodes the file; their number if none does."""
    head = tf.strings.join([bytes_at(encoded, 0, 12), b"\0" * 12])
    matches = [
        tf.reduce_any([tf.equal(bytes_at(head, at, len(text)), text) for at, text in file_format.SIGNATURES])
        for file_format in FORMATS
    ]
    return tf.cast(tf.argmax(tf.stack([*matches, tf.constant(True)])), tf.int32)
