"""Built-in presets of models that embed."""

import json

import keras_hub
import pytest

from graph_ops.config import AudioConfig, ImageConfig
from graph_ops.presets.catalogue import downloads
from graph_ops.presets.embedding import EMBEDDING_PRESETS, load_embedding_preset
from graph_ops.text.vocabulary.vocabulary import load_vocabulary
from tests.data import DEMONSTRATION


def test_a_preset_has_the_released_models_numbers():
    (name,) = EMBEDDING_PRESETS
    settings = load_embedding_preset(name)
    assert settings.media == {"image": ImageConfig(), "audio": AudioConfig()}
    assert settings.row == settings.tokenizer == {}
    with pytest.raises(ValueError, match="`preset`: must be a built-in preset of a model that embeds"):
        load_embedding_preset("gemma4_2b")


def test_presets_are_those_of_keras_hub():
    embedder = getattr(keras_hub.models, "EmbeddingGemma2TextEmbedder", None)
    if embedder is None:
        pytest.skip("keras-hub has EmbeddingGemma 2 from 0.33 on")
    assert embedder.presets.keys() == EMBEDDING_PRESETS.keys()
    for name, theirs in embedder.presets.items():
        preset = EMBEDDING_PRESETS[name]
        assert preset["kaggle_handle"] == theirs["kaggle_handle"]
        assert preset["metadata"]["params"] == theirs["metadata"]["params"]


def layer(name, **config):
    return {"class_name": name, "config": config}


def test_a_folder_of_keras_hubs_is_read(tmp_path):
    layers = {
        "tokenizer": layer("EmbeddingGemma2Tokenizer", has_audio_tokens=True),
        "image_converter": layer("EmbeddingGemma2ImageConverter", scale=0.5, max_soft_tokens=70),
        "audio_converter": None,
        "video_converter": layer("EmbeddingGemma2VideoConverter"),
    }
    described = layer("EmbeddingGemma2TextEmbedderPreprocessor", sequence_length=300, **layers)
    (tmp_path / "preprocessor.json").write_text(json.dumps(described))
    settings = load_embedding_preset(tmp_path)
    assert settings.media == {"image": ImageConfig(scale=0.5, max_soft_tokens=70)}
    assert (settings.row, settings.tokenizer) == ({"sequence_length": 300}, {"has_audio_tokens": True})
    (tmp_path / "preprocessor.json").write_text(json.dumps(layer("Gemma4CausalLMPreprocessor")))
    with pytest.raises(ValueError, match="must describe a EmbeddingGemma2TextEmbedderPreprocessor"):
        load_embedding_preset(tmp_path)


def test_a_folder_of_hugging_faces_is_read(tmp_path):
    model = {"model_type": "embedding_gemma2", "vision_config": {"model_type": "gemma4_vision"}}
    (tmp_path / "config.json").write_text(json.dumps(model))
    processor = {"image_seq_length": 280, "image_processor": {"max_soft_tokens": 140}}
    (tmp_path / "processor_config.json").write_text(json.dumps(processor))
    settings = load_embedding_preset(str(tmp_path))
    assert settings.media == {"image": ImageConfig(max_soft_tokens=140), "audio": None}
    assert settings.row == {}
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "gemma4"}))
    with pytest.raises(ValueError, match=r"must be that of a EmbeddingGemma 2 model; .* 'gemma4'"):
        load_embedding_preset(tmp_path)


def test_what_keras_hub_saves_is_read(tmp_path):
    theirs = getattr(keras_hub.models, "EmbeddingGemma2TextEmbedderPreprocessor", None)
    if theirs is None:
        pytest.skip("keras-hub has EmbeddingGemma 2 from 0.33 on")
    tokenizer = keras_hub.models.EmbeddingGemma2Tokenizer(str(DEMONSTRATION))
    image = keras_hub.layers.EmbeddingGemma2ImageConverter(scale=1 / 255)
    theirs(tokenizer, image, sequence_length=300).save_to_preset(tmp_path)
    settings = load_embedding_preset(tmp_path)
    assert settings.media == {"image": ImageConfig()}
    assert settings.row == {"sequence_length": 300, "truncate": "round_robin"}
    assert len(settings.checked_vocabulary()) == 4096


def test_the_vocabulary_is_downloaded_when_asked_for(monkeypatch):
    asked = []

    def fetch(*handles):
        asked.append(handles)
        return DEMONSTRATION

    monkeypatch.setattr(downloads, "fetch_vocabulary", fetch)
    read = load_embedding_preset("embedding_gemma2").read_vocabulary
    assert asked == []
    with pytest.raises(ValueError, match="must have 262,144 pieces; got 4,096"):
        read()
    preset = EMBEDDING_PRESETS["embedding_gemma2"]
    assert asked == [(preset.kaggle_handle, preset.huggingface_repository)]
    assert len(load_vocabulary(DEMONSTRATION)) == 4096
