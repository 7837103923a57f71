"""What of TensorFlow and Keras is not public stands in one module."""

import ast
import threading

import tensorflow as tf

from export.saved_model.op_audit import count_ops
from export.tensorflow_formats import (
    GraphDef,
    SavedModel,
    functions_by_name,
    schema,
    tensor_pb2,
    types_pb2,
)
from tests.data import ROOT

PRIVATE = ("tensorflow.core", "tensorflow.python", "tensorflow.compiler", "tensorflow.lite", "keras.src")


def imported_by(source):
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def test_no_other_module_of_export_imports_them():
    found = {
        source.relative_to(ROOT).as_posix()
        for source in (ROOT / "export").rglob("*.py")
        for name in imported_by(source)
        if name.startswith(PRIVATE) or any(part.startswith("_") for part in name.split(".") if part != "__")
    }
    assert found == {"export/tensorflow_formats.py"}


def test_they_are_what_they_are_taken_for():
    saved = SavedModel()
    saved.meta_graphs.add().graph_def.CopyFrom(GraphDef(node=[{"name": "a", "op": "NoOp"}]))
    read = SavedModel.FromString(saved.SerializeToString())
    assert count_ops([read.meta_graphs[0].graph_def]) == {"NoOp": 1}
    assert tensor_pb2.TensorProto(dtype=types_pb2.DT_INT32).dtype == 3
    assert schema.TensorType.INT32 == 2
    assert hasattr(schema.ModelT, "InitFromPackedBuf")


def nested_graph():
    def halved(x):
        return tf.cond(tf.reduce_any(x > 1.0), lambda: tf.function(halved_once)(x), lambda: x)

    def halved_once(x):
        return x / 2.0

    shared = tf.function(halved, autograph=False)
    outer = tf.function(lambda x: {"y": shared(shared(x))}, autograph=False)
    return outer.get_concrete_function(tf.TensorSpec([None], name="x"))


def test_graphs_know_functions_by_name_while_it_lasts(tmp_path):
    """And a SavedModel of them is whole."""

    def copied(concrete):
        return len(concrete.graph.as_graph_def().library.function)

    module = tf.Module()
    with functions_by_name():
        module.functions = {"halve": nested_graph()}
        assert copied(module.functions["halve"]) == 0
        tf.saved_model.save(module, str(tmp_path), signatures=module.functions)
    assert copied(nested_graph()) > 2
    loaded = tf.saved_model.load(str(tmp_path)).signatures["halve"]
    assert loaded(x=tf.constant([8.0, 0.5]))["y"].numpy().tolist() == [2.0, 0.125]


def test_graphs_of_another_thread_hold_their_copies_meanwhile():
    found = []

    def trace():
        found.append(len(nested_graph().graph.as_graph_def().library.function))

    before = tf.Graph._add_function
    with functions_by_name():
        thread = threading.Thread(target=trace)
        thread.start()
        thread.join()
    assert found[0] > 2
    assert tf.Graph._add_function is before
