"""Folding leaves out what a SavedModel's functions hold twice, and changes nothing that they compute."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from export.saved_model.fold import fold_saved_model
from export.tensorflow_formats import SavedModel

SPEC = tf.TensorSpec([None], tf.int32, name="x")


def saved(function, folder):
    """The folder of a SavedModel with one signature."""
    traced = tf.function(function, input_signature=[SPEC], autograph=False).get_concrete_function()
    tf.saved_model.save(tf.Module(), str(folder), signatures=traced)
    return folder


def functions(folder):
    """All but those that save and restore variables."""
    graph = SavedModel.FromString((folder / "saved_model.pb").read_bytes()).meta_graphs[0].graph_def
    return [each for each in graph.library.function if "_traced_" not in each.signature.name]


def ops(folder):
    return [node.op for function in functions(folder) for node in function.node_def]


def signature(folder):
    return tf.saved_model.load(str(folder)).signatures["serving_default"]


def test_of_equal_nodes_one_stays(tmp_path):
    folder = saved(lambda x: {"y": (x + 1) * (x + 1) + (x + 2)}, tmp_path)
    before = ops(folder)
    fold_saved_model(folder)
    after = ops(folder)
    assert before.count("AddV2") - after.count("AddV2") == 1
    assert after.count("Const") == 2
    assert signature(folder)(x=tf.constant([1, 5]))["y"].numpy().tolist() == [7, 43]


def test_nodes_with_state_stay(tmp_path):
    folder = saved(
        lambda x: {"y": tf.random.uniform(tf.shape(x)), "z": tf.random.uniform(tf.shape(x))}, tmp_path
    )
    fold_saved_model(folder)
    assert ops(folder).count("RandomUniform") == 2
    found = signature(folder)(x=tf.zeros([8], tf.int32))
    assert not np.array_equal(found["y"], found["z"])


def test_state_that_no_output_needs_stays(tmp_path):
    def function(x):
        tf.debugging.Assert(tf.reduce_all(x >= 0), ["negative"])
        return {"y": x + 1}

    folder = saved(function, tmp_path)
    fold_saved_model(folder)
    assert "Assert" in ops(folder)
    with pytest.raises(tf.errors.InvalidArgumentError, match="negative"):
        signature(folder)(x=tf.constant([-1]))


def test_what_nothing_needs_goes(tmp_path):
    def function(x):
        tf.sort(x)
        return {"y": x + 1}

    folder = saved(function, tmp_path)
    fold_saved_model(folder)
    assert "TopKV2" not in ops(folder)


def test_equal_branches_are_one_function(tmp_path):
    def function(x):
        first, last = x[0], x[-1]
        return {
            name: tf.cond(value > 0, lambda: x + 1, lambda: x - 1)
            for name, value in (("y", first), ("z", last))
        }

    folder = saved(function, tmp_path)
    before = len(functions(folder))
    fold_saved_model(folder)
    assert before - len(functions(folder)) == 2
    found = signature(folder)(x=tf.constant([1, 0]))
    assert (found["y"].numpy().tolist(), found["z"].numpy().tolist()) == ([2, 1], [0, -1])


def test_branches_that_differ_in_one_constant_are_two(tmp_path):
    def function(x):
        y = tf.cond(x[0] > 0, lambda: x + 1, lambda: x - 1)
        return {"y": y, "z": tf.cond(x[0] > 0, lambda: x + 2, lambda: x - 1)}

    folder = saved(function, tmp_path)
    fold_saved_model(folder)
    found = signature(folder)(x=tf.constant([1, 0]))
    assert (found["y"].numpy().tolist(), found["z"].numpy().tolist()) == ([2, 1], [3, 2])


def test_an_argument_handed_through_and_given_twice_is_returned(tmp_path):
    folder = saved(lambda x: {"y": tf.identity(x), "z": tf.identity(tf.identity(x)), "w": x}, tmp_path)
    fold_saved_model(folder)
    found = signature(folder)(x=tf.constant([3]))
    assert {name: value.numpy().tolist() for name, value in found.items()} == {"y": [3], "z": [3], "w": [3]}


def test_what_is_known_of_an_outputs_shape_is_kept(tmp_path):
    def function(x):
        y = tf.reshape(x + 1, [-1])
        y.set_shape([4])
        return {"y": y}

    folder = saved(function, tmp_path)
    fold_saved_model(folder)
    assert signature(folder).structured_outputs["y"].shape == [4]


def test_variables_and_loops(tmp_path):
    module = tf.Module()
    module.count = tf.Variable(0)

    @tf.function(input_signature=[SPEC], autograph=False)
    def function(x):
        module.count.assign_add(1)
        module.count.assign_add(1)
        total = tf.while_loop(lambda i, _: i < tf.size(x), lambda i, s: (i + 1, s + x[i]), (0, 0))[1]
        return {"sum": total, "count": module.count.read_value()}

    module.function = function
    tf.saved_model.save(module, str(tmp_path), signatures=function.get_concrete_function())
    fold_saved_model(tmp_path)
    call = signature(tmp_path)
    assert [int(call(x=tf.range(4))["count"]) for _ in range(2)] == [2, 4]
    assert int(call(x=tf.range(5))["sum"]) == 10


STEPS = (
    lambda a, b: a + b,
    lambda a, b: a * b,
    lambda a, b: tf.maximum(a, b),
    lambda a, _: tf.identity(a),
    lambda a, b: tf.cond(tf.reduce_sum(a) > 0, lambda: a - b, lambda: b - a),
    lambda a, _: tf.while_loop(lambda i, _: i < 3, lambda i, s: (i + 1, s * 3 + i), (0, a))[1],
    lambda a, b: tf.concat([a, b], axis=0)[: tf.size(a)],
    lambda a, b: tf.unique(a)[1] + b,
)


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(
    steps=st.lists(
        st.tuples(st.integers(0, len(STEPS) - 1), st.integers(0, 30), st.integers(0, 30)), max_size=12
    ),
    x=st.lists(st.integers(-9, 9), min_size=1, max_size=5),
)
def test_any_graph_computes_what_it_did(tmp_path_factory, steps, x):
    def function(x):
        tensors = [x, tf.constant(2) + tf.zeros_like(x)]
        for step, first, second in steps:
            tensors.append(STEPS[step](tensors[first % len(tensors)], tensors[second % len(tensors)]))
        return {f"y{place}": tensor for place, tensor in enumerate(tensors[-3:])}

    folder = saved(function, tmp_path_factory.mktemp("model"))
    wanted = {name: value.numpy() for name, value in signature(folder)(x=tf.constant(x)).items()}
    fold_saved_model(folder)
    for name, value in signature(folder)(x=tf.constant(x)).items():
        np.testing.assert_array_equal(value, wanted[name])
