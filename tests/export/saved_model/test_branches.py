"""Conditionals of an export are called, not lowered into their surroundings, and give the same.

Those of a function in which errors are dropped stay lowered.
"""

from concurrent.futures import ThreadPoolExecutor

import pytest
import tensorflow as tf

from export.saved_model.branches import call_branches
from export.saved_model.write import save_checked
from export.tensorflow_formats import SavedModel

SPEC = tf.TensorSpec([None], tf.int32, name="x")
REQUESTS = 4_000
"""Of branches that are called some 1 in 100 is cancelled."""
CONDITIONALS = {"If", "StatelessIf", "Case", "StatelessCase"}


def conditionals(folder):
    """Whether each conditional of an export is lowered, by its op's name."""
    graph = SavedModel.FromString((folder / "saved_model.pb").read_bytes()).meta_graphs[0].graph_def
    return [
        (node.op, node.attr["_lower_using_switch_merge"].b)
        for function in graph.library.function
        for node in function.node_def
        if node.op in CONDITIONALS
    ]


def branch(x):
    return tf.cond(tf.size(x) > 2, lambda: tf.cond(x[0] > 5, lambda: x * 2, lambda: x - 1), lambda: x + 1)


def case(x):
    return tf.switch_case(tf.minimum(tf.size(x), 2), [lambda: x * 3, lambda: x * 5, lambda: x * 7])


def asserting(x):
    def checked():
        tf.debugging.Assert(x[0] > 0, ["must be positive"])
        return x

    return tf.cond(tf.size(x) > 0, checked, lambda: x)


def looped(x):
    return tf.while_loop(lambda i, _: i < 3, lambda i, y: (i + 1, branch(y)), (0, x))[1]


@pytest.mark.parametrize("function", [branch, case, asserting, looped])
def test_a_branch_is_called_and_gives_the_same(function, tmp_path):
    traced = tf.function(lambda x: {"y": function(x)}, input_signature=[SPEC], autograph=False)
    tf.saved_model.save(tf.Module(), str(tmp_path), signatures=traced.get_concrete_function())
    assert any(is_lowered for _, is_lowered in conditionals(tmp_path))
    call_branches(tmp_path)
    found = conditionals(tmp_path)
    assert found
    assert not any(is_lowered for _, is_lowered in found)
    signature = tf.saved_model.load(str(tmp_path)).signatures["serving_default"]
    for values in ([7], [1, 2], [3, 2, 1], [9, 8, 7, 6]):
        given = tf.constant(values)
        assert signature(x=given)["y"].numpy().tolist() == traced(given)["y"].numpy().tolist()


def test_an_error_inside_a_branch_is_raised(tmp_path):
    traced = tf.function(lambda x: {"y": asserting(x)}, input_signature=[SPEC], autograph=False)
    tf.saved_model.save(tf.Module(), str(tmp_path), signatures=traced.get_concrete_function())
    call_branches(tmp_path)
    signature = tf.saved_model.load(str(tmp_path)).signatures["serving_default"]
    with pytest.raises(tf.errors.InvalidArgumentError, match="must be positive"):
        signature(x=tf.constant([-1]))


def tried(x):
    """-1 for what `DecodePng` refuses, inside a branch that has others beside it."""

    def decode(file):
        def ready(steps):
            """1, after so many ops in succession."""
            one = tf.constant(1)
            for _ in range(steps):
                one = tf.random.uniform([], one, 2, tf.int32)
            return one

        beside = [
            tf.cond(ready(steps) > 0, lambda: tf.strings.length(file), lambda: 0) for steps in range(0, 24, 2)
        ]
        decoded = tf.cond(
            ready(1) > 0, lambda: tf.reduce_sum(tf.cast(tf.io.decode_png(file), tf.int32)), lambda: 0
        )
        return tf.add_n([decoded, *beside])

    files = tf.data.Dataset.from_tensors(tf.strings.as_string(x[0]))
    refused = tf.data.Dataset.from_tensors(tf.constant(-1))
    return files.map(decode).ignore_errors().concatenate(refused).take(1).get_single_element()


def test_an_error_that_a_dataset_drops_never_cancels_the_request(tmp_path):
    traced = tf.function(lambda x: {"y": tried(x)}, input_signature=[SPEC], autograph=False)
    tf.saved_model.save(tf.Module(), str(tmp_path), signatures=traced.get_concrete_function())
    call_branches(tmp_path)
    assert all(is_lowered for _, is_lowered in conditionals(tmp_path))
    signature = tf.saved_model.load(str(tmp_path)).signatures["serving_default"]
    with ThreadPoolExecutor(6) as threads:
        requests = [threads.submit(signature, x=tf.constant([7])) for _ in range(REQUESTS)]
        assert {int(request.result()["y"]) for request in requests} == {-1}


def test_what_is_written_has_its_branches_called(tmp_path):
    traced = tf.function(lambda x: {"y": branch(x)}, input_signature=[SPEC], autograph=False)
    module = tf.Module()
    module.functions = {"only": traced.get_concrete_function()}
    save_checked(module, tmp_path)
    found = conditionals(tmp_path)
    assert found
    assert not any(is_lowered for _, is_lowered in found)
