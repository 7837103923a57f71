"""What the formats have besides opaque pixels: how the picture is to be turned, and what shows through."""

from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any, NamedTuple

import tensorflow as tf

from graph_ops.image.exif import Metadata
from graph_ops.image.formats import (
    bmp,
    bmp_alpha,
    gif,
    jpeg,
    jpeg_metadata,
    png,
    png_alpha,
    png_chunks,
    png_repair,
    webp,
)
from graph_ops.image.transparency import composited, keyed


class Layered(NamedTuple):
    """What a format has besides opaque pixels.

    Attributes:
        contents: (encoded) -> what is found of the file in one walk through it.
        metadata: (encoded, contents) -> `Metadata`; None for a format without.
        over: (encoded, contents, *, background) -> uint8 [H, W, 3], composited; None for a format without
            alpha.
        repaired: a file that does not decode -> one that may; None for a format without.
        weight: (encoded) -> int32 [], by how much its pixels count more towards `max_image_pixels`, since
            they take more memory to be decoded; None where they count once.
    """

    contents: Callable[[tf.Tensor], Any] = lambda encoded: None
    metadata: Callable[[tf.Tensor, Any], Metadata] | None = None
    over: Callable[..., tf.Tensor] | None = None
    repaired: Callable[[tf.Tensor], tf.Tensor] | None = None
    weight: Callable[[tf.Tensor], tf.Tensor] | None = None


def _webp_over(encoded: tf.Tensor, contents: None, *, background: Sequence[int]) -> tf.Tensor:
    del contents
    return composited(webp.layers(encoded), background=background)


def _gif_over(encoded: tf.Tensor, contents: None, *, background: Sequence[int]) -> tf.Tensor:
    del contents
    return keyed(gif.pixels(encoded), gif.is_transparent(encoded), background=background)


def _bmp_over(encoded: tf.Tensor, contents: None, *, background: Sequence[int]) -> tf.Tensor:
    del contents
    return composited(bmp_alpha.layers(encoded), background=background)


LAYERED: Mapping[ModuleType, Layered] = {
    jpeg: Layered(metadata=lambda encoded, contents: jpeg_metadata.metadata(encoded), weight=jpeg.weight),
    png: Layered(png_chunks.chunks_of, png_chunks.metadata, png_alpha.over, png_repair.repaired),
    gif: Layered(over=_gif_over),
    bmp: Layered(over=_bmp_over),
    webp: Layered(metadata=lambda encoded, contents: webp.metadata(encoded), over=_webp_over),
}
"""By the module of the format."""
