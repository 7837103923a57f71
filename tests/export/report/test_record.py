"""A request is recorded as it went."""

import numpy as np
import pytest

from export.artifact import TensorRow
from export.report.record import Asked, recorded
from export.report.stopwatch import REPEATS, Stopwatch
from tests.export.cli.commands import PHOTO
from tests.export.report.rig import IMAGE, SETTINGS, VOCABULARY, ids, outputs

ROW = ids("<bos>", *IMAGE)


class Known:
    """An artifact that answers every prompt with one row, or refuses it."""

    folder = "models/known"
    settings = SETTINGS
    vocabulary = VOCABULARY
    signatures: tuple[str, ...] = ("tokenize", "generate_preprocess")

    def __init__(self, fault=""):
        self.fault, self.calls = fault, 0

    def tensor_rows(self):
        return [TensorRow(name, "input", "text", "string", [None]) for name in self.signatures]

    def tokenize(self, text):
        return ids(text)

    def prepared(self, prompt, media, *, max_soft_tokens=()):
        assert (prompt, list(max_soft_tokens)) == ("<|image|>", [70])
        return self.call

    def call(self):
        self.calls += 1
        if self.fault:
            raise ValueError(self.fault)
        return outputs(ROW)


def record_of(artifact):
    with open(PHOTO, "rb") as file:
        media = {"image": [file.read()], "audio": []}
    watch = Stopwatch()
    names = {"image": ["photo.jpg"], "audio": []}
    asked = Asked("<|image|>", media, names, (70,))
    record, made = recorded(artifact, asked, watch)
    return record, made, [step.name for step in watch.steps]


def test_a_request_is_run_several_times_and_each_step_is_timed():
    artifact = Known()
    record, made, steps = record_of(artifact)
    assert artifact.calls == 1 + REPEATS
    assert steps == [
        "loading the artifact",
        "tokenizing the prompt alone, first call",
        "tokenizing the prompt alone, again",
        "making files decodable",
        "packing the inputs",
        "running the signature, first call",
        "running the signature, again",
    ]
    np.testing.assert_array_equal(record.token_ids, ROW)
    np.testing.assert_array_equal(record.prompt_ids, ids("<|image|>"))
    assert made.keys() == record.outputs.keys()
    (source,) = record.sources
    assert (source.name, source.holds, record.fault) == ("photo.jpg", "600 × 400 pixels", "")


def test_a_refused_request_has_its_sentence_and_no_row():
    artifact = Known("`images`: no. Send another.")
    record, made, steps = record_of(artifact)
    assert (record.fault, record.outputs, record.token_ids, made) == (artifact.fault, None, None, None)
    assert artifact.calls == 1
    assert steps[-1] == "running the signature, first call"
    assert record.sources[0].holds == "600 × 400 pixels"


def test_an_artifact_may_have_no_signature_for_texts_alone():
    artifact = Known()
    artifact.signatures = ("embed_preprocess",)
    record, _, steps = record_of(artifact)
    assert record.prompt_ids is None
    assert not [step for step in steps if "tokenizing" in step]


def test_what_is_no_refusal_is_raised():
    class Broken(Known):
        def call(self):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        record_of(Broken())
