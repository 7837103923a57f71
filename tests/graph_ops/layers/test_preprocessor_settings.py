"""Settings that are set after construction: checked together, and used from the next call on."""

import numpy as np
import pytest

import graph_ops
from export.cli.options import PreprocessorOptions
from export.cli.preprocessor import make_preprocessor as options_to_preprocessor
from export.verify import samples
from graph_ops.config import ImageConfig, RowConfig
from graph_ops.layers.preprocessor_settings import MediumToken, accept
from graph_ops.settings import make_settings
from tests.data import DEMONSTRATION

PIXELS = samples.pixels(60, 60)
PROMPT = {"prompts": "<|image|>", "images": PIXELS}


def test_row_settings_are_attributes(make_preprocessor):
    preprocessor = make_preprocessor(audio=False)
    for name, value in vars(RowConfig()).items():
        assert getattr(preprocessor, name) == value
    preprocessor.add_end_token, preprocessor.parity = False, "transformers"
    assert preprocessor.row == RowConfig(add_end_token=False, parity="transformers")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("sequence_length", 0, "`sequence_length`: must be a whole number, at least 1; got 0"),
        ("sequence_length", 2.5, "`sequence_length`: must be a whole number, at least 1; got 2.5"),
        ("sequence_length", True, "`sequence_length`: must be a whole number, at least 1; got True"),
        ("audio_input_feat_size", -1, "`audio_input_feat_size`: must be a whole number, at least 0; got -1"),
        ("max_images_per_prompt", -1, "`max_images_per_prompt`: must be a whole number, at least 0; got -1"),
        ("parity", "torch", "`parity`: must be one of .*; got 'torch'"),
        ("allow_special_tokens", "responses", "`allow_special_tokens`: must be one of .*; got 'responses'"),
    ],
)
def test_a_row_configuration_checks_itself(make_preprocessor, name, value, message):
    with pytest.raises(ValueError, match=message):
        RowConfig(**{name: value})
    preprocessor = make_preprocessor()
    before = preprocessor.row
    with pytest.raises(ValueError, match=message):
        setattr(preprocessor, name, value)
    assert preprocessor.row == before


def test_keras_hubs_idiom_for_text_alone_is_accepted(make_preprocessor):
    row = {"max_images_per_prompt": 0, "num_vision_tokens_per_image": 0, "max_audio_clips_per_prompt": 0}
    preprocessor = make_preprocessor(images=False, audio=False, **row)
    assert preprocessor.text_only_model
    assert "pixel_values" not in preprocessor({"prompts": "a", "responses": "b"})[0]
    with pytest.raises(
        ValueError, match=r"`max_images_per_prompt`: must be at least 1; got 0. Leave `image_conv"
    ):
        preprocessor.image_converter = graph_ops.Gemma4ImageConverter()
    assert preprocessor.image_converter is None


def test_a_converter_set_after_a_call_is_used(make_preprocessor):
    preprocessor = make_preprocessor(audio=False)
    first = preprocessor.generate_preprocess(PROMPT)["pixel_values"]
    preprocessor.image_converter = graph_ops.Gemma4ImageConverter(scale=1.0)
    np.testing.assert_array_equal(
        preprocessor.generate_preprocess(PROMPT)["pixel_values"],
        make_like(preprocessor).generate_preprocess(PROMPT)["pixel_values"],
    )
    assert not np.allclose(preprocessor.generate_preprocess(PROMPT)["pixel_values"], first)
    preprocessor.image_converter = None
    with pytest.raises(ValueError, match="`images`: needs a preprocessor with `image_converter`"):
        preprocessor.generate_preprocess(PROMPT)


def test_a_converters_setting_changed_after_a_call_is_used(make_preprocessor):
    preprocessor = make_preprocessor(audio=False)
    preprocessor.generate_preprocess(PROMPT)
    preprocessor.image_converter.scale = [1.0, 2.0, 3.0]
    assert preprocessor.image_converter.config.scale == (1.0, 2.0, 3.0)
    np.testing.assert_array_equal(
        preprocessor.generate_preprocess(PROMPT)["pixel_values"],
        make_like(preprocessor).generate_preprocess(PROMPT)["pixel_values"],
    )
    with pytest.raises(ValueError, match="`patch_size`: must be a positive whole number"):
        preprocessor.image_converter.patch_size = 0
    preprocessor.image_converter.max_soft_tokens, preprocessor.parity = 280, "transformers"
    preprocessor.image_converter.max_soft_tokens = 300
    with pytest.raises(
        ValueError, match=r"must be at least the image converter's `max_soft_tokens`.*280 < 300"
    ):
        preprocessor.generate_preprocess(PROMPT)


def test_a_tokenizer_set_after_a_call_is_used(make_preprocessor, demonstration_tokenizer):
    preprocessor = make_preprocessor(images=False, audio=False)
    before = preprocessor.generate_preprocess("hello")["token_ids"]
    other = without_piece(demonstration_tokenizer, "ll")
    preprocessor.tokenizer = other
    after = preprocessor.generate_preprocess("hello")["token_ids"]
    assert preprocessor.tokenizer is other
    assert not np.array_equal(before, after)
    np.testing.assert_array_equal(after[1 : 1 + len(other("hello"))], other("hello"))


@pytest.mark.parametrize("allowed", ["all", "prompts", "none"])
def test_the_commands_option_says_where_special_tokens_are_allowed(allowed):
    options = PreprocessorOptions(tokenizer=DEMONSTRATION, allow_special_tokens=allowed)
    assert options_to_preprocessor(options).allow_special_tokens == allowed


def test_a_video_converter_may_be_set_and_taken_away(make_preprocessor):
    preprocessor = make_preprocessor()
    assert preprocessor.video_placeholder is None
    preprocessor.video_converter = graph_ops.Gemma4VideoConverter()
    assert (preprocessor.video_placeholder, preprocessor.settings.groups[-1]) == ("<|video|>", "video")
    again = type(preprocessor).from_config(preprocessor.get_config())
    assert again.video_converter.config == preprocessor.video_converter.config
    preprocessor.video_converter = None
    assert preprocessor.settings.row.max_videos_per_prompt == 0
    with pytest.raises(TypeError, match="`video_converter`: must be a Gemma4VideoConverter"):
        preprocessor.video_converter = object()


def test_the_length_of_one_call_is_checked(make_preprocessor):
    with pytest.raises(ValueError, match="`sequence_length`: must be a whole number, at least 1; got -3"):
        make_preprocessor().generate_preprocess("a", sequence_length=-3)


def make_like(preprocessor):
    return graph_ops.Gemma4CausalLMPreprocessor.from_config(preprocessor.get_config())


def without_piece(tokenizer, piece):
    from sentencepiece import sentencepiece_model_pb2 as model_pb2

    model = model_pb2.ModelProto.FromString(tokenizer.proto)
    for entry in model.pieces:
        if entry.piece == piece:
            entry.piece = "no such text"
    return graph_ops.Gemma4Tokenizer(model.SerializeToString())


def test_a_mediums_tokens_are_none_without_its_converter(make_preprocessor):
    preprocessor = make_preprocessor(audio=False)
    assert isinstance(type(preprocessor).image_placeholder, MediumToken)
    names = ("start_of_{}_token", "{}_placeholder", "end_of_{}_token")
    found = [[getattr(preprocessor, name.format(medium)) for name in names] for medium in ("image", "audio")]
    assert found == [["<|image>", "<|image|>", "<image|>"], [None] * 3]
    preprocessor.image_converter = None
    assert preprocessor.image_placeholder is None


def test_accepted_settings_have_what_their_texts_are_read_with():
    tokenizer = graph_ops.Gemma4Tokenizer(DEMONSTRATION)
    row = RowConfig(parity="transformers", allow_special_tokens="prompts")
    assert len(tokenizer.models()) == 1
    accept(make_settings(tokenizer, row, {}))
    assert len(tokenizer.models()) == 3
    with pytest.raises(ValueError, match="`max_images_per_prompt`: must be at least 1"):
        accept(make_settings(tokenizer, RowConfig(max_images_per_prompt=0), {"image": ImageConfig()}))
