"""Functions converted to a .tflite, the bundle around it, and what is refused."""

import json

import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from export.litert import write as litert
from export.signature import traced
from graph_ops.faults import SENTENCES
from graph_ops.text.vocabulary.vocabulary import load_vocabulary
from tests.export.tiny import DEVICE_TABLE, tiny_preprocessor


def converted(function, *shape):
    """A .tflite of one signature, `run`, from `x` to what the function returns."""
    trace = tf.function(lambda x: {"y": function(x)}, autograph=False)
    return litert.convert({"run": trace.get_concrete_function(tf.TensorSpec(shape, tf.float32, name="x"))})


def test_a_converted_function_computes_what_it_did():
    model = converted(lambda x: tf.abs(x) + 1.0, 3)
    run = Interpreter(model_content=model).get_signature_runner("run")
    assert run(x=np.array([-1, 0, 2.5], np.float32))["y"].tolist() == [2, 1, 3.5]
    assert litert.count_ops(model) == {"ABS": 1, "ADD": 1}


def test_a_variable_is_stored_with_the_signatures_that_use_it():
    weight = tf.Variable([2.0, 3.0])
    run = Interpreter(model_content=converted(lambda x: x * weight, 2)).get_signature_runner("run")
    assert run(x=np.array([1, 10], np.float32))["y"].tolist() == [2, 30]


def test_steps_are_reported_and_nothing_is_left_beside_the_model(tmp_path):
    said = []
    litert.convert({"tokenize": traced(DEVICE_TABLE["tokenize"])}, said.append, scratch=tmp_path)
    assert said == ["saving", "converting"]
    assert list(tmp_path.iterdir()) == []


def test_an_op_that_is_no_builtin_is_refused_by_name(monkeypatch):
    monkeypatch.setattr(litert, "count_ops", lambda model: {"ADD": 1, "custom:FlexBincount": 2})
    with pytest.raises(ValueError, match=r"builtin ops only; it also holds.*FlexBincount"):
        litert.convert({"tokenize": traced(DEVICE_TABLE["tokenize"])})


def test_a_bundle_needs_the_builtin_engine_and_a_new_folder(tmp_path, make_preprocessor):
    with pytest.raises(ValueError, match="`tokenizer`: a bundle for devices needs the engine 'builtin'"):
        litert.export_litert(make_preprocessor(), tmp_path / "bundle")
    assert not list(tmp_path.iterdir())
    with pytest.raises(FileExistsError, match="`out`: must be new"):
        litert.export_litert(tiny_preprocessor(), tmp_path)


def test_a_bundle_holds_the_model_its_description_and_the_vocabulary(tiny_bundle):
    files = {path.name: path for path in tiny_bundle.iterdir()}
    assert files.keys() == {litert.MODEL, litert.DESCRIPTION, litert.VOCABULARY}
    assert load_vocabulary(files[litert.VOCABULARY]).proto == tiny_preprocessor().tokenizer.proto
    description = json.loads(files[litert.DESCRIPTION].read_text())
    model = files[litert.MODEL].read_bytes()
    assert (description["model"], description["bytes"]) == (litert.MODEL, len(model))
    assert description["ops"] == litert.count_ops(model)
    assert len(description["statuses"]) == len(SENTENCES) + 1
    assert description["preprocessor"]["sequence_length"] == 16


def test_a_description_has_shapes_of_the_model_with_null_for_sizes_that_vary(tiny_bundle):
    signatures = json.loads((tiny_bundle / litert.DESCRIPTION).read_text())["signatures"]
    assert list(signatures) == list(DEVICE_TABLE)
    inputs = signatures["generate_preprocess"]["inputs"]
    assert inputs["images"] == {"dtype": "uint8", "shape": [1, 2, None, None, 3], "meaning": "for a test"}
    assert inputs["image_sizes"]["shape"] == [1, 2, 2]
    outputs = signatures["generate_preprocess"]["outputs"]
    assert list(outputs) == list(DEVICE_TABLE["generate_preprocess"].outputs)
    assert outputs["token_ids"]["shape"] == [1, None]
    assert outputs["status_detail"] == {
        "dtype": "int32",
        "shape": [1, 2],
        "meaning": "the two numbers that the status' sentence quotes",
    }
