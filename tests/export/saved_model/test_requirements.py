"""What saved_model.pb says of the TensorFlow that it needs."""

import pytest
import tensorflow as tf

from export.saved_model.requirements import read_requirements


def test_versions_are_those_of_the_tensorflow_that_wrote_it(tiny_saved_model):
    facts = read_requirements(tiny_saved_model).facts
    assert facts == {
        "tensorflow_version": tf.__version__,
        "producer": tf.version.GRAPH_DEF_VERSION,
        "min_consumer": 12,
        "saved_model_schema_version": 1,
    }


def test_ops_are_counted_in_functions_too(tmp_path):
    module = tf.Module()
    module.f = tf.function(lambda x: {"y": x + x * x + x}, input_signature=[tf.TensorSpec([], tf.float32)])
    tf.saved_model.save(module, str(tmp_path), signatures={"f": module.f})
    needs = read_requirements(tmp_path)
    by_name = {op.name: op for op in needs.ops}
    assert by_name["AddV2"].uses == 2 * by_name["Mul"].uses
    assert by_name["AddV2"].version is None
    assert list(by_name) == sorted(by_name)
    assert needs.foreign == []


def test_tensorflow_texts_ops_are_foreign(demo):
    assert read_requirements(demo / "gemma4" / "1").foreign == [
        "SentencepieceDetokenizeOp",
        "SentencepieceIdToStringOp",
        "SentencepieceOp",
        "SentencepieceTokenizeOp",
    ]


def test_a_vocabulary_stands_in_the_file_once(demo, demonstration_tokenizer):
    """TensorFlow would write a model twice: in the graph, and in the function that makes it in Python."""
    held = (demo / "gemma4" / "1" / "saved_model.pb").read_bytes()
    assert held.count(demonstration_tokenizer.proto) == 1


def test_a_folder_without_an_export_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"saved_model\.pb"):
        read_requirements(tmp_path)
