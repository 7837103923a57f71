"""KerasHub's names and defaults, beside KerasHub's own layers."""

import dataclasses
from typing import Any

import pytest

from graph_ops.config import MEDIUM_CONFIGS, AudioConfig, ImageConfig, RowConfig
from graph_ops.presets.keras_hub_settings import (
    BARE_DEFAULTS,
    OWN_FIELDS,
    check_adds_nothing,
    class_name,
    field_names,
    is_keras_hub,
    medium_config,
    row_settings,
    serialized,
    settings_of,
    tokenizer_settings,
)

AUDIO: dict[str, Any] = {"frame_length": 320}


@pytest.mark.parametrize("medium", MEDIUM_CONFIGS)
def test_bare_defaults_are_those_of_keras_hubs_converters(medium):
    layer = getattr(pytest.importorskip("keras_hub").layers, class_name(medium))()
    config = MEDIUM_CONFIGS[medium]
    found = settings_of(layer, field_names(config))
    assert found.keys() == set(field_names(config))
    assert config(**found) == config(**BARE_DEFAULTS[config])
    assert not settings_of(layer, OWN_FIELDS[config])
    assert is_keras_hub(layer, class_name(medium))
    assert not is_keras_hub(layer, "Gemma4Tokenizer")


@pytest.mark.parametrize("config", OWN_FIELDS)
def test_tables_name_fields_that_exist(config):
    fields = {field.name for field in dataclasses.fields(config)}
    assert {*OWN_FIELDS[config], *BARE_DEFAULTS[config]} <= fields
    assert {*field_names(config), *OWN_FIELDS[config]} == fields
    assert BARE_DEFAULTS.keys() == OWN_FIELDS.keys()


def test_only_classes_of_keras_hub_are_recognised():
    theirs = type("Gemma4Tokenizer", (), {"__module__": "keras_hub.src.models"})
    derived = type("Mine", (theirs,), {"__module__": "mine"})
    impostor = type("Gemma4Tokenizer", (), {"__module__": "keras_hubbub"})
    found = [is_keras_hub(kind(), "Gemma4Tokenizer") for kind in (theirs, derived, impostor)]
    assert found == [True, True, False]


def test_settings_are_read_with_keras_hubs_defaults_and_lists_as_tuples():
    assert medium_config({}, "image") == ImageConfig(scale=None)
    assert medium_config({"scale": [1, 2, 3], "antialias": True}, "image") == ImageConfig(scale=(1, 2, 3))
    assert medium_config({}, "audio") == AudioConfig(mel_floor=1e-5)
    assert medium_config({**AUDIO, "mel_floor": 0.5}, "audio") == AudioConfig(mel_floor=0.5)


def test_a_converter_of_the_first_keras_hub_is_refused():
    with pytest.raises(
        ValueError, match="`audio_converter`: must have a `frame_length`; that of keras-hub before"
    ):
        medium_config({"mel_floor": 0.001}, "audio")


@pytest.mark.parametrize(
    "read",
    [
        row_settings,
        lambda settings: medium_config(settings, "image"),
        lambda settings: medium_config({**AUDIO, **settings}, "audio"),
    ],
    ids=["row", "image", "audio"],
)
def test_a_setting_without_counterpart_is_refused_by_name(read):
    with pytest.raises(
        ValueError, match=r"must have a counterpart here; \['a', 'new'\] have none. Remove them"
    ):
        read({"new": 1, "name": "kept", "a": 2})


def test_rows_leave_layers_out():
    given = {"sequence_length": 9, "video_converter": object(), "tokenizer": object(), "video_fps": 1.0}
    assert row_settings(given) == {"sequence_length": 9, "video_fps": 1.0}


@pytest.mark.parametrize(("name", "value"), [("add_bos", True), ("add_eos", True), ("sequence_length", 8)])
def test_a_tokenizer_must_leave_adding_and_cutting_to_the_preprocessor(name, value):
    check_adds_nothing({name: None if name == "sequence_length" else False})
    for check in (check_adds_nothing, tokenizer_settings):
        with pytest.raises(ValueError, match=f"`tokenizer`: `{name}` must be off, .*; got {value!r}"):
            check({name: value})


def test_of_a_tokenizers_settings_the_flags_are_kept():
    given = {"has_audio_tokens": True, "has_video_tokens": False, "proto": "…", "add_bos": False}
    assert tokenizer_settings(given) == {"has_audio_tokens": True, "has_video_tokens": False}


def test_a_layer_is_written_under_its_class():
    layer = serialized("Gemma4Tokenizer", "tokenizer", {"proto": None})
    assert layer == {
        "module": "keras_hub.src.models.gemma4.gemma4_tokenizer",
        "class_name": "Gemma4Tokenizer",
        "config": {"proto": None},
        "registered_name": "keras_hub>Gemma4Tokenizer",
    }
    module = serialized("Gemma3nCausalLMPreprocessor", "causal_lm_preprocessor", {})["module"]
    assert module == "keras_hub.src.models.gemma3n.gemma3n_causal_lm_preprocessor"


def test_a_whole_row_survives_as_settings():
    row = RowConfig(sequence_length=700, add_end_token=False)
    settings = {name: getattr(row, name) for name in field_names(RowConfig)}
    assert RowConfig(**row_settings(settings)) == row
