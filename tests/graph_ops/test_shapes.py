"""Static shapes, without an op."""

import pytest
import tensorflow as tf

from graph_ops.shapes import with_shape


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
