"""What of TensorFlow and Keras is not public stands in one module."""

import ast

from export.saved_model.op_audit import count_ops
from export.tensorflow_formats import GraphDef, SavedModel, schema, tensor_pb2, types_pb2
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
