"""The table of a bundle's signatures, before any of it is converted."""

import pytest
import tensorflow as tf

import graph_ops
from export.litert.buckets import Buckets
from export.litert.signatures import STATUS, describe_output, device_signatures
from tests.data import DEMONSTRATION
from tests.export.tiny import tiny_preprocessor

TEXTS = ("tokenize", "token_offsets", "detokenize", "detokenize_stream")
OF_A_SIZE = (*TEXTS, "generate_preprocess_counts", "count_tokens")
BUCKETS = Buckets((64, 256), {"image": ((96, 160),), "audio": ((1,),)})


@pytest.fixture(scope="module")
def settings():
    media = graph_ops.Gemma4ImageConverter(), graph_ops.Gemma4AudioConverter()
    tokenizer = graph_ops.Gemma4Tokenizer(DEMONSTRATION, engine="builtin")
    return graph_ops.Gemma4CausalLMPreprocessor(tokenizer, *media).settings


def test_a_configuration_without_media_has_text_signatures_only():
    tokenizer = graph_ops.Gemma4Tokenizer(DEMONSTRATION, engine="builtin")
    table = device_signatures(graph_ops.Gemma4CausalLMPreprocessor(tokenizer).settings)
    assert list(table) == [*TEXTS, "generate_preprocess", "count_tokens", "generate_postprocess"]


def test_a_bucket_is_a_part_of_its_signatures_name(settings):
    assert list(device_signatures(settings, BUCKETS)) == [
        *(f"{name}_{size}" for size in BUCKETS.text for name in OF_A_SIZE),
        "preprocess_image_96x160",
        "preprocess_audio_1s",
        "generate_postprocess",
    ]


def test_inputs_of_a_bucket_have_its_size_and_others_vary(settings):
    fixed, varying = device_signatures(settings, BUCKETS), device_signatures(settings)
    assert fixed["tokenize_64"].inputs["text"].shape == (64,)
    assert fixed["preprocess_image_96x160"].inputs["images"].shape == (1, 96, 160, 3)
    assert fixed["preprocess_audio_1s"].inputs["audio"].shape == (1, 16_000)
    assert varying["tokenize"].inputs["text"].shape == (None,)
    assert varying["preprocess_image"].inputs["images"].shape == (1, None, None, 3)
    assert all(None not in given.shape for signature in fixed.values() for given in signature.inputs.values())


def test_every_signature_says_what_is_wrong_and_has_dtypes_that_browsers_take(settings):
    for table in (device_signatures(settings), device_signatures(settings, BUCKETS)):
        for signature in table.values():
            assert signature.outputs[-2:] == STATUS
            assert all(given.meaning for given in signature.inputs.values())
            assert {given.dtype for given in signature.inputs.values()} <= {tf.float32, tf.int32, tf.uint8}
            assert all(describe_output(name) != "an output of the model" for name in signature.outputs)


def test_a_text_in_a_bucket_becomes_ids_and_comes_back():
    table = device_signatures(tiny_preprocessor().settings, Buckets((8,)))
    text = {"text": tf.constant([*b"ab a", 9, 9, 9, 9], tf.uint8), "text_length": tf.constant([4])}
    tokens = table["tokenize_8"].function(text)
    assert tokens.keys() == set(table["tokenize_8"].outputs)
    assert not tokens["token_ids"][0, int(tokens["lengths"][0]) :].numpy().any()
    ids = {"token_ids": tokens["token_ids"][:, :8], "lengths": tokens["lengths"]}
    back = table["detokenize_8"].function(ids)
    assert back.keys() == set(table["detokenize_8"].outputs)
    assert bytes(back["text"].numpy())[: int(back["text_length"][0])] == b"ab a"
    assert (tokens["status"].numpy(), back["status"].numpy()) == ([0], [0])


def test_an_output_without_a_meaning_of_ours_is_the_models():
    assert describe_output("lengths") == "ids"
    assert describe_output("pixel_values").startswith("patches in")
    assert describe_output("scores") == "an output of the model"
