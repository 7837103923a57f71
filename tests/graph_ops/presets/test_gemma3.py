"""Built-in presets and folders of Gemma 3 and of the models made of it."""

import json

import keras_hub
import pytest

from graph_ops.families import EMBEDDING_GEMMA, FUNCTION_GEMMA, GEMMA3, GEMMA3N
from graph_ops.presets.catalogue import downloads, load_preset
from graph_ops.presets.gemma3 import GEMMA3_PRESETS, families_of, load_gemma3_preset
from graph_ops.text.vocabulary.vocabulary import load_vocabulary
from tests.data import DEMONSTRATION


def test_presets_are_among_keras_hubs():
    models = keras_hub.models
    theirs = {**models.Gemma3Backbone.presets, **models.Gemma3nBackbone.presets}
    for name, preset in GEMMA3_PRESETS.items():
        assert preset["kaggle_handle"] == theirs[name]["kaggle_handle"], name
        assert preset["metadata"]["params"] == theirs[name]["metadata"]["params"], name
    read = [name for name in theirs if name.startswith("gemma3_") and ("text" in name or "1b" in name)]
    assert [name for name in read if name not in GEMMA3_PRESETS] == []


@pytest.mark.parametrize("name", GEMMA3_PRESETS)
def test_a_preset_is_of_one_family_and_reads_text(name):
    (family,) = families_of(name)
    assert name.startswith(family.name)
    settings = load_gemma3_preset(name, families=(family,))
    assert (settings.media, settings.row, settings.tokenizer) == ({}, {}, {})
    assert GEMMA3_PRESETS[name].huggingface_repository.startswith("google/")


def test_a_preset_of_another_family_is_refused():
    with pytest.raises(ValueError, match=r"must be of Gemma 3; got 'gemma3n_e2b', of Gemma 3n\. Pass one of"):
        load_gemma3_preset("gemma3n_e2b")
    with pytest.raises(ValueError, match="must be of FunctionGemma; got 'gemma4_2b', of another model"):
        load_gemma3_preset("gemma4_2b", families=(FUNCTION_GEMMA,))
    with pytest.raises(
        ValueError, match=r"got 'gemma3n_e2b', .* Presets of Gemma 3n have that name: use the"
    ):
        load_preset("gemma3n_e2b")


@pytest.mark.parametrize(
    ("kind", "families"),
    [
        ("gemma3_text", (GEMMA3, FUNCTION_GEMMA, EMBEDDING_GEMMA)),
        ("gemma3", (GEMMA3, FUNCTION_GEMMA, EMBEDDING_GEMMA)),
        ("gemma3n", (GEMMA3N,)),
        ("gemma3n_text", (GEMMA3N,)),
        ("gemma4", ()),
        ("gemma3_other", ()),
    ],
)
def test_a_folder_of_hugging_faces_says_its_model_type(tmp_path, kind, families):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": kind}))
    assert families_of(tmp_path) == families
    for family in families:
        settings = load_gemma3_preset(tmp_path, families=(family,))
        assert (settings.media, settings.row) == ({}, {})
        with pytest.raises(FileNotFoundError, match=r"tokenizer\.json is missing"):
            settings.read_vocabulary()


def test_a_folder_of_keras_hubs_says_its_class(tmp_path):
    config: dict = {"sequence_length": 300, "add_end_token": False, "max_images_per_prompt": 4}
    config |= {"tokenizer": {"config": {"has_vision_tokens": False}}, "image_converter": {"config": {}}}
    described: dict = {"class_name": "Gemma3CausalLMPreprocessor", "config": config}
    (tmp_path / "preprocessor.json").write_text(json.dumps(described))
    assert families_of(tmp_path) == (GEMMA3, FUNCTION_GEMMA)
    settings = load_gemma3_preset(tmp_path)
    assert settings.row == {"sequence_length": 300, "add_end_token": False}
    assert (settings.media, settings.tokenizer) == ({}, {"has_vision_tokens": False})
    described["class_name"] = "Gemma3TextEmbedderPreprocessor"
    described["config"] |= {"truncate": "waterfall"}
    (tmp_path / "preprocessor.json").write_text(json.dumps(described))
    assert load_gemma3_preset(tmp_path, families=(EMBEDDING_GEMMA,)).row["truncate"] == "waterfall"
    described["class_name"] = "GemmaCausalLMPreprocessor"
    (tmp_path / "preprocessor.json").write_text(json.dumps(described))
    assert families_of(tmp_path) == ()


def test_the_vocabulary_is_downloaded_when_asked_for(monkeypatch):
    asked = []

    def fetch(*handles):
        asked.append(handles)
        return DEMONSTRATION

    monkeypatch.setattr(downloads, "fetch_vocabulary", fetch)
    read = load_gemma3_preset("gemma3_instruct_1b").read_vocabulary
    assert asked == []
    with pytest.raises(ValueError, match="must have 262,144 pieces; got 4,096"):
        read()
    assert asked == [("kaggle://keras/gemma3/keras/gemma3_instruct_1b/3", "google/gemma-3-1b-it")]
    assert len(load_vocabulary(DEMONSTRATION)) == 4096
