"""The image step as LiteRT runs it, with builtin ops only, against Pillow, transformers and the NumPy
twin.
"""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.compiled_model import CompiledModel
from ai_edge_litert.interpreter import Interpreter
from transformers import Gemma4ImageProcessorPil

from graph_ops.config import ImageConfig
from graph_ops.faults import Fault
from graph_ops.image.encode import encode_image_arrays
from graph_ops.image.encode_litert import encode_unrolled
from graph_ops.image.patches import image_to_patches
from graph_ops.target import LITERT
from tests.graph_ops.image.pictures import CONFIG, noise, scene
from tests.twins import image as twin

OUTPUTS = ("pixel_values", "pixel_position_ids", "num_soft_tokens", "fault", "detail")


def traced(shape, *, sizes=None, config=CONFIG) -> tf.Module:
    """The step for images of a shape, of `sizes` or of sizes that are an input."""
    images = tf.TensorSpec(shape, tf.uint8, name="images")

    def step(images, sizes):
        return dict(
            zip(
                OUTPUTS,
                tf.nest.flatten(encode_image_arrays(images, sizes, config=config, target=LITERT)),
                strict=True,
            )
        )

    module = tf.Module()
    if sizes is None:
        signature = [images, tf.TensorSpec([shape[0], 2], tf.int32, name="sizes")]
        module.step = tf.function(step, input_signature=signature, autograph=False)
    else:
        module.step = tf.function(
            lambda images: step(images, tf.constant(sizes)), input_signature=[images], autograph=False
        )
    return module


def convert(module: tf.Module) -> bytes:
    converter = tf.lite.TFLiteConverter.from_concrete_functions([module.step.get_concrete_function()], module)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    return converter.convert()


class Model:
    """Runs a LiteRT model by the names of its inputs and outputs."""

    def __init__(self, content: bytes):
        self._runner = Interpreter(model_content=content, num_threads=1).get_signature_runner()

    def __call__(self, images, sizes=None):
        inputs = {"images": np.ascontiguousarray(images)} | (
            {} if sizes is None else {"sizes": np.array(sizes, np.int32)}
        )
        outputs = self._runner(**inputs)
        return [outputs[name] for name in OUTPUTS]


@pytest.fixture(scope="module")
def any_size():
    return Model(convert(traced([1, None, None, 3])))


@pytest.fixture(scope="module")
def bucket_content():
    return convert(traced([2, 100, 130, 3]))


@pytest.fixture(scope="module")
def bucket(bucket_content):
    return Model(bucket_content)


def assert_rows_are(outputs, expected_images):
    """Each row is what the twin makes of its image, or padding for None."""
    for row, pixels in enumerate(expected_images):
        pixels = np.zeros((0, 0, 3), np.uint8) if pixels is None else pixels
        for output, expected in zip(outputs, twin.image_to_patches(pixels), strict=False):
            np.testing.assert_array_equal(output[row], expected)


def in_bucket(*images, garbage: int) -> tuple[np.ndarray, list[list[int]]]:
    batch = np.full((2, 100, 130, 3), garbage, np.uint8)
    for row, pixels in enumerate(images):
        batch[row, : pixels.shape[0], : pixels.shape[1]] = pixels
    return batch, [list(pixels.shape[:2]) for pixels in images]


def test_images_of_any_size_equal_the_reference_processor(any_size):
    processor = Gemma4ImageProcessorPil()
    random = np.random.default_rng(0)
    sizes = [
        (480, 640),
        (876, 1300),
        (512, 512),
        (1, 1),
        (1, 700),
        (700, 1),
        (768, 768),
        (2000, 3000),
        (1500, 90),
        (90, 1500),
    ]
    sizes += np.exp(random.uniform(1, 7, (30, 2))).astype(int).tolist()
    for seed, (height, width) in enumerate(sizes):
        pixels = (noise if seed % 2 else scene)(height, width, seed=seed)
        expected = processor.preprocess(pixels, return_tensors="np", input_data_format="channels_last")
        values, positions, count, fault, _ = any_size(pixels[np.newaxis], [pixels.shape[:2]])
        np.testing.assert_array_equal(values, expected["pixel_values"], str(pixels.shape))
        np.testing.assert_array_equal(positions, expected["image_position_ids"])
        assert (count[0], fault[0]) == (expected["num_soft_tokens_per_image"][0], Fault.NONE)


def test_rows_come_first_where_pillow_takes_them_first(any_size):
    processor = Gemma4ImageProcessorPil()
    for height, width in ((3000, 500), (2400, 600), (2500, 300), (1800, 5)):
        pixels = noise(height, width)
        expected = processor.preprocess(pixels, return_tensors="np", input_data_format="channels_last")
        np.testing.assert_array_equal(
            any_size(pixels[np.newaxis], [[height, width]])[0], expected["pixel_values"]
        )


@pytest.mark.slow
@pytest.mark.parametrize("garbage", [0, 255])
def test_what_lies_outside_an_image_changes_nothing(any_size, bucket, garbage):
    first, second = scene(40, 70), noise(100, 48)
    outputs = bucket(*in_bucket(first, second, garbage=garbage))
    assert_rows_are(outputs, [first, second])
    assert outputs[3].tolist() == [Fault.NONE] * 2
    assert_rows_are(any_size(in_bucket(first, garbage=garbage)[0][:1], [first.shape[:2]]), [first])


@pytest.mark.parametrize(
    ("size", "fault"),
    [
        ([0, 0], Fault.NONE),
        ([0, 5], Fault.IMAGE_TOO_THIN),
        ([5, 0], Fault.IMAGE_TOO_THIN),
        ([101, 130], Fault.IMAGE_SIZE),
        ([100, 131], Fault.IMAGE_SIZE),
        ([-1, 10], Fault.IMAGE_SIZE),
        ([-(2**31), 2**31 - 1], Fault.IMAGE_SIZE),
        ([2**31 - 1, 2**31 - 1], Fault.IMAGE_SIZE),
    ],
)
def test_an_absent_or_faulty_image_is_padding_and_leaves_the_next_alone(bucket, size, fault):
    batch, _ = in_bucket(noise(100, 130), noise(30, 30), garbage=7)
    outputs = bucket(batch, [size, [30, 30]])
    assert_rows_are(outputs, [None, noise(30, 30)])
    assert outputs[3].tolist() == [fault, Fault.NONE]
    assert outputs[4].tolist() == [size if fault else [0, 0], [0, 0]]


def test_another_configuration_works():
    config = ImageConfig(
        patch_size=14,
        max_soft_tokens=30,
        scale=(1 / 255, 1 / 127.5, 0.5),
        offset=(0.0, -1.0, 3.0),
        max_image_pixels=150 * 90,
    )
    model = Model(convert(traced([1, None, None, 3], config=config)))
    for height, width, fault in (
        (150, 90, Fault.NONE),
        (151, 90, Fault.IMAGE_TOO_LARGE),
        (1, 13_501, Fault.IMAGE_TOO_LARGE),
    ):
        pixels, sizes = scene(height, width)[np.newaxis], [[height, width]]
        ours = model(pixels, sizes)
        assert ours[3].tolist() == [fault]
        theirs = tf.nest.flatten(encode_image_arrays(pixels, sizes, config=config))
        for one, other in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-6, atol=2e-7)


def test_a_side_that_is_too_long_for_a_device_is_a_fault(any_size):
    *_, fault, detail = any_size(np.zeros((1, 1, 65_536, 3), np.uint8), [[1, 65_536]])
    assert (fault.tolist(), detail.tolist()) == ([Fault.IMAGE_SIZE], [[1, 65_536]])


def test_an_array_without_pixels_holds_no_image(any_size):
    outputs = any_size(np.zeros((1, 1, 1, 3), np.uint8), [[0, 0]])
    assert_rows_are(outputs, [None])
    assert outputs[3].tolist() == [Fault.NONE]


def test_known_sizes_need_no_computation_of_weights_and_give_the_same():
    pixels = scene(61, 83)
    known, unknown = traced([1, 100, 130, 3], sizes=[[61, 83]]), traced([1, 100, 130, 3])
    batch, _ = in_bucket(pixels, garbage=9)
    assert_rows_are(Model(convert(known))(batch[:1]), [pixels])
    assert num_operations(known) < num_operations(unknown) / 2


def num_operations(module: tf.Module) -> int:
    graph = module.step.get_concrete_function().graph.as_graph_def()
    return len(graph.node) + sum(len(function.node_def) for function in graph.library.function)


@pytest.mark.parametrize("size", [[101, 3], [0, 3], [0, 0]])
def test_known_sizes_that_are_faulty_are_padding(size):
    known = tf.function(
        lambda images: encode_image_arrays(images, tf.constant([size]), config=CONFIG, target=LITERT),
        autograph=False,
    )
    found = known(tf.constant(noise(100, 130)[np.newaxis]))
    outputs = [output.numpy() for output in tf.nest.flatten(found)]
    assert_rows_are(outputs, [None])
    assert bool(outputs[3][0]) == (size != [0, 0])


def test_a_compiled_model_gives_the_same(bucket_content):
    model = CompiledModel.from_buffer(bucket_content)
    first, second = scene(40, 70), noise(100, 48)
    batch, sizes = in_bucket(first, second, garbage=3)
    inputs, outputs = model.create_input_buffers(0), model.create_output_buffers(0)
    signature = model.get_signature_list()
    key = next(iter(signature))
    arrays = {"images": batch, "sizes": np.array(sizes, np.int32)}
    for buffer, name in zip(inputs, signature[key]["inputs"], strict=True):
        buffer.write(arrays[name])
    model.run_by_index(0, inputs, outputs)
    shapes = dict(zip(OUTPUTS, ((2, 2520, 768), (2, 2520, 2), (2,), (2,), (2, 2)), strict=True))
    results = {
        name: buffer.read(
            int(np.prod(shapes[name])), np.float32 if name == "pixel_values" else np.int32
        ).reshape(shapes[name])
        for buffer, name in zip(outputs, signature[key]["outputs"], strict=True)
    }
    assert_rows_are([results[name] for name in OUTPUTS], [first, second])


@pytest.mark.parametrize("number", [None, 0])
def test_an_unknown_number_of_images_is_refused(number):
    step = tf.function(
        lambda images, sizes: encode_image_arrays(images, sizes, config=CONFIG, target=LITERT),
        autograph=False,
    )
    with pytest.raises(
        ValueError, match=rf"`images`: their number must be known while tracing, .* got {number}\. Fix dim 0"
    ):
        step.get_concrete_function(
            tf.TensorSpec([number, None, None, 3], tf.uint8), tf.TensorSpec([number, 2], tf.int32)
        )


@pytest.mark.parametrize("seed", range(4))
def test_unrolled_images_are_those_of_each_crop_alone(seed):
    config = ImageConfig(max_soft_tokens=2)
    sizes = np.random.default_rng(seed).integers(0, 30, (3, 2)).astype(np.int32)
    images = np.stack([noise(30, 30, seed=10 * seed + index) for index in range(3)])
    found = encode_unrolled(tf.constant(images), tf.constant(sizes), config=config, target=LITERT)
    for row, (height, width) in enumerate(sizes.tolist()):
        values, positions, count, finding = image_to_patches(images[row, :height, :width], config=config)
        np.testing.assert_allclose(found.values[row], values, rtol=0, atol=1e-7)
        np.testing.assert_array_equal(found.positions[row], positions)
        assert found.num_soft_tokens[row] == count
        assert found.finding.fault[row] == finding.fault


def test_the_targets_longest_side_is_a_limit_too():
    target = dataclasses.replace(LITERT, longest_side=8)
    images, sizes = tf.zeros([2, 9, 9, 3], tf.uint8), tf.constant([[8, 8], [8, 9]])
    found = encode_unrolled(images, sizes, config=ImageConfig(max_soft_tokens=1), target=target)
    assert found.finding.fault.numpy().tolist() == [Fault.NONE, Fault.IMAGE_SIZE]
    assert found.finding.detail.numpy().tolist() == [[0, 0], [8, 9]]
    assert found.num_soft_tokens.numpy().tolist() == [1, 0]
