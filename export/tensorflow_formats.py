"""TensorFlow's file and wire formats, as Python classes that its public API does not name.

They are generated from `tensorflow/core/**.proto` and `schema.fbs`, which TensorFlow keeps compatible; where
the classes lie it may change. Each such import of `export/` stands here: one place to repair.

    SavedModel              saved_model.pb, to audit the ops and to read the vocabulary without loading it
    GraphDef                the graphs inside
    tensor_pb2, types_pb2   tensors of a request, for the embedded server's own reading of them
    schema                  the .tflite flatbuffer, to count its ops and read its shapes without a runtime
"""

from tensorflow.core.framework import tensor_pb2, types_pb2
from tensorflow.core.framework.graph_pb2 import GraphDef
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel
from tensorflow.lite.python import schema_py_generated as schema

__all__ = ["GraphDef", "SavedModel", "schema", "tensor_pb2", "types_pb2"]
