"""What a preset says of its vocabulary is held to."""

import pytest

from graph_ops.presets.settings import WITHOUT_AUDIO, PresetSettings, check_vocabulary
from tests.twins.vocabularies import small_vocabulary

VOCABULARY = small_vocabulary(("a",))


def preset(sha256=None, read=lambda: VOCABULARY):
    return PresetSettings({}, {}, {}, read, sha256)


@pytest.mark.parametrize("sha256", [None, VOCABULARY.sha256, VOCABULARY.sha256.upper()])
def test_the_pinned_vocabulary_is_accepted(sha256):
    check_vocabulary(VOCABULARY, sha256)
    assert preset(sha256).checked_vocabulary() is VOCABULARY
    assert preset().checked_vocabulary(sha256) is VOCABULARY


@pytest.mark.parametrize("sha256", ["", "0" * 64, VOCABULARY.sha256[:-1]])
def test_another_vocabulary_is_refused_with_both_sums(sha256):
    message = f"sha256 must be the pinned {sha256}; got {VOCABULARY.sha256} \\(261 pieces\\)"
    with pytest.raises(ValueError, match=message):
        check_vocabulary(VOCABULARY, sha256)


def test_what_a_caller_pins_comes_before_what_the_preset_does():
    assert preset("0" * 64).checked_vocabulary(VOCABULARY.sha256) is VOCABULARY
    with pytest.raises(ValueError, match="must be the pinned 11"):
        preset(VOCABULARY.sha256).checked_vocabulary("11")


def test_a_vocabulary_is_read_only_when_asked_for():
    reads = iter([VOCABULARY])
    settings = preset(read=lambda: next(reads))
    assert settings.checked_vocabulary() is VOCABULARY
    assert next(reads, None) is None


def test_a_model_without_audio_has_no_empty_clips(make_preprocessor):
    preprocessor = make_preprocessor(audio=False, **WITHOUT_AUDIO)
    features = preprocessor.generate_preprocess("a")
    assert not [name for name in features if name.startswith("audio")]
