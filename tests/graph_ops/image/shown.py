"""Decoded files beside Pillow's and transformers' pictures of them."""

import io
import struct
import warnings

import numpy as np
import tensorflow as tf
from PIL import Image, ImageOps

from graph_ops.config import ImageConfig
from graph_ops.faults import Fault
from graph_ops.image.decode import decode_image

WHITE = (255, 255, 255)


def decoder(config: ImageConfig = ImageConfig(), parity: str = "keras_hub"):  # noqa: B008
    """The graph of `decode_image` under these settings."""

    @tf.function(input_signature=[tf.TensorSpec([], tf.string)], autograph=False)
    def decode(encoded):
        return decode_image(encoded, config=config, parity=parity)

    return decode


DROPPED = decoder()
COMPOSITED = decoder(parity="transformers")


def upright(encoded: bytes) -> Image.Image:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of damaged EXIF blocks
        return ImageOps.exif_transpose(Image.open(io.BytesIO(encoded)))


def over(picture: Image.Image, color: tuple[int, int, int] = WHITE) -> np.ndarray:
    """What `transformers.image_transforms.convert_to_rgb` makes of a picture, over any colour."""
    if "A" in picture.getbands() or picture.info.get("transparency") is not None:
        picture = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, (*color, 255)), picture)
    return np.asarray(picture.convert("RGB"))


def pixels_of(encoded: bytes, decode=DROPPED) -> np.ndarray:
    pixels, (fault, _) = decode(encoded)
    assert int(fault) == Fault.NONE
    return pixels.numpy()


def assert_shown_as_by_pillow(encoded: bytes):
    """Turned, with alpha dropped and over white."""
    picture = upright(encoded)
    np.testing.assert_array_equal(pixels_of(encoded), np.asarray(picture.convert("RGB")))
    np.testing.assert_array_equal(pixels_of(encoded, COMPOSITED), over(picture))


def tiff(orientation: int, *, order: str = "<", kind: int = 3, form: str = "H") -> bytes:
    """An EXIF block with nothing but an orientation."""
    head = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(order + "L", 8)
    entry = struct.pack(order + "HHL", 0x0112, kind, 1) + struct.pack(order + form, orientation).ljust(
        4, b"\0"
    )
    return head + struct.pack(order + "H", 1) + entry + bytes(4)


def xmp(orientation: int) -> bytes:
    return f'<x:xmpmeta><rdf:Description tiff:Orientation="{orientation}"/></x:xmpmeta>'.encode()
