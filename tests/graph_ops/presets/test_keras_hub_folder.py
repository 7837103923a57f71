"""Folders in KerasHub's layout: what is read, and what is refused."""

import json

import pytest

import graph_ops
from graph_ops.config import AudioConfig, ImageConfig, RowConfig
from graph_ops.presets.keras_hub_folder import OWN_SETTINGS, read_keras_hub
from graph_ops.presets.settings import WITHOUT_AUDIO
from tests.graph_ops.presets.written import change

Preprocessor = graph_ops.Gemma4CausalLMPreprocessor


def test_a_keras_hub_folder_without_preprocessor_json_has_keras_hubs_defaults(keras_hub_folder):
    (keras_hub_folder / "preprocessor.json").unlink()
    change(keras_hub_folder / "image_converter.json", lambda layer: layer["config"].pop("scale"))
    (keras_hub_folder / "audio_converter.json").unlink()
    made = Preprocessor.from_preset(keras_hub_folder)
    assert (made.row, made.audio_converter) == (RowConfig(), None)
    assert made.image_converter.config == ImageConfig(scale=None)


@pytest.mark.parametrize(
    ("file", "edit", "message"),
    [
        (
            "preprocessor.json",
            lambda layer: layer.update(class_name="Gemma3CausalLMPreprocessor"),
            "must describe a Gemma4CausalLMPrep",
        ),
        (
            "preprocessor.json",
            lambda layer: layer["config"].update(crop=True),
            r"\['crop'\] have none. Remove them",
        ),
        (
            "preprocessor.json",
            lambda layer: layer["config"]["tokenizer"]["config"].update(add_bos=True),
            "`tokenizer`: `add_bos` must be off",
        ),
        (
            "preprocessor.json",
            lambda layer: layer["config"]["image_converter"]["config"].update(patch_size=-1),
            "`patch_size`: must be a pos",
        ),
        (
            "preprocessor.json",
            lambda layer: layer["config"].update(sequence_length=100),
            "`sequence_length`: must exceed",
        ),
    ],
)
def test_a_keras_hub_folder_that_cannot_be_followed_is_refused(keras_hub_folder, file, edit, message):
    change(keras_hub_folder / file, edit)
    with pytest.raises(ValueError, match=message):
        Preprocessor.from_preset(keras_hub_folder)


def test_a_folder_says_what_was_saved(keras_hub_folder, demonstration_tokenizer):
    settings = read_keras_hub(keras_hub_folder)
    assert settings.media == {"image": ImageConfig(), "audio": AudioConfig()}
    assert RowConfig(**settings.row) == RowConfig()
    flags = {"has_vision_tokens": True, "has_audio_tokens": True, "has_video_tokens": True}
    assert settings.tokenizer == flags
    assert settings.vocabulary_sha256 == demonstration_tokenizer.vocabulary.sha256
    assert settings.checked_vocabulary().proto == demonstration_tokenizer.proto


def test_our_own_settings_come_before_keras_hubs(keras_hub_folder):
    own = {"image": {"max_image_pixels": 9}, "row": {"parity": "transformers"}, "vocabulary_sha256": "00"}
    change(keras_hub_folder / "metadata.json", lambda metadata: metadata.update({OWN_SETTINGS: own}))
    settings = read_keras_hub(keras_hub_folder)
    assert settings.media["image"] == ImageConfig(max_image_pixels=9)
    assert settings.row["parity"] == "transformers"
    with pytest.raises(ValueError, match="the vocabulary's sha256 must be the pinned 00; got "):
        settings.checked_vocabulary()


@pytest.mark.parametrize(
    ("converter", "backbone", "silent"),
    [
        (True, None, False),
        (False, {"audio_encoder": None}, True),
        (False, {}, False),
        (True, {"audio_encoder": None}, False),
    ],
)
def test_a_model_without_audio_encoder_takes_no_empty_clips(keras_hub_folder, converter, backbone, silent):
    if not converter:
        change(keras_hub_folder / "preprocessor.json", lambda layer: layer["config"].pop("audio_converter"))
    (keras_hub_folder / "config.json").write_text(
        json.dumps({} if backbone is None else {"config": backbone})
    )
    row = read_keras_hub(keras_hub_folder).row
    assert (row["audio_input_feat_size"] == WITHOUT_AUDIO["audio_input_feat_size"]) == silent


@pytest.mark.parametrize(
    "content", [{"class_name": "Gemma4ImageConverter"}, {"class_name": "Other", "config": {}}, {}]
)
def test_a_file_of_another_layer_is_refused(keras_hub_folder, content):
    (keras_hub_folder / "preprocessor.json").unlink()
    (keras_hub_folder / "image_converter.json").write_text(json.dumps(content))
    with pytest.raises(
        ValueError, match=r"image_converter.json must describe a Gemma4ImageConverter; .* describes"
    ):
        read_keras_hub(keras_hub_folder)
