"""Which ops a graph holds, and whether a server has them."""

from collections import Counter

import pytest
import tensorflow as tf

from export.saved_model.op_audit import SENTENCEPIECE_OPS, count_ops, foreign_ops
from export.tensorflow_formats import GraphDef

CORE = frozenset({"AddV2", "NoOp", "PyFunc"})


def test_ops_of_functions_are_counted_too():
    graph = GraphDef(node=[{"name": "a", "op": "NoOp"}, {"name": "b", "op": "NoOp"}])
    graph.library.function.add().node_def.add(name="c", op="AddV2")
    assert count_ops([graph, graph]) == {"NoOp": 4, "AddV2": 2}


@pytest.mark.parametrize(
    ("op", "is_foreign"),
    [
        ("AddV2", False),
        ("XlaDynamicUpdateSlice", True),
        ("PyFunc", True),
        *((op, False) for op in sorted(SENTENCEPIECE_OPS)),
    ],
)
def test_an_op_is_foreign_that_is_not_tensorflows_or_sentencepieces_or_needs_python(op, is_foreign):
    assert foreign_ops(Counter({op: 1}), CORE) == ([op] if is_foreign else [])


def test_an_op_of_python_is_found_in_a_traced_function():
    function = tf.function(lambda x: tf.numpy_function(lambda y: y, [x], tf.float32))
    graph = function.get_concrete_function(tf.TensorSpec([], tf.float32)).graph.as_graph_def()
    assert foreign_ops(count_ops([graph]), frozenset(dir(tf.raw_ops))) == ["PyFunc"]
