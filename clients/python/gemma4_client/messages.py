"""TensorFlow Serving's gRPC messages, as Python classes that are built when this module is imported.

They lie in a pool of their own under names of their own, which do not travel, so that TensorFlow may be
loaded beside them. Names and numbers of fields are those of TensorFlow's tensor.proto, tensor_shape.proto
and meta_graph.proto, and of TensorFlow Serving's model.proto, predict.proto, get_model_metadata.proto and
get_model_status.proto. Enumerations are declared as int32, and packed floats, doubles and bools as bytes,
which look the same on the wire: an answer's millions of floats become no Python objects.
"""

import re
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

PACKAGE = "gemma4_client"
FIELDS: dict[str, tuple[str, ...]] = {
    "Dim": ("int64 size = 1", "string name = 2"),
    "TensorShapeProto": ("repeated Dim dim = 2", "bool unknown_rank = 3"),
    "TensorProto": (
        "int32 dtype = 1",
        "TensorShapeProto tensor_shape = 2",
        "bytes tensor_content = 4",
        "repeated bytes float_val = 5",
        "repeated bytes double_val = 6",
        "repeated int32 int_val = 7",
        "repeated bytes string_val = 8",
        "repeated int64 int64_val = 10",
        "repeated bytes bool_val = 11",
    ),
    "TensorInfo": ("string name = 1", "int32 dtype = 2", "TensorShapeProto tensor_shape = 3"),
    "SignatureDef": ("map TensorInfo inputs = 1", "map TensorInfo outputs = 2", "string method_name = 3"),
    "SignatureDefMap": ("map SignatureDef signature_def = 1",),
    "Int64Value": ("int64 value = 1",),
    "Any": ("string type_url = 1", "bytes value = 2"),
    "StatusProto": ("int32 error_code = 1", "string error_message = 2"),
    "ModelSpec": (
        "string name = 1",
        "Int64Value version = 2",
        "string signature_name = 3",
        "string version_label = 4",
    ),
    "PredictRequest": (
        "ModelSpec model_spec = 1",
        "map TensorProto inputs = 2",
        "repeated string output_filter = 3",
    ),
    "PredictResponse": ("map TensorProto outputs = 1", "ModelSpec model_spec = 2"),
    "GetModelMetadataRequest": ("ModelSpec model_spec = 1", "repeated string metadata_field = 2"),
    "GetModelMetadataResponse": ("ModelSpec model_spec = 1", "map Any metadata = 2"),
    "GetModelStatusRequest": ("ModelSpec model_spec = 1",),
    "GetModelStatusResponse": ("repeated ModelVersionStatus model_version_status = 1",),
    "ModelVersionStatus": ("int64 version = 1", "int32 state = 2", "StatusProto status = 3"),
}
"""Message -> its fields. A map is from strings."""
_FIELD = re.compile(r"(?:(repeated|map) )?(\w+) (\w+) = (\d+)")
_Field = descriptor_pb2.FieldDescriptorProto
_REPEATED, _OPTIONAL = _Field.LABEL_REPEATED, _Field.LABEL_OPTIONAL


def _schema() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(
        name="gemma4_client/serving.proto", package=PACKAGE, syntax="proto3"
    )
    for name, fields in FIELDS.items():
        message = file.message_type.add(name=name)
        for text in fields:
            match = _FIELD.fullmatch(text)
            assert match, text
            _add_field(message, name, *match.groups())
    return file


def _add_field(message: Any, outer: str, kind: str | None, type_: str, name: str, number: str) -> None:
    if kind == "map":
        entry = message.nested_type.add(name=f"{name.title().replace('_', '')}Entry")
        entry.options.map_entry = True
        _typed(entry.field.add(name="key", number=1, label=_OPTIONAL), "string")
        _typed(entry.field.add(name="value", number=2, label=_OPTIONAL), type_)
        type_, kind = f"{outer}.{entry.name}", "repeated"
    label = _REPEATED if kind == "repeated" else _OPTIONAL
    _typed(message.field.add(name=name, number=int(number), label=label), type_)


def _typed(field: Any, type_: str) -> None:
    """Sets the type, that of a message by its name in the package."""
    scalar = f"TYPE_{type_.upper()}"
    if scalar in _Field.Type.DESCRIPTOR.values_by_name:
        field.type = _Field.Type.Value(scalar)
    else:
        field.type, field.type_name = _Field.TYPE_MESSAGE, f".{PACKAGE}.{type_}"


_POOL = descriptor_pool.DescriptorPool()
_POOL.AddSerializedFile(_schema().SerializeToString())
MESSAGES: dict[str, Any] = {
    name: message_factory.GetMessageClass(_POOL.FindMessageTypeByName(f"{PACKAGE}.{name}")) for name in FIELDS
}
"""Class of each message, by its name."""
SERVICES = {
    "Predict": "tensorflow.serving.PredictionService",
    "GetModelMetadata": "tensorflow.serving.PredictionService",
    "GetModelStatus": "tensorflow.serving.ModelService",
}
"""Method -> the service that it is of; its messages are called after it, with Request and Response."""
