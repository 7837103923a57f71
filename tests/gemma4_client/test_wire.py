"""Tensors travel as TensorFlow's own do."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2

from export.serving import tensor_protos
from export.tensorflow_formats import types_pb2
from gemma4_client import ClientError, Tensor
from gemma4_client.messages import MESSAGES
from gemma4_client.tensor import DTYPES
from gemma4_client.wire import from_proto, to_proto

SERVED = ("float32", "float64", "int32", "uint8", "int64", "bool")
NUMBERS = [name for name in DTYPES if name != "string"]


def array_of(dtype):
    return np.array([[0, 1, 1], [0, 100, 7]]).astype(dtype)


def read(proto):
    return from_proto("x", MESSAGES["TensorProto"].FromString(proto.SerializeToString()))


@pytest.mark.parametrize("dtype", NUMBERS)
def test_tensorflow_reads_what_is_sent(dtype):
    array = array_of(dtype)
    proto = tensor_pb2.TensorProto.FromString(
        to_proto(Tensor(dtype, array.shape, array.tobytes())).SerializeToString()
    )
    np.testing.assert_array_equal(tf.make_ndarray(proto), array, strict=True)


@pytest.mark.parametrize("dtype", NUMBERS)
def test_content_of_tensorflow_is_read(dtype):
    array = array_of(dtype)
    np.testing.assert_array_equal(np.asarray(read(tf.make_tensor_proto(array))), array, strict=True)


@pytest.mark.parametrize("dtype", SERVED)
def test_typed_fields_of_a_server_are_read(dtype):
    array, proto = array_of(dtype), tensor_pb2.TensorProto()
    if dtype == "float64":
        proto.dtype = types_pb2.DT_DOUBLE
        proto.tensor_shape.CopyFrom(tf.TensorShape(array.shape).as_proto())
        proto.double_val.extend(array.ravel())
    else:
        tensor_protos.fill(proto, array, tf.as_dtype(dtype).as_datatype_enum)
    np.testing.assert_array_equal(np.asarray(read(proto)), array, strict=True)


@pytest.mark.parametrize("dtype", ["float32", "int32", "bool", "string"])
def test_one_value_fills_a_shape(dtype):
    proto = tf.make_tensor_proto({"string": "a", "bool": True}.get(dtype, 1), dtype, [2, 2])
    assert read(proto).tolist() == [[tf.make_ndarray(proto).flat[0]] * 2] * 2


def test_strings_go_both_ways():
    tensor = Tensor("string", (1, 2), (b"\xff", b""))
    proto = tensor_pb2.TensorProto.FromString(to_proto(tensor).SerializeToString())
    assert tf.make_ndarray(proto).tolist() == [[b"\xff", b""]]
    assert read(proto) == tensor


def test_an_empty_tensor_has_no_values():
    assert read(tf.make_tensor_proto(np.zeros([2, 0], np.int32))) == Tensor("int32", (2, 0), b"")


@pytest.mark.parametrize("count", [0, 3])
def test_values_that_do_not_fill_a_shape_are_damaged(count):
    proto = tensor_pb2.TensorProto(dtype=types_pb2.DT_INT32, int_val=[1] * count)
    proto.tensor_shape.dim.add(size=2)
    with pytest.raises(ClientError, match=f"`x`: must have at most 2 values, and one; got {count}"):
        read(proto)


def test_another_dtype_is_named():
    with pytest.raises(ClientError, match=r"`x`: must have a dtype of float32, .*; got number 8 of types"):
        read(tf.make_tensor_proto(np.complex64(1)))
