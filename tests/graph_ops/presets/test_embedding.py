"""Built-in presets of models that embed."""

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
