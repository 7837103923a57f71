"""A signature, its specs and its trace."""

import tensorflow as tf

from export.signature import Input, Signature, input_specs, trace_signatures, traced, variables_used

DOUBLE = Signature(
    {"x": Input(tf.float32, (None, 2), "numbers")}, ("y",), lambda tensors: {"y": 2 * tensors["x"]}, "twice"
)


def test_specs_are_named_after_the_inputs():
    assert input_specs(DOUBLE) == {"x": tf.TensorSpec([None, 2], tf.float32, name="x")}


def test_a_trace_takes_keywords_and_any_size_that_is_none():
    function = traced(DOUBLE)
    assert function(x=tf.ones([3, 2]))["y"].numpy().tolist() == [[2.0, 2.0]] * 3
    assert function.structured_outputs["y"].shape.as_list() == [None, 2]


def test_signatures_of_one_function_share_its_trace():
    said = []
    other = DOUBLE._replace(function=lambda tensors: {"y": -tensors["x"]})
    functions = trace_signatures(
        {"a": DOUBLE, "b": DOUBLE._replace(meaning="again"), "c": other}, said.append
    )
    assert functions["a"] is functions["b"]
    assert functions["c"] is not functions["a"]
    assert said == ["tracing a", "tracing b", "tracing c"]


def test_a_variable_of_several_signatures_is_listed_once():
    shared, own = tf.Variable(1.0), tf.Variable(2.0)
    table = {
        "a": DOUBLE._replace(function=lambda tensors: {"y": shared * tensors["x"]}),
        "b": DOUBLE._replace(function=lambda tensors: {"y": shared * own * tensors["x"]}),
    }
    found = variables_used(trace_signatures(table, lambda _: None))
    assert {id(variable) for variable in found} == {id(shared), id(own)}
    assert len(found) == 2
