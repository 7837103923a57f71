"""Built-in presets: names, numbers, overrides, and what is refused."""

import keras_hub
import pytest
from transformers.models.gemma4_unified.configuration_gemma4_unified import (
    Gemma4UnifiedAudioConfig,
    Gemma4UnifiedVisionConfig,
)

import graph_ops
from graph_ops.config import AudioConfig, ImageConfig, RowConfig
from graph_ops.family import GEMMA4, GEMMA4_UNIFIED
from graph_ops.presets.catalogue import PRESETS, downloads
from tests.data import DEMONSTRATION

Preprocessor = graph_ops.Gemma4CausalLMPreprocessor
UNIFIED = {"gemma4_unified_12b", "gemma4_unified_instruct_12b"}
HEARING = {"gemma4_2b", "gemma4_instruct_2b", "gemma4_4b", "gemma4_instruct_4b"}


def test_presets_are_those_of_keras_hub_that_can_be_used_alone():
    theirs = keras_hub.models.Gemma4CausalLMPreprocessor.presets
    ours = {name: preset for name, preset in PRESETS.items() if preset.kaggle_handle}
    assert set(ours) == {name for name in theirs if not name.endswith("_assistant")}
    for name, preset in ours.items():
        assert preset.parameters == theirs[name]["metadata"]["params"]
        assert preset["kaggle_handle"] == preset.kaggle_handle == theirs[name]["kaggle_handle"]
        assert preset["metadata"]["params"] == preset.parameters
        assert preset["metadata"]["description"] == preset.description
        assert ("audio" in preset.modalities) == ("audio" in theirs[name]["metadata"]["description"])


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_has_the_released_models_numbers(name, demonstration_tokenizer):
    preprocessor = Preprocessor.from_preset(name, tokenizer=demonstration_tokenizer)
    if name in UNIFIED:
        row = RowConfig(parity="transformers", chat_variant="large", audio_input_feat_size=640)
    elif name in HEARING:
        row = RowConfig()
    else:
        row = RowConfig(chat_variant="large", audio_input_feat_size=0)
    assert preprocessor.row == row
    family = PRESETS[name].family
    assert family == (GEMMA4_UNIFIED if name in UNIFIED else GEMMA4)
    assert preprocessor.image_converter.config == family.image
    assert (preprocessor.audio_converter is not None) == (name in HEARING | UNIFIED)
    if name in HEARING | UNIFIED:
        assert preprocessor.audio_converter.config == family.audio


def test_the_numbers_of_the_unified_model_are_those_of_transformers():
    image, audio = Gemma4UnifiedVisionConfig(), Gemma4UnifiedAudioConfig()
    ours = GEMMA4_UNIFIED
    assert (ours.image.patch_size, ours.image.pooling_kernel_size) == (image.model_patch_size, 1)
    assert (ours.image.max_patches, ours.image.patch_dim) == (280, 3 * image.model_patch_size**2)
    assert ours.audio.stride == ours.audio.frame_size == audio.audio_samples_per_token
    assert (ours.audio.max_frames, ours.audio.max_soft_tokens) == (750, 750)


def test_arguments_replace_the_presets_numbers(demonstration_tokenizer):
    converter = graph_ops.Gemma4ImageConverter(max_soft_tokens=70)
    made = Preprocessor.from_preset(
        "gemma4_2b",
        tokenizer=demonstration_tokenizer,
        image_converter=converter,
        audio_converter=None,
        sequence_length=900,
    )
    assert (made.image_converter, made.audio_converter, made.sequence_length) == (converter, None, 900)


@pytest.mark.parametrize(
    "tokenizer",
    [DEMONSTRATION, str(DEMONSTRATION), DEMONSTRATION.read_bytes()],
    ids=["path", "string", "bytes"],
)
def test_a_vocabulary_file_serves_as_tokenizer(tokenizer):
    assert Preprocessor.from_preset("gemma4_2b", tokenizer=tokenizer).tokenizer.vocabulary_size() == 4096


def test_converters_come_from_presets_without_a_vocabulary():
    assert graph_ops.Gemma4ImageConverter.from_preset("gemma4_31b", max_soft_tokens=70).config == ImageConfig(
        max_soft_tokens=70
    )
    assert graph_ops.Gemma4AudioConverter.from_preset("gemma4_2b").config == AudioConfig()
    with pytest.raises(
        ValueError, match="`preset`: must be of a model that reads audio; 'gemma4_31b' is not"
    ):
        graph_ops.Gemma4AudioConverter.from_preset("gemma4_31b")


def test_audio_for_a_model_that_hears_none_is_refused(demonstration_tokenizer):
    with pytest.raises(
        ValueError,
        match=r"`audio_converter`: must be left out for a model that does not read audio.*'gemma4_31b'",
    ):
        Preprocessor.from_preset(
            "gemma4_31b", tokenizer=demonstration_tokenizer, audio_converter=graph_ops.Gemma4AudioConverter()
        )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("gemma4_instrct_2b", "Did you mean gemma4_instruct_2b or "),
        ("gemma4_26b", "Did you mean .*gemma4_26b_a4b"),
        ("llama", "Built-in presets: gemma4_2b, "),
        (str(DEMONSTRATION), "It is a file: pass a vocabulary as the tokenizer"),
    ],
)
def test_an_unknown_preset_is_refused_with_the_nearest_names(given, message):
    with pytest.raises(
        ValueError, match=f"`preset`: must be a built-in preset, a folder, .*which is none of them. {message}"
    ):
        Preprocessor.from_preset(given)


def test_the_pinned_vocabulary_is_the_only_one_that_is_taken(demonstration_tokenizer):
    pinned = demonstration_tokenizer.vocabulary.sha256
    assert Preprocessor.from_preset("gemma4_2b", tokenizer=DEMONSTRATION, vocabulary_sha256=pinned.upper())
    with pytest.raises(
        ValueError, match=f"`tokenizer`: the vocabulary's sha256 must be the pinned {'0' * 64}; got {pinned}"
    ):
        Preprocessor.from_preset("gemma4_2b", tokenizer=DEMONSTRATION, vocabulary_sha256="0" * 64)


def test_a_saved_preset_pins_its_vocabulary(tmp_path, make_preprocessor):
    make_preprocessor().save_to_preset(tmp_path)
    vocabulary = tmp_path / downloads.KERAS_HUB_VOCABULARY
    changed = bytearray(vocabulary.read_bytes())
    place = changed.index("▁the".encode())
    changed[place : place + 6] = "▁tha".encode()
    vocabulary.write_bytes(changed)
    with pytest.raises(ValueError, match="`tokenizer`: the vocabulary's sha256 must be the pinned"):
        Preprocessor.from_preset(tmp_path)


@pytest.mark.parametrize(
    ("config", "settings", "message"),
    [
        (ImageConfig, {"patch_size": 0}, "`patch_size`: must be a positive whole number; got 0"),
        (
            ImageConfig,
            {"max_soft_tokens": 280.0},
            "`max_soft_tokens`: must be a positive whole number; got 280.0",
        ),
        (
            ImageConfig,
            {"scale": (1.0, 2.0)},
            r"`scale`: must be one number or one for each of 3 channels; got \(1.0, 2.0\)",
        ),
        (AudioConfig, {"stride": True}, "`stride`: must be a positive whole number; got True"),
        (AudioConfig, {"num_fft_bins": 256}, "`frame_length`: must be at most `num_fft_bins`; got 320 > 256"),
        (
            AudioConfig,
            {"max_frequency": 8001.0},
            "`max_frequency`: must be above `min_frequency` and at most half",
        ),
        (AudioConfig, {"min_frequency": 8000.0}, "`max_frequency`: must be above `min_frequency`"),
        (AudioConfig, {"mel_floor": 0.0}, "`mel_floor`: must be positive"),
        (
            AudioConfig,
            {"features": "mfcc"},
            r"`features`: must be one of \('log_mel', 'waveform'\); got 'mfcc'",
        ),
        (
            AudioConfig,
            {"features": "waveform"},
            "`features`: with 'waveform' `frame_length` must be `stride`",
        ),
        (
            AudioConfig,
            {"per_bin_mean": (0.0,)},
            "`per_bin_mean`: must have one number for each of 128 mel bins; got 1",
        ),
    ],
)
def test_settings_that_make_no_sense_are_refused_where_they_are_given(config, settings, message):
    with pytest.raises(ValueError, match=message):
        config(**settings)
