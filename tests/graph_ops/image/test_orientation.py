"""Turned pictures, against Pillow's `exif_transpose`."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageOps

from graph_ops.config import ImageConfig
from graph_ops.image.orientation import turned
from tests.graph_ops.image.shown import assert_shown_as_by_pillow, decoder, pixels_of, upright
from tests.graph_ops.image.test_decode import drawing, pillow_pixels, saved


@tf.function(
    input_signature=[tf.TensorSpec([None, None, 3], tf.uint8), tf.TensorSpec([], tf.int32)], autograph=False
)
def turn(pixels, orientation):
    return turned(pixels, orientation)


def with_orientation(number: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = number
    return exif


@pytest.mark.parametrize("number", range(1, 9))
def test_pixels_are_turned_as_by_pillow(number):
    for height, width in ((5, 7), (1, 4), (3, 1)):
        pixels = np.arange(3 * height * width, dtype=np.uint8).reshape(height, width, 3)
        picture = Image.fromarray(pixels)
        picture.getexif()[0x0112] = number
        np.testing.assert_array_equal(turn(pixels, number), np.asarray(ImageOps.exif_transpose(picture)))


@pytest.mark.parametrize("number", range(10))
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
def test_files_are_turned_as_by_pillow(file_format, number):
    picture = drawing(20, 33) if file_format != "JPEG" else drawing(20, 33).convert("RGB")
    encoded = saved(picture, file_format, exif=with_orientation(number))
    assert upright(encoded).size == ((20, 33) if 5 <= number <= 8 else (33, 20))
    assert_shown_as_by_pillow(encoded)


AS_IN_THE_FILE = decoder(ImageConfig(apply_exif_orientation=False))


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
def test_files_stay_as_they_are_if_the_setting_says_so(file_format):
    encoded = saved(drawing().convert("RGB"), file_format, exif=with_orientation(6))
    as_in_the_file = pixels_of(encoded, AS_IN_THE_FILE)
    np.testing.assert_array_equal(as_in_the_file, pillow_pixels(encoded))
    assert as_in_the_file.shape != pixels_of(encoded).shape
