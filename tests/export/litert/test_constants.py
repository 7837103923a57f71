"""Constants inside branches and loops of a .tflite."""

import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from export.litert import constants
from export.litert.write import convert
from export.tensorflow_formats import schema

TABLE = np.arange(50_000, dtype=np.int32)[::-1].copy()


def sums(table, count, step):
    """Some elements of a table added up in a loop that holds a branch."""

    def body(turn, total):
        value = tf.cond(turn % 2 > 0, lambda: tf.gather(table, turn), lambda: tf.gather(table, turn * step))
        return turn + 1, total + value

    return tf.while_loop(lambda turn, _: turn < count, body, (tf.constant(0), tf.constant(0)))[1]


@pytest.fixture(scope="module")
def model():
    table = tf.constant(TABLE)

    def function(count, step):
        return {"sum": tf.cond(count > 2, lambda: sums(table, count, step), lambda: table[count])}

    specs = [tf.TensorSpec([], tf.int32, name=name) for name in ("count", "step")]
    traced = tf.function(function, input_signature=specs, autograph=False).get_concrete_function()
    return convert({"sums": traced})


def test_a_table_is_an_operand_of_no_branch_and_of_no_loop(model):
    parsed = schema.ModelT.InitFromPackedBuf(model, 0)
    sizes = [0 if each.data is None else len(each.data) for each in parsed.buffers]
    inner, large = 0, {number for number, size in enumerate(sizes) if size > 1000}
    for graph in parsed.subgraphs:
        for op in graph.operators:
            code = parsed.operatorCodes[op.opcodeIndex].builtinCode
            if code in (schema.BuiltinOperator.IF, schema.BuiltinOperator.WHILE):
                inner += 1
                assert all(graph.tensors[number].buffer not in large for number in op.inputs)
    assert inner >= 3
    assert len(large) == 1
    assert TABLE.nbytes < len(model) < 1.2 * TABLE.nbytes


@pytest.mark.parametrize(("count", "step"), [(0, 1), (1, 1), (3, 7), (100, 33), (100, 1), (40, 500)])
def test_results_are_those_of_tensorflow(model, count, step):
    runner = Interpreter(model_content=model).get_signature_runner("sums")
    found = runner(count=np.int32(count), step=np.int32(step))["sum"]
    expected = TABLE[count] if count <= 2 else sums(tf.constant(TABLE), count, step)
    assert int(found) == int(expected)


def test_what_was_moved_in_stays(model):
    parsed, again = (schema.ModelT.InitFromPackedBuf(model, 0) for _ in range(2))
    constants.move_in(again)
    operands = [
        [list(op.inputs) for graph in each.subgraphs for op in graph.operators] for each in (parsed, again)
    ]
    assert operands[0] == operands[1]
