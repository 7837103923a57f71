"""Encoded image files -> pixels, equal to Pillow's
`ImageOps.exif_transpose(Image.open(file)).convert("RGB")`, without ever raising.

| format | decoded                                                       | refused (IMAGE_UNDECODABLE)      |
| ------ | ------------------------------------------------------------- | -------------------------------- |
| JPEG   | grey, YCbCr, RGB, CMYK, YCCK; baseline and progressive        | 2 colours, 12 bits, lossless     |
| PNG    | all: grey, palette, alpha, 1 to 16 bits, interlaced, animated |                                  |
| GIF    | first frame, on the background that Pillow gives it           | codes of 1 bit                   |
| BMP    | 1 to 32 bits, Pillow's masks, run lengths, OS/2, DIB          | other masks, JPEG or PNG inside  |
| WebP   | lossy, lossless, alpha; first frame of an animation           |                                  |

A file is turned as its EXIF block says, or its XMP (`apply_exif_orientation`). What is transparent is
composited over `background_color`, as transformers' `convert_to_rgb` does over white, or alpha is left out,
as `convert("RGB")` does. Files cut before their last pixel are refused; of a PNG only the pixels count, as
Pillow has it: what ends behind them, and whether their CRC is right, does not matter. Each format's module
says what Pillow decodes and this does not, and the other way round. Besides:

Pillow refuses, and these decode:

- a PNG with a damaged chunk beside the pixels: a wrong CRC, a length too short for what it should hold, an
  unknown compression, a cut text behind the pixels. They say nothing of the pixels, and libpng passes
  over them.
- a WebP with a RIFF header that says less than its chunks have: each chunk is whole.
- a GIF with damage behind its first frame, or in its pixels where giflib's codes still fill the frame.
- a file with an EXIF block that is no TIFF file: it is taken as upright.

Pillow turns, and these stay as they are: an orientation that is a fraction not over 1 (12/2), and one in
compressed text of a PNG (`zTXt`, compressed `iTXt`), which would have to be inflated to an unknown size.
Pillow reads, and this refuses: a PNG with all of its compressed pixels but a wrong or cut checksum of
their own behind them (Adler-32).
"""

import functools
from types import ModuleType
from typing import Any, NamedTuple

import tensorflow as tf

from graph_ops.config import ImageConfig, RowConfig
from graph_ops.faults import Fault, Finding, check, first_finding
from graph_ops.file_types import file_type
from graph_ops.image.exif import Metadata, orientation
from graph_ops.image.formats import bmp, gif, jpeg, png, webp
from graph_ops.image.formats.file_bytes import bytes_at
from graph_ops.image.formats.layered import LAYERED
from graph_ops.image.orientation import turned

FORMATS: tuple[ModuleType, ...] = (jpeg, png, gif, bmp, webp)
"""Each with `SIGNATURES`, `size(encoded)` and `pixels(encoded)`, which may raise on a damaged file."""

_DECODERS = 16  # traced ones that are kept: one for each limit, background and way to turn


class Pixels(NamedTuple):
    """A decoded image.

    Attributes:
        pixels: uint8 [H, W, 3]; [0, 0, 3] if there is a fault.
        finding: [], IMAGE_FILE_TYPE with (type, length in bytes), IMAGE_TOO_LARGE with (height, width),
            IMAGE_UNDECODABLE with (length in bytes, 0), or none.
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
    settings = _Decoding(config.max_image_pixels, config.apply_exif_orientation, config.background(parity))
    if tf.executing_eagerly():  # traces of the file's own format are enough
        return _pixels(encoded, settings)
    return _decoder(settings)(encoded)


class _Decoding(NamedTuple):
    """What decoding depends on."""

    max_image_pixels: int
    apply_exif_orientation: bool
    background: tuple[int, int, int] | None


@functools.lru_cache(maxsize=_DECODERS)
def _decoder(settings: _Decoding) -> Any:
    """`_pixels` as a function that is traced once, whatever else the settings are of graphs that share it."""

    def decode(encoded: tf.Tensor) -> Pixels:
        with tf.name_scope("decode"):
            return _pixels(encoded, settings)

    return tf.function(decode, input_signature=[tf.TensorSpec([], tf.string, "encoded")], autograph=False)


def _pixels(encoded: tf.Tensor, settings: _Decoding) -> Pixels:
    attempts = [
        functools.partial(_attempt, encoded, file_format, settings=settings) for file_format in FORMATS
    ]
    decoded = tf.switch_case(
        _format_index(encoded), [*attempts, functools.partial(_of_another_type, encoded)]
    )
    if not settings.apply_exif_orientation:
        return Pixels(decoded.pixels, decoded.finding)
    return Pixels(turned(decoded.pixels, orientation(decoded.metadata)), decoded.finding)


class _Decoded(NamedTuple):
    """Pixels as they lie in the file, what is wrong with it, and how it says that they are to be turned."""

    pixels: tf.Tensor
    finding: Finding
    metadata: Metadata


def _attempt(encoded: tf.Tensor, file_format: ModuleType, *, settings: _Decoding) -> _Decoded:
    """What a format's functions, which may raise, make of a file.

    A decoder raises on a damaged file, and would take the whole batch with it. A one-element dataset is the
    graph's `try`: an element that raised is dropped, and what comes behind it comes out instead: what the
    file becomes where the format knows how to repair it, at last the refusal.
    """
    versions = tf.data.Dataset.from_tensors(encoded)
    if repaired := LAYERED[file_format].repaired:
        versions = versions.concatenate(versions.map(repaired))
    decode = functools.partial(_decode, file_format=file_format, settings=settings)
    decoded = versions.map(decode).ignore_errors()
    outcomes = decoded.concatenate(tf.data.Dataset.from_tensors(_undecodable(encoded))).take(1)
    options = tf.data.Options()
    # For one element, tuning and rewriting cost more than they save.
    options.autotune.enabled = False
    options.experimental_optimization.apply_default_optimizations = False
    return outcomes.with_options(options).get_single_element()


def _decode(encoded: tf.Tensor, *, file_format: ModuleType, settings: _Decoding) -> _Decoded:
    height, width = file_format.size(encoded)
    weight = LAYERED[file_format].weight
    weighed = tf.cast(height, tf.int64) * tf.cast(width, tf.int64)
    weighed *= tf.cast(weight(encoded), tf.int64) if weight else 1
    too_large = weighed > settings.max_image_pixels
    finding = check(too_large, Fault.IMAGE_TOO_LARGE, height, width)
    oversized = _Decoded(_no_pixels(), finding, Metadata.none())

    def decode() -> _Decoded:
        pixels, metadata = _layers(encoded, file_format=file_format, settings=settings)
        return _Decoded(tf.reshape(pixels, [height, width, 3]), Finding.none(height), metadata)

    valid = (height > 0) & (width > 0)
    return tf.cond(
        valid, lambda: tf.cond(too_large, lambda: oversized, decode), lambda: _undecodable(encoded)
    )


def _layers(
    encoded: tf.Tensor, *, file_format: ModuleType, settings: _Decoding
) -> tuple[tf.Tensor, Metadata]:
    """uint8 [H, W, 3], composited if a colour is to show through, and what the file says beside it."""
    layered, background = LAYERED[file_format], settings.background
    contents = layered.contents(encoded)
    metadata = Metadata.none()
    if settings.apply_exif_orientation and layered.metadata is not None:
        metadata = layered.metadata(encoded, contents)
    if background is None or layered.over is None:
        return file_format.pixels(encoded), metadata
    return layered.over(encoded, contents, background=background), metadata


def _of_another_type(encoded: tf.Tensor) -> _Decoded:
    """What is said of a file of no format that is decoded."""
    kind, undecodable = file_type(encoded), _undecodable(encoded)
    named = check(kind > 0, Fault.IMAGE_FILE_TYPE, kind, tf.strings.length(encoded))
    return undecodable._replace(finding=first_finding(named, undecodable.finding))


def _undecodable(encoded: tf.Tensor) -> _Decoded:
    length = tf.strings.length(encoded)
    finding = check(tf.ones_like(length, tf.bool), Fault.IMAGE_UNDECODABLE, length, 0)
    return _Decoded(_no_pixels(), finding, Metadata.none())


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
