"""Pixels -> patches, against Pillow, transformers and the NumPy twin."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from transformers import Gemma4ImageProcessorPil

from graph_ops.config import ImageConfig
from graph_ops.faults import Fault
from graph_ops.image import patches as image
from tests.data import ROOT
from tests.graph_ops.image.pictures import CONFIG, noise, scene
from tests.twins import image as twin

PHOTO = ROOT / "export" / "demonstration" / "photo.jpg"


@pytest.fixture(scope="module")
def photograph() -> np.ndarray:
    return np.asarray(Image.open(PHOTO).convert("RGB")) if PHOTO.exists() else scene(876, 1300)


@pytest.fixture(scope="module")
def to_patches():
    """`image_to_patches` traced once for all sizes."""

    @tf.function(input_signature=[tf.TensorSpec([None, None, 3], tf.uint8)], autograph=False)
    def traced(pixels):
        return image.image_to_patches(pixels, config=CONFIG)

    return traced


def test_patches_equal_the_reference_processor(to_patches, photograph):
    processor = Gemma4ImageProcessorPil()
    for pixels in (
        photograph,
        scene(480, 640),
        noise(512, 512),
        noise(33, 1000),
        noise(700, 1000),
        noise(768, 768),
        noise(1, 1),
    ):
        expected = processor.preprocess(pixels, return_tensors="np", input_data_format="channels_last")
        values, positions, count, (fault, detail) = to_patches(pixels)
        np.testing.assert_array_equal(values, expected["pixel_values"][0])
        np.testing.assert_array_equal(positions, expected["image_position_ids"][0])
        assert int(count) == expected["num_soft_tokens_per_image"][0]
        assert (int(fault), detail.numpy().tolist()) == (Fault.NONE, [0, 0])


def test_patches_equal_the_twin(to_patches):
    pixels = scene(61, 83)
    values, positions, count, _ = to_patches(pixels)
    expected_values, expected_positions, expected_count = twin.image_to_patches(pixels)
    np.testing.assert_array_equal(values, expected_values)
    np.testing.assert_array_equal(positions, expected_positions)
    assert int(count) == expected_count


def test_a_photo_of_1300_by_876_has_260_soft_tokens_and_ends_at_59_38(to_patches):
    _, positions, count, _ = to_patches(scene(876, 1300))
    assert int(count) == 260
    assert positions.numpy()[260 * 9 - 1].tolist() == [59, 38]
    assert positions.numpy()[260 * 9 :].max() == -1


@pytest.mark.parametrize("size", [(0, 0), (0, 7), (7, 0)])
def test_an_empty_image_is_too_thin_and_comes_back_as_padding(to_patches, size):
    values, positions, count, (fault, detail) = to_patches(np.zeros((*size, 3), np.uint8))
    assert (int(fault), detail.numpy().tolist(), int(count)) == (Fault.IMAGE_TOO_THIN, list(size), 0)
    assert not values.numpy().any()
    assert (positions.numpy() == -1).all()


def test_an_image_with_too_few_patches_is_too_thin():
    # With one soft token to spend, both sides of some squares round to just under 48.
    side = next(side for side in range(1, 200) if twin.target_size(side, side, max_soft_tokens=1) == (0, 0))
    *_, (fault, detail) = image.image_to_patches(noise(side, side), config=ImageConfig(max_soft_tokens=1))
    assert (int(fault), detail.numpy().tolist()) == (Fault.IMAGE_TOO_THIN, [side, side])


@pytest.mark.parametrize(
    ("scale", "offset"),
    [
        (1 / 255, None),
        (None, None),
        (1 / 127.5, -1.0),
        ((1 / 255, 2 / 255, 0.5), (0.0, -1.0, 3.0)),
        (1.0, (1, 2, 3)),
    ],
)
def test_scale_and_offset_apply_to_pixels_but_not_to_padding(scale, offset):
    pixels = noise(96, 48)
    config = ImageConfig(scale=scale, offset=offset, max_soft_tokens=2)
    values, *_ = tf.function(lambda pixels: image.image_to_patches(pixels, config=config), autograph=False)(
        pixels
    )
    patches = pixels.reshape(6, 16, 3, 16, 3).swapaxes(1, 2).reshape(18, 256, 3)
    scaled = (patches * np.asarray(1.0 if scale is None else scale)).astype(np.float32)
    np.testing.assert_array_equal(
        values, (scaled + np.float32(0 if offset is None else offset)).reshape(18, 768)
    )
    one_patch_row = image.image_to_patches(noise(50, 50), config=config)[0].numpy()
    assert not one_patch_row[9:].any()


@pytest.mark.parametrize("scale", [1 / 255, 1 / 127.5, 0.017])
def test_a_scaled_pixel_is_rounded_once_in_a_traced_function(scale):
    config = ImageConfig(scale=scale)
    pixels = np.arange(768, dtype=np.uint8)[np.newaxis]
    scaled = tf.function(lambda values: image.scaled_pixels(values, config=config), autograph=False)(
        tf.cast(pixels, tf.float32)
    )
    np.testing.assert_array_equal(scaled, (pixels.astype(np.float64) * scale).astype(np.float32))
