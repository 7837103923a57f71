"""Arrays as TensorProto and back."""

import numpy as np
import pytest
import tensorflow as tf

from export.serving.refusals import Refusal
from export.serving.tensor_protos import fill, shape_of, to_array
from export.tensorflow_formats import tensor_pb2

ARRAYS = [
    np.array([[1.5, -0.0], [np.inf, 3e-42]], np.float32),
    np.array([True, False, True]),
    np.array([[-1, 2**31 - 1]], np.int32),
    np.array([2**40], np.int64),
    np.array([0, 255], np.uint8),
    np.array([0.1], np.float64),
    np.array([b"a\0", "ü".encode(), b""], object),
    np.zeros((2, 0), np.float32),
    np.zeros(300, np.float32),  # whose packed bytes need a length of two bytes
]


@pytest.mark.parametrize("array", ARRAYS, ids=lambda array: f"{array.dtype}{list(array.shape)}")
def test_an_array_comes_back_and_tensorflow_reads_it_the_same(array):
    proto = tensor_pb2.TensorProto()
    dtype = tf.string if array.dtype == object else tf.as_dtype(array.dtype)
    fill(proto, array, dtype.as_datatype_enum)
    assert not proto.tensor_content
    assert shape_of(proto) == array.shape
    np.testing.assert_array_equal(to_array("x", proto, max_bytes=10_000), array)
    np.testing.assert_array_equal(tf.make_ndarray(proto), array)


@pytest.mark.parametrize("shape", [[10_000, 10_000], [-1], [2**40, 2**40]])
def test_a_shape_that_asks_for_too_much_is_refused_before_it_is_made(shape):
    proto = tensor_pb2.TensorProto(dtype=tf.float32.as_datatype_enum, float_val=[1.0])
    for size in shape:
        proto.tensor_shape.dim.add(size=size)
    with pytest.raises(Refusal, match=r"tensor parsing error: x: shape .* is not one of a tensor of at most"):
        to_array("x", proto, max_bytes=1000)


def test_values_that_do_not_fill_their_shape_are_refused():
    proto = tensor_pb2.TensorProto(dtype=tf.float32.as_datatype_enum, tensor_content=b"abc")
    proto.tensor_shape.dim.add(size=4)
    with pytest.raises(Refusal, match="tensor parsing error: x"):
        to_array("x", proto, max_bytes=1000)
