"""Batches of files and of arrays, traced and reloaded, against the NumPy twin."""

import numpy as np
import pytest
import tensorflow as tf
from transformers.models.gemma4.image_processing_pil_gemma4 import Gemma4ImageProcessorPil

from graph_ops.config import SOFT_TOKEN_BUDGETS, ImageConfig
from graph_ops.faults import Fault
from graph_ops.image import encode
from graph_ops.target import LITERT, TENSORFLOW
from tests.graph_ops.image.pictures import CONFIG, noise, scene
from tests.twins import image as twin


def encoded_png(pixels: np.ndarray) -> bytes:
    return tf.io.encode_png(pixels).numpy()


class Edge(tf.Module):
    """The two batch functions with every dim unknown, as a server loads them."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
    def encoded(self, files):
        return encode.encode_images(files, config=CONFIG)

    @tf.function(
        input_signature=[tf.TensorSpec([None, None, None, 3], tf.uint8), tf.TensorSpec([None, 2], tf.int32)],
        autograph=False,
    )
    def arrays(self, images, sizes):
        return encode.encode_image_arrays(images, sizes, config=CONFIG)


@pytest.fixture(scope="module", params=["traced", pytest.param("reloaded", marks=pytest.mark.slow)])
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


@pytest.mark.parametrize("count", [1, 3])
def test_a_batch_without_an_image_is_padding(edge, count):
    arrays = edge.arrays(tf.zeros([count, 1, 1, 3], tf.uint8), tf.zeros([count, 2], tf.int32))
    for outputs in (edge.encoded(tf.fill([count], "")), arrays):
        assert_rows_are(outputs, [None] * count, faults=[0] * count, details=[[0, 0]] * count)


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


@pytest.mark.slow
def test_each_image_of_a_batch_equals_the_reference_with_its_own_budget():
    """The released models' five budgets, in one call of files and in one of arrays."""
    config = ImageConfig(max_soft_tokens=max(SOFT_TOKEN_BUDGETS))
    pictures = [scene(120, 170, seed=seed) for seed in range(len(SOFT_TOKEN_BUDGETS))]
    pictures[1] = noise(7, 300)
    budgets = tf.constant(SOFT_TOKEN_BUDGETS)
    files = tf.constant([encoded_png(picture) for picture in pictures])
    held = np.zeros((len(pictures), 170, 300, 3), np.uint8)
    for place, picture in zip(held, pictures, strict=True):
        place[: picture.shape[0], : picture.shape[1]] = picture
    sizes = tf.constant([picture.shape[:2] for picture in pictures])
    for found in (
        encode.encode_images(files, budgets, config=config),
        encode.encode_image_arrays(tf.constant(held), sizes, budgets, config=config),
    ):
        assert not found.finding.fault.numpy().any()
        for index, budget in enumerate(SOFT_TOKEN_BUDGETS):
            reference = Gemma4ImageProcessorPil(max_soft_tokens=budget)
            expected = reference.preprocess(
                pictures[index], return_tensors="np", input_data_format="channels_last"
            )
            most = 9 * budget
            np.testing.assert_array_equal(found.values[index, :most], expected["pixel_values"][0])
            np.testing.assert_array_equal(found.positions[index, :most], expected["image_position_ids"][0])
            assert not found.values[index, most:].numpy().any()
            assert (found.positions[index, most:].numpy() == -1).all()
            assert found.num_soft_tokens[index] == expected["num_soft_tokens_per_image"][0]
