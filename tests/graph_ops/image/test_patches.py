"""Pixels -> patches, against Pillow, transformers and the NumPy twin."""

import math

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from transformers import Gemma4ImageProcessorPil

from graph_ops.config import ImageConfig
from graph_ops.faults import Fault
from graph_ops.image import encode
from graph_ops.image import patches as image
from graph_ops.image import resize as resizing
from graph_ops.target import LITERT, TENSORFLOW
from tests.data import ROOT
from tests.twins import image as twin

CONFIG = ImageConfig()
PHOTO = ROOT / "export" / "demonstration" / "photo.jpg"


def scene(height: int, width: int, *, seed: int = 0) -> np.ndarray:
    """uint8 [height, width, 3] that has what a photograph has: gradients, soft and hard edges, texture,
    clipped highlights.
    """
    y, x = np.mgrid[0:height, 0:width] / max(height, width)
    random = np.random.default_rng(seed)
    sky = np.stack([120 + 130 * y, 160 + 90 * x, 255 - 150 * y], axis=-1)
    sky[np.hypot(y - 0.3, x - 0.4) < 0.15] = 262, 250, 190
    sky[(x * 37 % 3 < 1) & (y > 0.6)] = 20, 60, -4
    return np.clip(sky + random.normal(0, 6, sky.shape), 0, 255).astype(np.uint8)


def noise(height: int, width: int, *, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


@pytest.fixture(scope="module")
def photograph() -> np.ndarray:
    return np.asarray(Image.open(PHOTO).convert("RGB")) if PHOTO.exists() else scene(876, 1300)


@pytest.fixture(scope="module")
def resize():
    """`resize_bicubic` traced once for all sizes."""
    size = tf.TensorSpec([], tf.int32)
    return tf.function(
        resizing.resize_bicubic, input_signature=[tf.TensorSpec([None, None, 3], tf.uint8), size, size]
    )


@pytest.fixture(scope="module")
def to_patches():
    """`image_to_patches` traced once for all sizes."""

    @tf.function(input_signature=[tf.TensorSpec([None, None, 3], tf.uint8)])
    def traced(pixels):
        return image.image_to_patches(pixels, config=CONFIG)

    return traced


@pytest.mark.parametrize(
    ("height", "width", "target_height", "target_width"),
    [
        (1, 1, 48, 48),
        (1, 1, 1, 1),
        (1, 3000, 48, 960),
        (3000, 1, 960, 48),
        (48, 96, 48, 96),
        (96, 50, 96, 48),
        (50, 96, 48, 96),
        (6, 6, 768, 768),
        (37, 53, 768, 1),
        (300, 400, 7, 11),
        (3, 20_000, 48, 48),
    ],
)
@pytest.mark.parametrize("draw", [scene, noise])
def test_resize_equals_pillow(resize, draw, height, width, target_height, target_width):
    pixels = draw(height, width)
    expected = Image.fromarray(pixels).resize((target_width, target_height), Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(resize(pixels, target_height, target_width), np.asarray(expected))


def test_resize_equals_pillow_for_random_sizes(resize):
    random = np.random.default_rng(2)
    for seed, (height, width, target_height, target_width) in enumerate(
        np.exp(random.uniform(0, 6.5, (60, 4))).astype(int).tolist()
    ):
        pixels = noise(height, width, seed=seed)
        expected = np.asarray(
            Image.fromarray(pixels).resize((target_width, target_height), Image.Resampling.BICUBIC)
        )
        np.testing.assert_array_equal(
            resize(pixels, target_height, target_width), expected, str((height, width, *expected.shape))
        )


@pytest.mark.parametrize("over_the_limit", [0, 1, 2])
def test_resize_takes_rows_first_where_pillow_does(resize, over_the_limit):
    for seed in range(4):
        pixels = noise(400, 130, seed=seed)
        size = (240 - over_the_limit, 50)
        expected = np.asarray(Image.fromarray(pixels).resize(size[::-1], Image.Resampling.BICUBIC))
        np.testing.assert_array_equal(resize(pixels, *size), expected)
        np.testing.assert_array_equal(twin.resize_bicubic(pixels, *size), expected)


def test_resize_equals_pillow_on_a_large_image_in_several_steps(resize):
    pixels = np.tile(scene(750, 1000), (4, 4, 1))
    expected = np.asarray(Image.fromarray(pixels).resize((912, 672), Image.Resampling.BICUBIC))
    np.testing.assert_array_equal(resize(pixels, 672, 912), expected)


def test_resize_equals_pillow_on_black_and_white_which_overshoot(resize):
    pixels = np.where(noise(90, 130) < 128, 0, 255).astype(np.uint8)
    for size in ((768, 768), (48, 48), (41, 300)):
        expected = np.asarray(Image.fromarray(pixels).resize(size[::-1], Image.Resampling.BICUBIC))
        np.testing.assert_array_equal(resize(pixels, *size), expected)


@pytest.mark.parametrize("values_at_once", [1, 5_000, 1 << 24])
def test_resize_is_the_same_in_one_step_and_in_many(values_at_once):
    pixels = scene(61, 83)
    expected = np.asarray(Image.fromarray(pixels).resize((144, 96), Image.Resampling.BICUBIC))
    np.testing.assert_array_equal(
        resizing.resize_bicubic(pixels, 96, 144, values_at_once=values_at_once), expected
    )


def test_resize_is_exact_with_constant_sizes():
    # Graph optimisation computes in advance, or rewrites, what depends on constants only.
    for height, width in ((49, 101), (333, 777)):
        pixels = noise(height, width)
        expected = np.asarray(Image.fromarray(pixels).resize((912, 672), Image.Resampling.BICUBIC))
        known = tf.function(lambda pixels: resizing.resize_bicubic(pixels, 672, 912))
        unknown = tf.function(
            known.python_function, input_signature=[tf.TensorSpec([None, None, 3], tf.uint8)]
        )
        np.testing.assert_array_equal(known(tf.constant(pixels)), expected)
        np.testing.assert_array_equal(unknown(tf.constant(pixels)), expected)


def test_resize_of_known_sizes_has_no_float64_left():
    signature = [tf.TensorSpec([300, 400, 3], tf.uint8)]
    graph = (
        tf.function(lambda pixels: resizing.resize_bicubic(pixels, 672, 912), input_signature=signature)
        .get_concrete_function()
        .graph
    )
    assert tf.float64 not in {
        output.dtype for operation in graph.get_operations() for output in operation.outputs
    }


def test_weights_equal_the_twin():
    for in_size, out_size in ((5, 17), (100, 48), (3000, 960), (7, 7), (1, 9)):
        start, high, low = (part.numpy() for part in resizing.bicubic_weights(in_size, out_size))
        weight = ((high.astype(np.float64) + low) * 2**resizing.LOW_BITS).reshape(-1, high.shape[-1])
        for output in range(out_size):
            first, expected = twin.weights(in_size, out_size, output)
            dense = np.zeros(in_size)
            dense[start[output // resizing.BLOCK] :][: high.shape[-1]] = weight[output]
            np.testing.assert_array_equal(dense[first : first + len(expected)], expected)
            assert np.count_nonzero(dense) <= len(expected)


def test_weights_keep_float32_sums_exact_up_to_256_fold():
    for in_size, out_size in ((256 * 48, 48), (255 * 7 + 3, 7), (4000, 912), (40, 960)):
        _, high, low = resizing.bicubic_weights(in_size, out_size)
        assert 255 * np.abs(high).sum(axis=-1).max() < 2**24
        assert 255 * np.abs(low).sum(axis=-1).max() * 2**resizing.LOW_BITS < 2**24


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
    values, *_ = tf.function(lambda pixels: image.image_to_patches(pixels, config=config))(pixels)
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
    scaled = tf.function(lambda values: image.scaled_pixels(values, config=config))(
        tf.cast(pixels, tf.float32)
    )
    np.testing.assert_array_equal(scaled, (pixels.astype(np.float64) * scale).astype(np.float32))


def encoded_png(pixels: np.ndarray) -> bytes:
    return tf.io.encode_png(pixels).numpy()


class Edge(tf.Module):
    """The two batch functions with every dim unknown, as a server loads them."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def encoded(self, files):
        return encode.encode_images(files, config=CONFIG)

    @tf.function(
        input_signature=[tf.TensorSpec([None, None, None, 3], tf.uint8), tf.TensorSpec([None, 2], tf.int32)]
    )
    def arrays(self, images, sizes):
        return encode.encode_image_arrays(images, sizes, config=CONFIG)


@pytest.fixture(scope="module", params=["traced", "reloaded"])
def edge(request, tmp_path_factory):
    if request.param == "traced":
        return Edge()
    folder = str(tmp_path_factory.mktemp("edge"))
    tf.saved_model.save(Edge(), folder)
    return tf.saved_model.load(folder)


IMAGES = [scene(40, 70), noise(96, 48, seed=1), noise(1, 13, seed=2)]


def assert_rows_are(outputs, expected_images, *, faults, details):
    values, positions, counts, fault, detail = (output.numpy() for output in tf.nest.flatten(outputs))
    assert fault.tolist() == faults
    assert detail.tolist() == details
    for row, pixels in enumerate(expected_images):
        pixels = np.zeros((0, 0, 3), np.uint8) if pixels is None else pixels
        expected_values, expected_positions, expected_count = twin.image_to_patches(pixels)
        np.testing.assert_array_equal(values[row], expected_values)
        np.testing.assert_array_equal(positions[row], expected_positions)
        assert counts[row] == expected_count


def test_encoded_rows_are_independent_and_a_bad_one_is_padding_with_a_fault(edge):
    files = [
        encoded_png(IMAGES[0]),
        b"",
        encoded_png(IMAGES[1])[:-30],
        encoded_png(IMAGES[2]),
        b"not an image",
    ]
    broken = [Fault.IMAGE_UNDECODABLE, [len(files[2]), 0]], [Fault.IMAGE_UNDECODABLE, [12, 0]]
    assert_rows_are(
        edge.encoded(tf.constant(files)),
        [IMAGES[0], None, None, IMAGES[2], None],
        faults=[0, 0, broken[0][0], 0, broken[1][0]],
        details=[[0, 0], [0, 0], broken[0][1], [0, 0], broken[1][1]],
    )


@pytest.mark.parametrize("garbage", [0, 255, 77])
def test_array_rows_do_not_see_what_lies_outside_their_size(edge, garbage):
    batch = np.full((9, 100, 75, 3), garbage, np.uint8)
    sizes = np.array(
        [[40, 70], [0, 0], [96, 48], [1, 13], [0, 5], [101, 75], [5, 76], [-1, 5], [2**31 - 1, 2**31 - 1]],
        np.int32,
    )
    for row, pixels in zip((0, 2, 3), IMAGES, strict=True):
        batch[row, : pixels.shape[0], : pixels.shape[1]] = pixels
    assert_rows_are(
        edge.arrays(batch, sizes),
        [IMAGES[0], None, IMAGES[1], IMAGES[2]] + [None] * 5,
        faults=[0, 0, 0, 0, Fault.IMAGE_TOO_THIN] + [Fault.IMAGE_SIZE] * 4,
        details=[[0, 0]] * 4 + sizes[4:].tolist(),
    )


@pytest.mark.parametrize("target", [TENSORFLOW, LITERT], ids=lambda target: target.name)
def test_an_array_with_more_than_max_image_pixels_is_too_large(target):
    config = ImageConfig(max_image_pixels=120)
    images, sizes = np.zeros((3, 11, 12, 3), np.uint8), np.array([[10, 12], [11, 11], [11, 12]], np.int32)
    _, _, counts, (fault, detail) = encode.encode_image_arrays(images, sizes, config=config, target=target)
    assert [int(count) > 0 for count in counts] == [True, False, False]
    assert fault.numpy().tolist() == [Fault.NONE, Fault.IMAGE_TOO_LARGE, Fault.IMAGE_TOO_LARGE]
    assert detail.numpy().tolist() == [[0, 0], [11, 11], [11, 12]]


def test_an_empty_batch_keeps_its_other_dims(edge):
    expected = [(0, 2520, 768), (0, 2520, 2), (0,), (0,), (0, 2)]
    arrays = edge.arrays(tf.zeros([0, 5, 5, 3], tf.uint8), tf.zeros([0, 2], tf.int32))
    for outputs in (edge.encoded(tf.zeros([0], tf.string)), arrays):
        assert [tuple(output.shape) for output in tf.nest.flatten(outputs)] == expected


def test_static_dims_are_known_while_tracing():
    for concrete in (Edge().encoded.get_concrete_function(), Edge().arrays.get_concrete_function()):
        shapes = [output.shape.as_list() for output in tf.nest.flatten(concrete.structured_outputs)]
        assert shapes == [[None, 2520, 768], [None, 2520, 2], [None], [None], [None, 2]]


def test_the_twin_resizes_as_pillow_does():
    pixels = scene(31, 45)
    expected = np.asarray(Image.fromarray(pixels).resize((96, 48), Image.Resampling.BICUBIC))
    np.testing.assert_array_equal(twin.resize_bicubic(pixels, 48, 96), expected)
    assert math.isclose(sum(twin.weights(31, 48, 20)[1]), 2**22, abs_tol=8)
