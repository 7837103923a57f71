"""A file as decoded here and by Pillow."""

import io

import numpy as np
import tensorflow as tf
from PIL import Image

from graph_ops.config import ImageConfig
from graph_ops.faults import Fault
from graph_ops.image.decode import decode_image

CONFIG = ImageConfig(max_image_pixels=1_000_000)
PILLOW_REFUSES = (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError)


def drawing(height: int = 61, width: int = 83) -> Image.Image:
    """An RGBA image with gradients, edges, noise and every kind of transparency."""
    y, x = np.mgrid[0:height, 0:width]
    random = np.random.default_rng(0)
    channels = np.stack([3 * x, 4 * y, 255 * ((x // 9 + y // 7) % 2), 5 * x - 60], axis=-1) + random.integers(
        -20, 20, (height, width, 4)
    )
    return Image.fromarray(np.clip(channels, 0, 255).astype(np.uint8), "RGBA")


def saved(picture: Image.Image, file_format: str, **settings) -> bytes:
    file = io.BytesIO()
    picture.save(file, file_format, **settings)
    return file.getvalue()


def pillow_pixels(encoded: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(encoded)).convert("RGB"))


@tf.function(input_signature=[tf.TensorSpec([], tf.string)], autograph=False)
def decode(encoded):
    return decode_image(encoded, config=CONFIG)


def assert_equals_pillow(encoded: bytes):
    pixels, (fault, detail) = decode(encoded)
    assert (int(fault), detail.numpy().tolist()) == (Fault.NONE, [0, 0])
    np.testing.assert_array_equal(pixels, pillow_pixels(encoded))


def assert_refused(encoded: bytes, fault: Fault = Fault.IMAGE_UNDECODABLE, detail: list[int] | None = None):
    pixels, (actual_fault, actual_detail) = decode(encoded)
    assert int(actual_fault) == fault
    assert actual_detail.numpy().tolist() == (detail or [len(encoded), 0])
    assert pixels.shape == (0, 0, 3)


def assert_refused_by_both(encoded: bytes):
    assert_refused(encoded)
    assert not pillow_decodes(encoded)


def pillow_decodes(encoded: bytes) -> bool:
    try:
        pillow_pixels(encoded)
    except PILLOW_REFUSES:
        return False
    return True


def assert_as_pillow(encoded: bytes):
    """Equal pixels, or refused by both."""
    if pillow_decodes(encoded):
        assert_equals_pillow(encoded)
    else:
        assert_refused(encoded)
