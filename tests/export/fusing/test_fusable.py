"""What a model must be so that a preprocessor can be put before it."""

import types
from typing import Any

import keras
import pytest

import graph_ops
from examples.small_gemma4 import small_gemma4
from export.fusing.fusable import (
    ModelInput,
    check_model,
    generation_settings,
    is_causal_lm,
    named_inputs,
    speaks_ids,
)

LENGTH = 600


@pytest.fixture(scope="module")
def preprocessor(make_preprocessor):
    return make_preprocessor(sequence_length=LENGTH, max_images_per_prompt=1)


@pytest.fixture(scope="module")
def text_only(make_preprocessor):
    return make_preprocessor(images=False, audio=False, sequence_length=64)


@pytest.fixture(scope="module")
def gemma():
    return small_gemma4(4096, images=False, audio=False)


def functional(**shapes):
    inputs = [keras.Input(shape, name=name) for name, shape in shapes.items()]
    return keras.Model(inputs, [keras.layers.Flatten()(tensor) for tensor in inputs])


def test_inputs_of_a_functional_model_have_names():
    assert named_inputs(functional(token_ids=(64,))) == {"token_ids": ModelInput((None, 64), "float32")}
    assert named_inputs(lambda features: features) is None


def test_videos_are_refused_before_a_model_that_generates_alone(gemma, demonstration_tokenizer):
    videos = graph_ops.Gemma4CausalLMPreprocessor(
        demonstration_tokenizer,
        video_converter=graph_ops.Gemma4VideoConverter(num_frames=1),
        num_frames_per_video=1,
        sequence_length=64,
    )
    with pytest.raises(
        ValueError, match=r"`video_converter`: must be left out before a model that generates"
    ):
        check_model(gemma, videos.settings)
    check_model(functional(token_ids=(64,), video_mask=(64,)), videos.settings)


def test_a_model_that_generates_is_told_from_others(gemma, text_only):
    assert is_causal_lm(gemma)
    assert not is_causal_lm(functional(token_ids=(64,)))
    assert speaks_ids(gemma, text_only.settings)


@pytest.mark.parametrize(
    ("shape", "speaks"), [((64, 4096), True), ((None, 4096), True), ((64, 5), False), ((32, 4096), False)]
)
def test_logits_over_the_vocabulary_for_each_place_are_ids(text_only, shape, speaks):
    model = types.SimpleNamespace(output=types.SimpleNamespace(shape=(None, *shape)))
    assert speaks_ids(model, text_only.settings) is speaks


def test_what_fits_is_taken(gemma, preprocessor, text_only):
    check_model(lambda features: features["token_ids"], preprocessor.settings)
    check_model(functional(token_ids=(LENGTH,), pixel_values=(1, 2520, 768)), preprocessor.settings)
    check_model(gemma, text_only.settings)


def test_what_does_not_fit_is_refused_with_the_reason(gemma, preprocessor, make_preprocessor):
    settings = preprocessor.settings
    with pytest.raises(TypeError, match=r"must be a Keras model or another callable .* got str"):
        check_model("gemma", settings)
    with pytest.raises(ValueError, match=r"each of its inputs must be a feature .* got \['video'\]"):
        check_model(functional(video=(3,)), settings)
    with pytest.raises(ValueError, match=r"its input 'token_ids' must take .*; got \[None, 64\]"):
        check_model(functional(token_ids=(64,)), settings)
    with pytest.raises(ValueError, match="`image_converter`: must be left out"):
        check_model(gemma, settings)
    other = small_gemma4(4095, images=False, audio=False)
    text_only = make_preprocessor(images=False, audio=False, sequence_length=64)
    with pytest.raises(ValueError, match="its vocabulary must be the tokenizer's; got 4,095 ids for 4,096"):
        check_model(other, text_only.settings)


def test_a_sampler_of_several_tokens_at_once_is_refused(text_only):
    model = small_gemma4(4096, images=False, audio=False)
    model.compile(sampler="beam")
    with pytest.raises(ValueError, match=r"its sampler must take one token at a time .* got BeamSampler"):
        check_model(model, text_only.settings)


def test_stop_tokens_are_looked_up(text_only):
    generation = generation_settings(text_only.settings, ("<eos>", "<turn|>"), 5, True)
    pieces = text_only.tokenizer.vocabulary.pieces
    assert [pieces[token] for token in generation.stop_ids] == ["<eos>", "<turn|>"]
    assert pieces[generation.pad_id] == "<pad>"
    assert (generation.max_new_tokens, generation.strip_prompt) == (5, True)
    with pytest.raises(ValueError, match=r"must be pieces of the vocabulary; got \['<stop>'\]"):
        generation_settings(text_only.settings, ("<stop>",), None, False)
    with pytest.raises(ValueError, match="`max_new_tokens`: must be at least 1; got 0"):
        generation_settings(text_only.settings, ("<eos>",), 0, False)


def test_media_that_the_model_does_not_read_are_refused(demonstration_tokenizer, gemma):
    for argument, converter in (
        ("image_converter", graph_ops.Gemma4ImageConverter),
        ("audio_converter", graph_ops.Gemma4AudioConverter),
    ):
        media: dict[str, Any] = {argument: converter()}
        preprocessor = graph_ops.Gemma4CausalLMPreprocessor(demonstration_tokenizer, **media)
        with pytest.raises(
            ValueError, match=f"`{argument}`: must be left out for a model without an encoder for it"
        ):
            check_model(gemma, preprocessor.settings)


def test_patches_of_another_size_are_refused(demonstration_tokenizer):
    image_converter = graph_ops.Gemma4ImageConverter(patch_size=8)
    preprocessor = graph_ops.Gemma4CausalLMPreprocessor(demonstration_tokenizer, image_converter)
    with pytest.raises(
        ValueError, match=r"its patches and pools must be the image converter's, \(8, 3\); got \(16, 3\)"
    ):
        check_model(small_gemma4(4096, audio=False), preprocessor.settings)


def test_a_sampler_that_weighs_several_tokens_is_refused(gemma, text_only):
    gemma.compile(sampler="beam")
    with pytest.raises(ValueError, match=r"its sampler must take one token at a time.*got BeamSampler"):
        check_model(gemma, text_only.settings)
    gemma.compile(sampler="greedy")


def test_stop_tokens_and_limits_are_checked(preprocessor):
    with pytest.raises(
        ValueError, match=r"`stop_tokens`: must be pieces of the vocabulary; got \['<stop>'\]"
    ):
        generation_settings(preprocessor.settings, ("<eos>", "<stop>"), None, False)
    with pytest.raises(ValueError, match="`max_new_tokens`: must be at least 1; got 0"):
        generation_settings(preprocessor.settings, (), 0, False)
