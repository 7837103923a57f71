"""A bundle as an artifact: what it says of itself, and what it answers."""

import numpy as np
import pytest
import tensorflow as tf

from export.artifact import TensorRow
from export.litert.artifact import BundleArtifact
from export.litert.write import DESCRIPTION
from tests.export.tiny import DEVICE_TABLE, tiny_preprocessor


@pytest.fixture(scope="module")
def artifact(tiny_bundle):
    return BundleArtifact(tiny_bundle)


def test_settings_and_vocabulary_are_those_of_its_preprocessor(artifact):
    preprocessor = tiny_preprocessor()
    assert artifact.settings["sequence_length"] == preprocessor.sequence_length
    assert artifact.settings["image_converter"] is None
    assert artifact.vocabulary.pieces == preprocessor.tokenizer.vocabulary.pieces


def test_every_tensor_is_a_row(artifact):
    rows = artifact.tensor_rows()
    assert TensorRow("detokenize", "input", "token_ids", "int32", [1, None]) in rows
    assert TensorRow("tokenize", "output", "status", "int32", [1]) in rows
    assert [(row.signature, row.direction, row.name) for row in rows] == [
        (name, direction, key)
        for name, signature in DEVICE_TABLE.items()
        for direction, keys in (("input", signature.inputs), ("output", signature.outputs))
        for key in keys
    ]


def test_a_request_takes_files(artifact):
    png = tf.io.encode_png(np.zeros((6, 7, 3), np.uint8)).numpy()
    outputs = artifact.request("ab", {"image": [png]})
    assert outputs["token_ids"].tolist() == [[97, 98]]
    assert outputs["vision_indices"].tolist() == [[13, 0]]
    with pytest.raises(ValueError, match="must be an intact JPEG"):
        artifact.request("ab", {"image": [b"no file"]})


def test_it_runs_in_both_runtimes(artifact):
    runtimes = artifact.runtimes()
    assert [runtime.name for runtime in runtimes] == ["LiteRT Interpreter", "LiteRT CompiledModel"]
    assert [runtime.tokenize([b"a"])[0].tolist() for runtime in runtimes] == [[97], [97]]


def test_nothing_is_read_before_it_is_asked_for(tmp_path):
    artifact = BundleArtifact(tmp_path)
    for ask in (lambda: artifact.settings, lambda: artifact.vocabulary, artifact.tensor_rows):
        with pytest.raises(FileNotFoundError, match=DESCRIPTION):
            ask()
