"""Taking over KerasHub's preprocessor, tokenizer and converters, and giving them back as a preset that
keras-hub loads.
"""

from typing import Any

import keras_hub
import numpy as np
import pytest

import graph_ops
from export.verify import samples
from graph_ops.config import RowConfig
from graph_ops.layers.from_keras_hub import constructor_arguments, own_converter, own_tokenizer
from graph_ops.media.audio import AUDIO
from graph_ops.media.image import IMAGE
from graph_ops.presets.keras_hub_settings import field_names
from tests.data import DEMONSTRATION
from tests.parity.comparing import differences, labelled

LAYERS, MODELS = keras_hub.layers, keras_hub.models

MEDIA = {
    "text": ({}, {"prompts": ["a fox <turn|>", ""], "responses": ["jumps", "b"]}),
    "images unscaled": (
        {"image_converter": {"max_soft_tokens": 70}, "num_vision_tokens_per_image": 70},
        {"prompts": ["see <|image|>"], "responses": ["ok"], "images": samples.pixels(240, 336)[np.newaxis]},
    ),
    "images normalised": (
        {"image_converter": {"scale": [0.01, 0.02, 0.03], "offset": [-0.5, 0.0, 0.5], "patch_size": 8}},
        {"prompts": ["see <|image|>"], "responses": ["ok"], "images": samples.pixels(384, 384)[np.newaxis]},
    ),
    "audio": (
        {"audio_converter": {}},
        {
            "prompts": ["hear <|audio|>"],
            "responses": ["ok"],
            "audio": samples.sounds(16_000)["sweep"][np.newaxis],
        },
    ),
    "audio with other bins": (
        {"audio_converter": {"mel_floor": 0.01, "num_mels": 64}, "audio_input_feat_size": 64},
        {
            "prompts": ["hear <|audio|>"],
            "responses": ["ok"],
            "audio": samples.sounds(9_000)["sweep"][np.newaxis],
        },
    ),
    "short rows": (
        {
            "image_converter": {"scale": 1 / 255},
            "audio_converter": {},
            "sequence_length": 300,
            "max_images_per_prompt": 1,
        },
        {"prompts": ["a " * 400], "responses": ["b"], "images": None, "audio": None},
    ),
}


def theirs_with(settings, tokenizer=None):
    made = dict(settings)
    for name, layer in (
        ("image_converter", LAYERS.Gemma4ImageConverter),
        ("audio_converter", LAYERS.Gemma4AudioConverter),
    ):
        if name in made:
            made[name] = layer(**made[name])
    return MODELS.Gemma4CausalLMPreprocessor(tokenizer or MODELS.Gemma4Tokenizer(str(DEMONSTRATION)), **made)


def pixel_scale(settings):
    scale = settings.get("image_converter", {}).get("scale") or 1.0
    return 255 * float(np.max(scale))


def assert_equal_rows(theirs, ours, x, settings):
    found = differences(labelled(theirs(x)), labelled(ours(x)), pixel_scale=pixel_scale(settings))
    assert not found
    prompts = {key: value for key, value in x.items() if key != "responses"}
    assert not differences(
        theirs.generate_preprocess(prompts),
        ours.generate_preprocess(prompts),
        pixel_scale=pixel_scale(settings),
    )


@pytest.mark.parametrize(
    "case",
    [pytest.param(case, marks=[pytest.mark.slow] if "image" in case else []) for case in MEDIA],
)
def test_a_keras_hub_preprocessor_taken_over_gives_its_rows(case):
    settings, x = MEDIA[case]
    theirs = theirs_with(settings)
    assert_equal_rows(theirs, graph_ops.Gemma4CausalLMPreprocessor.from_keras_hub(theirs), x, settings)


@pytest.mark.slow
@pytest.mark.parametrize("case", ["images normalised", "audio with other bins", "short rows"])
def test_keras_hub_loads_back_what_save_to_preset_wrote(case, tmp_path):
    settings, x = MEDIA[case]
    theirs = theirs_with(settings)
    ours = graph_ops.Gemma4CausalLMPreprocessor.from_keras_hub(theirs)
    ours.save_to_preset(tmp_path / "preset")
    loaded = MODELS.Gemma4CausalLMPreprocessor.from_preset(str(tmp_path / "preset"))
    assert_equal_rows(loaded, ours, x, settings)
    assert_equal_rows(
        loaded, graph_ops.Gemma4CausalLMPreprocessor.from_preset(tmp_path / "preset"), x, settings
    )


def test_a_folder_that_keras_hub_saved_is_read_with_all_its_settings(tmp_path):
    theirs = theirs_with(
        {"image_converter": {"scale": 0.5}, "audio_converter": {"mel_floor": 0.02}, "sequence_length": 700}
    )
    theirs.save_to_preset(str(tmp_path))
    ours = graph_ops.Gemma4CausalLMPreprocessor.from_preset(tmp_path)
    assert (
        ours.image_converter.config.scale,
        ours.audio_converter.config.mel_floor,
        ours.sequence_length,
    ) == (0.5, 0.02, 700)
    assert ours.tokenizer.proto == DEMONSTRATION.read_bytes()


def test_keras_hubs_layers_are_accepted_by_the_constructor():
    settings, x = MEDIA["short rows"]
    theirs = theirs_with(settings)
    row: dict[str, Any] = {"sequence_length": 300, "max_images_per_prompt": 1}
    ours = graph_ops.Gemma4CausalLMPreprocessor(
        theirs.tokenizer, theirs.image_converter, theirs.audio_converter, **row
    )
    assert_equal_rows(theirs, ours, x, settings)


@pytest.mark.parametrize(
    "flags", [{}, {"has_audio_tokens": True}, {"has_vision_tokens": False, "has_video_tokens": False}]
)
def test_the_tokenizers_flags_decide_what_generated_text_leaves_out(flags):
    theirs = theirs_with({}, MODELS.Gemma4Tokenizer(str(DEMONSTRATION), **flags))
    ours = graph_ops.Gemma4CausalLMPreprocessor.from_keras_hub(theirs)
    ids = ours.tokenizer("a<|image>b<|image|>c<image|>d<|audio>e<|audio|>f<audio|>g<|video|>h").numpy()[
        np.newaxis
    ]
    generated = {"token_ids": ids, "padding_mask": np.ones_like(ids)}
    expected = theirs.generate_postprocess({key: value.copy() for key, value in generated.items()})
    assert ours.generate_postprocess(generated) == list(expected)
    assert graph_ops.Gemma4CausalLMPreprocessor.from_config(ours.get_config()).generate_postprocess(
        generated
    ) == list(expected)


def test_arguments_replace_what_keras_hub_says():
    ours = graph_ops.Gemma4CausalLMPreprocessor.from_keras_hub(
        theirs_with({"image_converter": {}}), sequence_length=700, image_converter=None
    )
    assert (ours.sequence_length, ours.image_converter) == (700, None)


def test_a_video_converter_is_taken_over():
    theirs = theirs_with({})
    theirs.video_converter = LAYERS.Gemma4VideoConverter(max_soft_tokens=140, scale=0.5)
    config = graph_ops.Gemma4CausalLMPreprocessor.from_keras_hub(theirs).video_converter.config
    assert (config.max_soft_tokens, config.num_frames, config.scale) == (140, 32, 0.5)


def test_an_audio_converter_without_frame_length_is_refused():
    theirs = theirs_with({"audio_converter": {}})
    del theirs.audio_converter.frame_length  # keras-hub 0.27's had none
    with pytest.raises(ValueError, match=r"`audio_converter`: must have a `frame_length`.*Upgrade keras-hub"):
        graph_ops.Gemma4CausalLMPreprocessor.from_keras_hub(theirs)
    kept = graph_ops.Gemma4CausalLMPreprocessor.from_keras_hub(
        theirs, audio_converter=graph_ops.Gemma4AudioConverter()
    )
    assert kept.audio_converter.config.frame_length == 320


@pytest.mark.parametrize("name", ["add_bos", "add_eos"])
def test_a_tokenizer_that_adds_tokens_itself_is_refused(name):
    tokenizer = MODELS.Gemma4Tokenizer(str(DEMONSTRATION), **{name: True})
    with pytest.raises(ValueError, match=f"`tokenizer`: `{name}` must be off"):
        graph_ops.Gemma4CausalLMPreprocessor(tokenizer)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((object(),), "tokenizer"),
        ((b"", object()), "image_converter"),
        ((DEMONSTRATION, "photo.jpg"), "image_converter"),
        ((DEMONSTRATION, None, LAYERS.Gemma4ImageConverter()), "audio_converter"),
    ],
)
def test_an_object_of_another_class_is_refused_by_name(arguments, named):
    arguments = tuple(DEMONSTRATION if given == b"" else given for given in arguments)
    with pytest.raises(TypeError, match=f"`{named}`: must be a Gemma4.*ours or KerasHub's; got "):
        graph_ops.Gemma4CausalLMPreprocessor(*arguments)


def test_only_a_keras_hub_preprocessor_is_taken_over(make_preprocessor):
    with pytest.raises(TypeError, match="`preprocessor`: must be a Gemma4CausalLMPreprocessor"):
        graph_ops.Gemma4CausalLMPreprocessor.from_keras_hub(make_preprocessor())


def test_the_constructor_takes_a_vocabulary_file_for_a_tokenizer():
    assert graph_ops.Gemma4CausalLMPreprocessor(DEMONSTRATION).tokenizer.vocabulary_size() == 4096


def test_our_own_layers_are_taken_as_they_are(demonstration_tokenizer):
    assert own_tokenizer(demonstration_tokenizer) is demonstration_tokenizer
    converter = graph_ops.Gemma4AudioConverter()
    assert own_converter(converter, medium=AUDIO) is converter
    assert own_converter(None, medium=IMAGE) is None
    for source in (str(DEMONSTRATION), DEMONSTRATION.read_bytes(), demonstration_tokenizer.vocabulary):
        assert own_tokenizer(source).proto == demonstration_tokenizer.proto
    with pytest.raises(
        TypeError, match="`image_converter`: must be a Gemma4ImageConverter, ours or KerasHub's"
    ):
        own_converter(converter, medium=IMAGE)


def test_a_tokenizer_of_keras_hub_without_a_vocabulary_is_refused():
    with pytest.raises(
        ValueError, match="`tokenizer`: must hold a vocabulary; got a KerasHub tokenizer without one"
    ):
        own_tokenizer(MODELS.Gemma4Tokenizer(None))


def test_arguments_hold_their_layers_and_every_setting_of_rows():
    theirs = theirs_with({"audio_converter": {}, "sequence_length": 700})
    arguments = constructor_arguments(theirs, "Gemma4CausalLMPreprocessor")
    assert arguments["tokenizer"] is theirs.tokenizer
    assert (arguments["image_converter"], arguments["audio_converter"]) == (None, theirs.audio_converter)
    assert RowConfig(**{name: arguments[name] for name in field_names(RowConfig)}).sequence_length == 700
    converters = {"image_converter", "audio_converter", "video_converter"}
    assert arguments.keys() == {"tokenizer", *converters, *field_names(RowConfig)}
