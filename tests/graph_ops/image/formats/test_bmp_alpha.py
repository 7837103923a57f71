"""BMP files that say where their alpha is."""

import io
import struct

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from graph_ops.image.formats.bmp import LAYOUTS, NO_ALPHA
from graph_ops.image.formats.bmp_alpha import layers
from tests.graph_ops.image.formats.against_pillow import saved

PIXELS = np.random.default_rng(0).integers(0, 256, [4, 6, 4], np.uint8)


def masked(masks: bytes) -> bytes:
    """32 bits under masks of red, green, blue and alpha, in a header of 124 bytes."""
    info = struct.pack("<IiiHHIIiiII", 124, 6, 4, 1, 32, 3, PIXELS.nbytes, 0, 0, 0, 0) + masks
    return (
        b"BM"
        + struct.pack("<IHHI", 138 + PIXELS.nbytes, 0, 0, 138)
        + info.ljust(124, b"\0")
        + PIXELS.tobytes()
    )


MASKS = [struct.pack("<4I", *masks) for _, masks, places in LAYOUTS if places[3] != NO_ALPHA]


@pytest.mark.parametrize("masks", MASKS)
@pytest.mark.parametrize("offset", [0, 138, 140])
@pytest.mark.parametrize("is_bare", [False, True])
def test_colours_and_alpha_are_pillows(masks, offset, is_bare):
    whole = masked(masks) + b"\0\0"
    file = whole[14:] if is_bare else whole[:10] + struct.pack("<I", offset) + whole[14:]
    with Image.open(io.BytesIO(file)) as picture:
        assert picture.mode == "RGBA"
        np.testing.assert_array_equal(layers(tf.constant(file)), picture)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_a_file_without_a_mask_of_alpha_has_none(mode):
    file = saved(Image.new(mode, (5, 4)), "BMP")
    assert layers(tf.constant(file)).shape == (4, 5, 3)
