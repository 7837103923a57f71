"""Signatures of an export are the functions that were traced, under their own arguments' names."""

import pytest
import tensorflow as tf

from export.saved_model.unwrap import handed_to, unwrap_signatures
from export.tensorflow_formats import SavedModel

SPECS = {name: tf.TensorSpec([None], tf.int32, name) for name in "ba"}


def subtract(tensors):
    return {"less": tensors["a"] - tensors["b"], "greater": tensors["a"] + tensors["b"]}


@pytest.fixture
def folder(tmp_path):
    """Two signatures of one traced function, which the object holds too."""
    module = tf.Module()
    traced = tf.function(subtract, input_signature=[SPECS], autograph=False).get_concrete_function()
    module.functions = {"one": traced, "two": traced}
    tf.saved_model.save(module, str(tmp_path), signatures=module.functions)
    return tmp_path


def library(folder):
    graph = SavedModel.FromString((folder / "saved_model.pb").read_bytes()).meta_graphs[0]
    return {each.signature.name: each for each in graph.graph_def.library.function}


def traced_functions(folder):
    return [name for name in library(folder) if "_traced_" not in name]


def asked(signature):
    found = signature(a=tf.constant([5, 7]), b=tf.constant([1, 2]))
    return {name: value.numpy().tolist() for name, value in found.items()}


EXPECTED = {"less": [4, 5], "greater": [6, 9]}


def test_a_signature_is_the_function_that_it_called(folder):
    before = traced_functions(folder)
    unwrap_signatures(folder)
    after = traced_functions(folder)
    assert len(before) == 3
    assert len(after) == 1
    assert set(after) <= set(before)
    loaded = tf.saved_model.load(str(folder))
    assert sorted(loaded.signatures) == ["one", "two"]
    for signature in loaded.signatures.values():
        assert asked(signature) == EXPECTED
        assert sorted(signature.structured_input_signature[1]) == ["a", "b"]
        assert sorted(signature.structured_outputs) == ["greater", "less"]
    assert asked(loaded.functions["one"]) == EXPECTED


def test_sessions_and_what_is_saved_again_give_the_same(folder, tmp_path_factory):
    unwrap_signatures(folder)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        found = tf.compat.v1.saved_model.load(session, ["serve"], str(folder)).signature_def["two"]
        feeds = {found.inputs["a"].name: [5, 7], found.inputs["b"].name: [1, 2]}
        fetches = {name: output.name for name, output in found.outputs.items()}
        given = session.run(fetches, feeds)
    assert {name: value.tolist() for name, value in given.items()} == EXPECTED
    again = str(tmp_path_factory.mktemp("again"))
    loaded = tf.saved_model.load(str(folder))
    tf.saved_model.save(loaded, again, signatures=loaded.signatures)
    assert asked(tf.saved_model.load(again).signatures["one"]) == EXPECTED


def test_what_makes_a_resource_is_called_directly(tmp_path):
    class Table(tf.saved_model.experimental.TrackableResource):
        def __init__(self):
            super().__init__()
            self.make = tf.function(self.made, input_signature=[], autograph=False)
            _ = self.resource_handle

        def made(self):
            return tf.raw_ops.VarHandleOp(dtype=tf.int32, shape=[2], shared_name="two numbers")

        def _create_resource(self):
            return self.made() if tf.executing_eagerly() else self.make.get_concrete_function()()

        def _initialize(self):
            tf.raw_ops.AssignVariableOp(resource=self.resource_handle, value=tf.constant([3, 4]))

    def read(x):
        return {"y": x + tf.raw_ops.ReadVariableOp(resource=module.table.resource_handle, dtype=tf.int32)}

    module = tf.Module()
    module.table = Table()
    spec = tf.TensorSpec([2], tf.int32)
    traced = tf.function(read, input_signature=[spec], autograph=False).get_concrete_function()
    tf.saved_model.save(module, str(tmp_path), signatures=traced)
    unwrap_signatures(tmp_path)
    functions = library(tmp_path)
    assert not [name for name, each in functions.items() if handed_to(each, functions)]
    signature = tf.saved_model.load(str(tmp_path)).signatures["serving_default"]
    assert signature(x=tf.constant([1, 1]))["y"].numpy().tolist() == [4, 5]


@pytest.mark.parametrize(
    "around",
    [
        lambda inner: lambda a, b: inner(b, a),  # other arguments
        lambda inner: lambda a, b: inner(a, b)[::-1],  # other outputs
        lambda inner: lambda a, b: inner(a, b)[:1],
        lambda inner: lambda a, b: inner(a, b + 1),
    ],
)
def test_one_that_does_more_than_call_stays(around):
    spec = tf.TensorSpec([None], tf.int32)
    inner = tf.function(lambda a, b: (a - b, a + b), input_signature=[spec, spec], autograph=False)
    outer = tf.function(around(inner), input_signature=[spec, spec], autograph=False)
    traced = [each.get_concrete_function().function_def for each in (inner, outer)]
    definitions = {each.signature.name: each for each in traced}
    assert not [name for name, each in definitions.items() if handed_to(each, definitions)]
    same = tf.function(lambda a, b: inner(a, b), input_signature=[spec, spec], autograph=False)
    definition = same.get_concrete_function().function_def
    assert handed_to(definition, definitions | {definition.signature.name: definition}) in definitions
