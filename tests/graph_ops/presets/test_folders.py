"""Which of the two published layouts a preset folder has, and what both have in common."""

import lzma
import pathlib
import shutil

import pytest

import graph_ops
from graph_ops.config import ImageConfig
from graph_ops.presets.folders import read_folder
from tests.data import DEMONSTRATION, REAL, needs_real

Preprocessor = graph_ops.Gemma4CausalLMPreprocessor


def test_a_folder_without_its_vocabulary_is_refused_unless_another_is_given(
    huggingface_folder, demonstration_tokenizer
):
    folder = huggingface_folder(**{"tokenizer.json": None})
    with pytest.raises(
        FileNotFoundError, match=r"`preset`: a folder must hold its vocabulary; .*tokenizer.json is missing"
    ):
        Preprocessor.from_preset(folder)
    assert Preprocessor.from_preset(folder, tokenizer=demonstration_tokenizer).image_converter is not None


def test_a_folder_in_neither_layout_is_refused_with_what_was_looked_for(tmp_path):
    (tmp_path / "weights.bin").write_bytes(b"")
    with pytest.raises(FileNotFoundError) as raised:
        Preprocessor.from_preset(tmp_path)
    for name in (
        "preprocessor.json",
        "assets/tokenizer/vocabulary.spm",
        "tokenizer.json",
        "processor_config.json",
        str(tmp_path),
    ):
        assert name in str(raised.value)
    with pytest.raises(
        FileNotFoundError,
        match=r"`tokenizer`: a preset folder must hold assets/tokenizer/vocabulary.spm or tokenizer.json",
    ):
        graph_ops.Gemma4Tokenizer(tmp_path)


def test_a_tokenizer_is_made_from_a_folder_of_either_layout(
    keras_hub_folder, tmp_path_factory, small_tokenizer_json
):
    assert graph_ops.Gemma4Tokenizer(str(keras_hub_folder)).proto == DEMONSTRATION.read_bytes()
    other = tmp_path_factory.mktemp("huggingface")
    (other / "tokenizer.json").write_text(small_tokenizer_json)
    assert graph_ops.Gemma4Tokenizer(other).vocabulary_size() == 4096


@needs_real
def test_the_real_vocabulary_comes_equal_from_both_layouts(tmp_path):
    keras_hub, huggingface = tmp_path / "keras_hub" / "assets" / "tokenizer", tmp_path / "huggingface"
    for folder in (keras_hub, huggingface):
        folder.mkdir(parents=True)
    shutil.copy(REAL, keras_hub / "vocabulary.spm")
    packed = pathlib.Path(REAL).with_name("tokenizer.json.xz").read_bytes()
    (huggingface / "tokenizer.json").write_bytes(lzma.decompress(packed))
    first, second = (
        Preprocessor.from_preset(folder).tokenizer for folder in (tmp_path / "keras_hub", huggingface)
    )
    assert first.vocabulary.pieces == second.vocabulary.pieces
    assert first.vocabulary.types == second.vocabulary.types
    text = "This is a test. <|image|> Ünïcödé\t日本語 ▁ 🦊"
    assert first(text).numpy().tolist() == second(text).numpy().tolist()


def test_a_folder_in_both_layouts_is_read_as_keras_hubs(keras_hub_folder, small_tokenizer_json):
    (keras_hub_folder / "processor_config.json").write_text('{"image_processor": {"patch_size": 8}}')
    settings = read_folder(keras_hub_folder)
    assert settings.media["image"] == ImageConfig()
    (keras_hub_folder / "preprocessor.json").unlink()
    (keras_hub_folder / "assets" / "tokenizer" / "vocabulary.spm").unlink()
    (keras_hub_folder / "tokenizer.json").write_text(small_tokenizer_json)
    (keras_hub_folder / "config.json").unlink()
    assert read_folder(keras_hub_folder).media["image"] == ImageConfig(patch_size=8)
