"""Folders that are written, read again."""

import json

import pytest

import graph_ops
from graph_ops.config import AudioConfig, ImageConfig
from graph_ops.media.audio import AUDIO
from graph_ops.media.image import IMAGE
from graph_ops.presets.keras_hub_folder import OWN_SETTINGS, read_keras_hub
from graph_ops.presets.saving import write_converter, write_folder, write_tokenizer
from tests.data import DEMONSTRATION


def test_a_saved_preset_keeps_what_keras_hub_has_no_place_for(tmp_path, demonstration_tokenizer):
    saved = graph_ops.Gemma4CausalLMPreprocessor(
        demonstration_tokenizer,
        graph_ops.Gemma4ImageConverter(
            max_image_pixels=1000,
            scale=(0.1, 0.2, 0.3),
            apply_exif_orientation=False,
            background_color=(1, 2, 3),
        ),
        parity="transformers",
    )
    saved.save_to_preset(tmp_path)
    loaded = graph_ops.Gemma4CausalLMPreprocessor.from_preset(tmp_path)
    assert loaded.settings[1:] == saved.settings[1:]
    assert loaded.tokenizer.vocabulary.sha256 == saved.tokenizer.vocabulary.sha256


def test_a_saved_preset_of_the_unified_model_is_read_as_one(tmp_path, demonstration_tokenizer):
    class_ = graph_ops.Gemma4CausalLMPreprocessor
    saved = class_.from_preset("gemma4_unified_12b", tokenizer=demonstration_tokenizer)
    saved.save_to_preset(tmp_path)
    assert class_.from_preset(tmp_path).settings[1:] == saved.settings[1:]
    again = class_.from_config(saved.get_config())
    assert again.settings[1:] == saved.settings[1:]


def test_saving_again_without_a_medium_removes_its_converter(tmp_path, make_preprocessor):
    make_preprocessor().save_to_preset(tmp_path)
    make_preprocessor(audio=False).save_to_preset(tmp_path)
    assert graph_ops.Gemma4CausalLMPreprocessor.from_preset(tmp_path).audio_converter is None


def test_saving_leaves_a_models_own_files_alone(tmp_path, make_preprocessor):
    (tmp_path / "config.json").write_text('{"kept": true}')
    (tmp_path / "metadata.json").write_text('{"keras_version": "3.15"}')
    make_preprocessor().save_to_preset(tmp_path)
    assert (tmp_path / "config.json").read_text() == '{"kept": true}'
    assert "3.15" in (tmp_path / "metadata.json").read_text()


def read(path):
    return json.loads(path.read_text())


def test_a_folder_has_the_files_of_its_media_and_what_they_say(tmp_path, make_preprocessor):
    preprocessor = make_preprocessor(audio=False, sequence_length=700, parity="transformers")
    write_folder(preprocessor.settings, tmp_path / "new" / "folder")
    folder = tmp_path / "new" / "folder"
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    settings_files = ("config", "metadata", "preprocessor", "tokenizer", "image_converter")
    assert files == {"assets/tokenizer/vocabulary.spm", *(f"{name}.json" for name in settings_files)}
    row = read(folder / "preprocessor.json")["config"]
    assert (row["sequence_length"], "parity" in row) == (700, False)
    own = read(folder / "metadata.json")[OWN_SETTINGS]
    assert own == {
        "vocabulary_sha256": preprocessor.tokenizer.vocabulary.sha256,
        "row": {"parity": "transformers", "keras_hub_version": preprocessor.keras_hub_version},
    }
    assert read_keras_hub(folder).media == {"image": ImageConfig()}


def test_a_task_that_holds_our_preprocessor_gets_keras_hubs(tmp_path, make_preprocessor):
    task = {"config": {"preprocessor": {"class_name": "ours"}, "backbone": 3}, "other": 1}
    (tmp_path / "task.json").write_text(json.dumps(task))
    write_folder(make_preprocessor().settings, tmp_path)
    found = read(tmp_path / "task.json")
    assert found["config"]["preprocessor"] == read(tmp_path / "preprocessor.json")
    assert (found["config"]["backbone"], found["other"]) == (3, 1)


def test_a_task_without_a_preprocessor_stays_what_it_is(tmp_path, make_preprocessor):
    (tmp_path / "task.json").write_text('{"config": {"preprocessor": null}}')
    write_folder(make_preprocessor().settings, tmp_path)
    assert (tmp_path / "task.json").read_text() == '{"config": {"preprocessor": null}}'


@pytest.mark.parametrize(
    ("config", "medium"),
    [(ImageConfig(scale=None, max_soft_tokens=70), IMAGE), (AudioConfig(num_mels=4), AUDIO)],
)
def test_a_converter_alone_is_written_field_by_field(tmp_path, config, medium):
    write_converter(config, medium, tmp_path / "new")
    layer = read(tmp_path / "new" / f"{medium.converter}.json")
    assert layer["registered_name"] == f"keras_hub>Gemma4{medium.name.capitalize()}Converter"
    again = medium.config(**layer["config"])
    assert again == config


def test_a_tokenizer_alone_is_its_flags_and_its_vocabulary(tmp_path):
    tokenizer = graph_ops.Gemma4Tokenizer(DEMONSTRATION, has_vision_tokens=False)
    assert write_tokenizer(tokenizer, str(tmp_path)) == tmp_path
    assert (tmp_path / "assets" / "tokenizer" / "vocabulary.spm").read_bytes() == tokenizer.proto
    config = read(tmp_path / "tokenizer.json")["config"]
    flags = {"has_vision_tokens": False, "has_audio_tokens": False, "has_video_tokens": True}
    assert config == {"proto": None, **flags}


def test_a_folder_that_cannot_be_written_is_an_error_of_the_system(tmp_path, make_preprocessor):
    (tmp_path / "file").write_bytes(b"")
    for write in (
        lambda folder: write_folder(make_preprocessor().settings, folder),
        lambda folder: write_converter(ImageConfig(), IMAGE, folder),
    ):
        with pytest.raises(OSError, match="file"):
            write(tmp_path / "file")


def test_a_medium_that_is_taken_no_more_leaves_no_file(tmp_path, make_preprocessor):
    write_folder(make_preprocessor().settings, tmp_path)
    assert (tmp_path / "audio_converter.json").is_file()
    write_folder(make_preprocessor(audio=False).settings, tmp_path)
    assert not (tmp_path / "audio_converter.json").exists()
    assert (tmp_path / "image_converter.json").is_file()
