"""Preset folders in both published layouts."""

import json

import pytest

from tests.graph_ops.presets.written import MODEL, TOKENS, audio_settings, image_settings
from tests.graph_ops.text.vocabulary.test_tokenizer_json import demonstration_json


@pytest.fixture(scope="session")
def small_tokenizer_json():
    return json.dumps(demonstration_json(seed=0))


@pytest.fixture
def huggingface_folder(tmp_path, small_tokenizer_json):
    """A folder as `save_pretrained` writes it, with settings changed by keyword; None leaves a file out."""

    def write(image=None, audio=None, processor=None, model=MODEL, tokens=TOKENS, flat=False, **files):
        settings = {
            "image_processor": image_settings(image),
            "feature_extractor": audio_settings(audio),
            **(processor or {}),
        }
        settings = {"image_seq_length": 280, "audio_seq_length": 750, "audio_ms_per_token": 40, **settings}
        if flat:
            written = {
                "preprocessor_config.json": settings["image_processor"] | settings["feature_extractor"]
            }
        else:
            written = {"processor_config.json": settings}
        written |= {
            "config.json": model,
            "tokenizer_config.json": tokens,
            "tokenizer.json": small_tokenizer_json,
            **files,
        }
        for name, content in written.items():
            if content is not None:
                (tmp_path / name).write_text(content if isinstance(content, str) else json.dumps(content))
        return tmp_path

    return write


@pytest.fixture
def keras_hub_folder(tmp_path, make_preprocessor):
    make_preprocessor().save_to_preset(tmp_path)
    return tmp_path
