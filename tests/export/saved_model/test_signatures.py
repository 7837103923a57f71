"""The table of a SavedModel's signatures, before any of it is saved."""

import numpy as np
import pytest
import tensorflow as tf

import graph_ops
from export.saved_model.signatures import DEFAULT, PLAIN_OUTPUTS, array_inputs, signatures
from export.signature import traced
from graph_ops.features import BY_NAME
from graph_ops.media.audio import AUDIO
from graph_ops.media.image import IMAGE
from graph_ops.media.table import MEDIA
from tests.export.tiny import tiny_preprocessor

TEXT_ALONE = ["generate_preprocess_text", "generate_preprocess", "preprocess", "generate_postprocess"]
TEXT_ALONE += ["tokenize", "tokenize_with_offsets", "detokenize", "detokenize_stream"]
TEXT_ALONE += ["parse_response", "count_tokens", DEFAULT]
TEXT_ALONE += ["generate_preprocess_chat", "generate_preprocess_chat_tools", "preprocess_chat"]


@pytest.mark.parametrize(
    ("media", "more"),
    [
        ({"images": False, "audio": False}, set()),
        ({"audio": False}, {"generate_preprocess_image", "generate_preprocess_arrays"}),
        ({"images": False}, {"generate_preprocess_audio", "generate_preprocess_arrays"}),
        (
            {},
            {"generate_preprocess_image", "generate_preprocess_audio", "generate_preprocess_arrays"},
        ),
    ],
    ids=["text alone", "images", "audio", "all"],
)
def test_each_medium_that_the_preprocessor_reads_adds_its_signatures(make_preprocessor, media, more):
    table = signatures(make_preprocessor(**media).settings)
    assert set(table) == {*TEXT_ALONE, *more}
    assert table[DEFAULT] is table["generate_preprocess"]


def test_arrays_come_with_their_sizes():
    image, clip = array_inputs(IMAGE), array_inputs(AUDIO)
    assert [(name, given.dtype, given.shape) for name, given in image.items()] == [
        ("images", tf.uint8, (None, None, None, None, 3)),
        ("image_sizes", tf.int32, (None, None, 2)),
    ]
    assert [(name, given.dtype, given.shape) for name, given in clip.items()] == [
        ("audio", tf.float32, (None, None, None)),
        ("audio_lengths", tf.int32, (None, None)),
    ]


def test_every_input_and_output_has_a_meaning(make_preprocessor):
    for name, signature in signatures(make_preprocessor().settings).items():
        assert signature.meaning, name
        assert all(given.meaning for given in signature.inputs.values()), name
        assert set(signature.outputs) <= BY_NAME.keys() | PLAIN_OUTPUTS.keys(), name
        assert ("status" in signature.outputs) == (not name.startswith("tokenize"))


def test_a_files_signature_takes_files_and_an_arrays_signature_arrays(make_preprocessor):
    videos = graph_ops.Gemma4VideoConverter()
    table = signatures(make_preprocessor(video_converter=videos).settings)
    for medium in MEDIA:
        said = {option.name for option in medium.options}
        assert set(table[f"generate_preprocess_{medium.name}"].inputs) == {"prompts", medium.argument, *said}
        assert table["generate_preprocess"].inputs[medium.argument].dtype == tf.string
        assert table["generate_preprocess_arrays"].inputs[medium.argument].dtype == medium.dtype
    assert set(table["preprocess"].inputs) - set(table["generate_preprocess"].inputs) == {"responses"}


@pytest.mark.parametrize("name", ["generate_preprocess_text", "detokenize"])
def test_outputs_are_those_that_the_table_names(name):
    signature = signatures(tiny_preprocessor().settings)[name]
    outputs = traced(signature).structured_outputs
    assert set(outputs) == set(signature.outputs)
    assert all(outputs[key].shape.as_list() == [None, 16] for key in outputs.keys() & BY_NAME.keys())


def test_a_text_becomes_ids_and_comes_back():
    table = signatures(tiny_preprocessor().settings)
    ids = table["tokenize"].function({"text": tf.constant(["ab a", ""])})
    assert ids["lengths"].numpy()[1] == 0
    back = table["detokenize"].function(ids)
    assert back["text"].numpy().tolist() == [b"ab a", b""]
    assert back["status"].numpy().tolist() == [b"", b""]


def test_compact_pixels_are_the_bytes_of_the_image():
    converter = graph_ops.Gemma4ImageConverter(max_soft_tokens=4)
    settings = tiny_preprocessor(image_converter=converter, num_vision_tokens_per_image=4).settings
    image = np.full((1, 1, 48, 48, 3), 77, np.uint8)
    given = {"prompts": ["<|image|>"], "images": image, "image_sizes": [[[48, 48]]]}
    tensors = {name: tf.constant(value) for name, value in given.items()}
    table = signatures(settings, compact=True)
    pixels = table["generate_preprocess_arrays"].function(tensors)["pixel_values"]
    assert pixels.dtype == tf.uint8
    assert pixels.numpy()[0, 0, 0].tolist() == [77] * 768
