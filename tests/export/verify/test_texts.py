"""Ids and texts beside SentencePiece's: a right runtime passes, one that is off does not."""

import sys

import pytest

from export.verify import samples, texts
from tests.export.verify.rig import Asked, Off, subject

STEPS = {
    texts.ids: ("tokenize 25 texts", "sentencepiece"),
    texts.text: ("detokenize 10 rows", "sentencepiece"),
    texts.round_trip: ("text -> row -> text", "the text itself"),
}


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.__name__)
def test_the_class_passes_and_a_runtime_that_is_off_does_not(step):
    right, off = step(subject(runtimes=[lambda runtime: runtime, Off]))
    assert (right.step, right.reference) == STEPS[step]
    assert (right.runtime, off.runtime) == ("Python", "off")
    assert right.compared == off.compared > 5
    assert right.passed
    assert not off.passed


def test_ids_are_compared_as_the_settings_read_special_tokens():
    for reading in ("all", "prompts", "none"):
        (result,) = texts.ids(subject(allow_special_tokens=reading, num_texts=50))
        assert result.passed, reading
        assert result.step == f"tokenize {50 + len(samples.FIXED_TEXTS)} texts"


def test_a_prompt_that_fills_a_short_row_is_no_round_trip():
    (result,) = texts.round_trip(subject(sequence_length=64))
    (longer,) = texts.round_trip(subject(sequence_length=1_024))
    assert result.passed
    assert 0 < result.compared < longer.compared


@pytest.mark.parametrize(("step", "name"), [(texts.ids, "tokenize"), (texts.text, "detokenize")])
def test_without_sentencepiece_nothing_is_run(monkeypatch, step, name):
    monkeypatch.setitem(sys.modules, "sentencepiece", None)
    (result,) = step(subject(runtimes=[Asked]))
    assert (result.step, result.skipped) == (name, "sentencepiece is not installed")
