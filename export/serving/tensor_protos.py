"""Arrays as TensorProto and back, in the form that TF Serving answers in: typed fields (`float_val`,
`int_val`, …).
"""

import math

import numpy as np
import tensorflow as tf

from export.serving.refusals import invalid
from export.tensorflow_formats import tensor_pb2, types_pb2

_FLOAT_VAL, _BOOL_VAL = 5, 11
"""Numbers of TensorProto's fields; their packed form is the array's own bytes."""
_LENGTH_DELIMITED = 2
"""Protobuf's wire type of packed fields."""
_FIELDS = {
    types_pb2.DT_INT32: "int_val",
    types_pb2.DT_UINT8: "int_val",
    types_pb2.DT_INT64: "int64_val",
    types_pb2.DT_DOUBLE: "double_val",
    types_pb2.DT_STRING: "string_val",
}


def shape_of(proto: tensor_pb2.TensorProto) -> tuple[int, ...]:
    """The dims that a proto claims; nothing is allocated for them."""
    return tuple(dim.size for dim in proto.tensor_shape.dim)


def to_array(name: str, proto: tensor_pb2.TensorProto, *, max_bytes: int) -> np.ndarray:
    """The array of a request's proto, in typed fields or in `tensor_content`.

    Raises:
        Refusal: its values do not fill its shape, or the shape asks for more than `max_bytes`.
    """
    shape = shape_of(proto)
    itemsize = tf.as_dtype(proto.dtype).as_numpy_dtype().itemsize if proto.dtype != types_pb2.DT_STRING else 8
    if min(shape, default=0) < 0 or math.prod(shape) * itemsize > max_bytes:
        raise invalid(
            f"tensor parsing error: {name}: shape {list(shape)} is not one of a tensor of at most "
            f"{max_bytes} bytes"
        )
    try:
        return tf.make_ndarray(proto)
    except (ValueError, TypeError) as error:
        raise invalid(f"tensor parsing error: {name}") from error


def fill(proto: tensor_pb2.TensorProto, array: np.ndarray, dtype: int) -> None:
    """Writes an array of the type with number `dtype` of types.proto into an empty proto.

    Floats and bools are given to it in their packed form: appending millions of Python floats would take
    longer than the graph.
    """
    proto.dtype = dtype
    for size in array.shape:
        proto.tensor_shape.dim.add(size=size)
    if dtype in (types_pb2.DT_FLOAT, types_pb2.DT_BOOL):
        field = _FLOAT_VAL if dtype == types_pb2.DT_FLOAT else _BOOL_VAL
        proto.MergeFromString(packed(field, array.tobytes()))
    else:
        getattr(proto, _FIELDS[dtype]).extend(array.ravel().tolist())


def packed(field: int, values: bytes) -> bytes:
    """A message with one packed field, of floats, doubles or bools: their bytes, little endian."""
    return b"".join((_varint(field << 3 | _LENGTH_DELIMITED), _varint(len(values)), values))


def _varint(number: int) -> bytes:
    """Protobuf's variable-length form: seven bits a byte, lowest first, the eighth bit on all but the
    last.
    """
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*encoded, number])
