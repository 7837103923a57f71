"""TensorFlow's file and wire formats, as Python classes that its public API does not name, and what else it
keeps to itself.

They are generated from `tensorflow/core/**.proto` and `schema.fbs`, which TensorFlow keeps compatible; where
the classes lie it may change. Each such import of `export/` stands here: one place to repair.

    SavedModel              saved_model.pb, to audit the ops and to read the vocabulary without loading it
    GraphDef                the graphs inside
    FunctionDef, NodeDef    functions of such a graph and their nodes, to fold what is there twice
    is_stateful             whether running an op twice differs from running it once
    functions_by_name       graphs without a copy of each function that they call
    write_fingerprint       of a SavedModel, after a change
    tensor_pb2, types_pb2   tensors of a request, for the embedded server's own reading of them
    schema                  the .tflite flatbuffer, to count its ops and read its shapes without a runtime
"""

import contextlib
import threading
import unittest.mock
from collections.abc import Iterator
from typing import Any

import tensorflow as tf
from tensorflow.core.framework import tensor_pb2, types_pb2
from tensorflow.core.framework.function_pb2 import FunctionDef
from tensorflow.core.framework.graph_pb2 import GraphDef
from tensorflow.core.framework.node_def_pb2 import NodeDef
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel
from tensorflow.lite.python import schema_py_generated as schema
from tensorflow.python.framework import op_def_registry
from tensorflow.python.framework.func_graph import FuncGraph
from tensorflow.python.saved_model.fingerprinting_utils import write_fingerprint

__all__ = [
    "FunctionDef",
    "GraphDef",
    "NodeDef",
    "SavedModel",
    "functions_by_name",
    "is_stateful",
    "schema",
    "tensor_pb2",
    "types_pb2",
    "write_fingerprint",
]


def is_stateful(op: str) -> bool:
    """Whether an op has state, or is not known here."""
    definition = op_def_registry.get(op)
    return definition is None or definition.is_stateful


_naming = threading.RLock()


@contextlib.contextmanager
def functions_by_name() -> Iterator[None]:
    """While it lasts, the graph of a function that this thread traces knows those that it calls by name.

    Otherwise it holds a copy of each of them and of all that these call: as many copies of a model as there
    are signatures, and as many again while they are saved. The graph that is saved gets its own in any case.
    """
    this_thread = threading.get_ident()
    with _naming:
        copied = tf.Graph._add_function

        def add(graph: tf.Graph, function: Any) -> None:
            if isinstance(graph, FuncGraph) and threading.get_ident() == this_thread:
                graph._functions[tf.compat.as_str(function.name)] = function
            else:
                copied(graph, function)

        with unittest.mock.patch.object(tf.Graph, "_add_function", add):
            yield
