"""Both references of audio."""

import pytest

from tests.graph_ops.audio.sounds import CONFIG


@pytest.fixture(scope="module")
def extractor():
    return pytest.importorskip("transformers").Gemma4AudioFeatureExtractor()


@pytest.fixture(scope="module")
def converter():
    return pytest.importorskip("keras_hub").layers.Gemma4AudioConverter(mel_floor=CONFIG.mel_floor)
