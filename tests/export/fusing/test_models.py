"""Where a model comes from: files, presets, and what is no model."""

import sys
from types import SimpleNamespace

import keras
import pytest

from export.fusing import models
from export.fusing.models import SAMPLERS, load_model


@keras.saving.register_keras_serializable("tests")
class Speaker(keras.Sequential):
    """A model with a sampler."""

    sampler = "its own"

    def compile(self, sampler=None, **settings):
        super().compile(**settings)
        self.sampler = sampler or self.sampler


def saved(model, path):
    model.save(path)
    return path


@pytest.fixture
def plain(tmp_path):
    layers = [keras.Input((4,)), keras.layers.Dense(1, kernel_initializer="ones")]
    return saved(keras.Sequential(layers), tmp_path / "plain.keras")


@pytest.mark.parametrize("kind", [str, lambda path: path])
def test_a_file_of_keras_is_its_model(plain, kind):
    model = load_model(kind(plain))
    assert float(model(keras.ops.ones((1, 4)))[0, 0]) == 4


def test_a_sampler_replaces_the_models_own(tmp_path):
    path = saved(Speaker([keras.Input((4,)), keras.layers.Dense(1)]), tmp_path / "speaker.keras")
    assert load_model(path).sampler == "its own"
    assert [load_model(path, sampler=name).sampler for name in SAMPLERS] == list(SAMPLERS)


def test_a_sampler_needs_a_model_that_generates(plain):
    with pytest.raises(ValueError, match="`sampler`: needs a model that generates; Sequential has none"):
        load_model(plain, sampler="greedy")


@pytest.mark.parametrize("sampler", ["", "beam", "Greedy"])
def test_an_unknown_sampler_is_refused_before_anything_is_loaded(sampler):
    with pytest.raises(ValueError, match=f"`sampler`: must be one of .*; got '{sampler}'. Pass one of them"):
        load_model("nowhere.keras", sampler=sampler)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=f"must be a .keras file that exists; no file at {tmp_path}"):
        load_model(tmp_path / "nowhere.keras")


def test_a_file_of_something_else_is_no_model(tmp_path):
    (tmp_path / "text.keras").write_text("text")
    with pytest.raises(ValueError, match=r"text\.keras"):
        load_model(tmp_path / "text.keras")


def test_a_preset_needs_keras_hub(monkeypatch):
    monkeypatch.setattr(models.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"`model`: a preset is loaded by keras-hub, .*pip install"):
        load_model("gemma4_2b")


def test_a_preset_of_a_model_that_keras_hub_has_not_names_its_class(monkeypatch):
    found = {"models": SimpleNamespace(), "__version__": "0.32.0", "__spec__": SimpleNamespace()}
    monkeypatch.setitem(sys.modules, "keras_hub", SimpleNamespace(**found))
    with pytest.raises(ImportError, match=r"its class EmbeddingGemma2TextEmbedder must be .* got 0\.32\.0"):
        load_model("embedding_gemma2", embeds=True)
