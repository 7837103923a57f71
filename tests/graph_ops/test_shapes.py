"""Static shapes, without an op, and items of one value."""

import numpy as np
import pytest
import tensorflow as tf

from graph_ops.shapes import constant_items, with_shape


def test_a_shape_is_known_without_an_op():
    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.int32)])
    def step(tensor):
        return with_shape(tensor, [None, 3])

    concrete = step.get_concrete_function()
    assert concrete.output_shapes.as_list() == [None, 3]
    assert {op.type for op in concrete.graph.get_operations()} <= {"Placeholder", "Identity", "NoOp"}


def test_what_was_known_stays_known():
    seen = []

    @tf.function(input_signature=[tf.TensorSpec([2, None], tf.int32)])
    def step(tensor):
        seen.append(with_shape(tensor, [None, None]).shape.as_list())
        seen.append(with_shape(tensor, tf.TensorShape(None)).shape.as_list())
        return tensor

    step.get_concrete_function()
    assert seen == [[2, None], [2, None]]


@pytest.mark.parametrize("shape", [[3], [2, 2], [2, 3, 1]])
def test_another_shape_is_refused(shape):
    with pytest.raises(ValueError, match="not compatible"):
        with_shape(tf.zeros([2, 3]), shape)
    assert with_shape(tf.zeros([2, 3]), [None, 3]).shape == (2, 3)


@pytest.mark.parametrize("value", [0.0, -6.5])
@pytest.mark.parametrize("count", [0, 1, 4, 5, 9])
def test_items_of_one_value(value, count):
    """A signature keeps 16 MiB of it, here 4 items."""
    shape = tf.TensorShape([1024, 1024])

    @tf.function(input_signature=[tf.TensorSpec([], tf.int32)])
    def step(count):
        return constant_items(value, count, shape)

    items = step(tf.constant(count)).numpy()
    np.testing.assert_array_equal(items, np.full([count, 1024, 1024], value, np.float32), strict=True)
    functions = step.get_concrete_function().graph.as_graph_def().library.function
    # the file does not hold them
    assert max(node.ByteSize() for function in functions for node in function.node_def) < 1000
