"""A version folder as an artifact: what it says of itself, and what it answers."""

import pytest

from export.artifact import TensorRow
from export.saved_model.artifact import SavedModelArtifact
from tests.export.tiny import EMPTY, TABLE, tiny_preprocessor


@pytest.fixture(scope="module")
def artifact(tiny_saved_model):
    return SavedModelArtifact(tiny_saved_model)


def test_settings_and_vocabulary_are_those_of_its_preprocessor(artifact):
    preprocessor = tiny_preprocessor()
    assert artifact.settings["sequence_length"] == preprocessor.sequence_length
    assert artifact.settings["image_converter"] is None
    assert artifact.vocabulary.pieces == preprocessor.tokenizer.vocabulary.pieces


def test_every_tensor_is_a_row(artifact):
    rows = artifact.tensor_rows()
    assert TensorRow("generate_preprocess", "input", "images", "string", [None, None]) in rows
    assert TensorRow("tokenize", "output", "lengths", "int32", [None]) in rows
    assert {(row.signature, row.direction, row.name) for row in rows} == {
        (name, direction, key)
        for name, signature in TABLE.items()
        for direction, keys in (("input", signature.inputs), ("output", signature.outputs))
        for key in keys
    }


def test_a_request_takes_files_and_says_what_is_wrong(artifact):
    outputs = artifact.request("ab", {"image": [b"12", b"345"]})
    assert outputs["token_ids"].tolist() == [[97, 98]]
    assert outputs["sizes"].tolist() == [5]
    with pytest.raises(ValueError, match=EMPTY):
        artifact.request("", {})


def test_it_runs_in_one_runtime(artifact):
    (runtime,) = artifact.runtimes()
    assert runtime.name == "SavedModel"
    assert runtime.row("ab", {})["token_ids"].tolist() == [[97, 98]]


def test_nothing_is_read_before_it_is_asked_for(tmp_path):
    artifact = SavedModelArtifact(tmp_path)
    for ask in (lambda: artifact.settings, lambda: artifact.vocabulary, artifact.tensor_rows):
        with pytest.raises(FileNotFoundError):
            ask()
