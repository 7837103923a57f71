"""The protocol's types of tensors, beside TensorFlow's."""

from typing import NamedTuple

import numpy as np

from export.serving.refusals import invalid
from export.tensorflow_formats import types_pb2


class Datatype(NamedTuple):
    """One type.

    Attributes:
        name: the protocol's.
        number: TensorFlow's, of types.proto.
        dtype: of an array on the wire; object for strings of bytes.
        contents: field of gRPC's typed contents that holds it; "" where it travels as raw bytes alone.
    """

    name: str
    number: int
    dtype: np.dtype
    contents: str


DATATYPES = (
    Datatype("BOOL", types_pb2.DT_BOOL, np.dtype("?"), "bool_contents"),
    Datatype("UINT8", types_pb2.DT_UINT8, np.dtype("u1"), "uint_contents"),
    Datatype("UINT16", types_pb2.DT_UINT16, np.dtype("<u2"), "uint_contents"),
    Datatype("UINT32", types_pb2.DT_UINT32, np.dtype("<u4"), "uint_contents"),
    Datatype("UINT64", types_pb2.DT_UINT64, np.dtype("<u8"), "uint64_contents"),
    Datatype("INT8", types_pb2.DT_INT8, np.dtype("i1"), "int_contents"),
    Datatype("INT16", types_pb2.DT_INT16, np.dtype("<i2"), "int_contents"),
    Datatype("INT32", types_pb2.DT_INT32, np.dtype("<i4"), "int_contents"),
    Datatype("INT64", types_pb2.DT_INT64, np.dtype("<i8"), "int64_contents"),
    Datatype("FP16", types_pb2.DT_HALF, np.dtype("<f2"), ""),
    Datatype("FP32", types_pb2.DT_FLOAT, np.dtype("<f4"), "fp32_contents"),
    Datatype("FP64", types_pb2.DT_DOUBLE, np.dtype("<f8"), "fp64_contents"),
    Datatype("BYTES", types_pb2.DT_STRING, np.dtype(object), "bytes_contents"),
)
"""Source: "Tensor Data Types" and `InferTensorContents` of the Open Inference Protocol."""
BYTES = DATATYPES[-1]
_BY_NAME = {datatype.name: datatype for datatype in DATATYPES}
_BY_NUMBER = {datatype.number: datatype for datatype in DATATYPES}


def datatype_named(name: object, tensor: str) -> Datatype:
    """The type that a request names for a tensor.

    Raises:
        Refusal: there is none of that name.
    """
    if not isinstance(name, str) or name not in _BY_NAME:
        raise invalid(
            f"`{tensor}`: datatype must be one of {', '.join(_BY_NAME)}; got {str(name)[:40]!r}. Name the "
            "one of the model's metadata."
        )
    return _BY_NAME[name]


def datatype_of(number: int) -> Datatype:
    """The type with TensorFlow's number."""
    return _BY_NUMBER[number]
