"""GATHER_ND of single places becomes GATHER in a bundle, and gives the same."""

import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from export.litert.gathers import use_gather
from export.litert.write import convert, count_ops
from export.tensorflow_formats import SavedModel
from graph_ops.text.bpe.arrays import taken

SPECS = [tf.TensorSpec([None], tf.int32, name="places")]
ROWS = np.arange(600, dtype=np.int32).reshape(200, 3)


def converted(function):
    """A .tflite of a function of places, and the function as TensorFlow runs it."""
    traced = tf.function(function, input_signature=SPECS, autograph=False)
    return convert({"only": traced.get_concrete_function()}), traced


def looped(places):
    return tf.while_loop(lambda i, _: i < 3, lambda i, x: (i + 1, taken(ROWS[:, 2], x // 3)), (0, places))[1]


@pytest.mark.parametrize(
    "function",
    [
        lambda places: {"out": taken(ROWS, places)},
        lambda places: {"out": taken(ROWS[:, 0], places)},
        lambda places: {"out": taken(places, tf.range(tf.size(places))) + taken(ROWS[:, 1], places)},
        lambda places: {"out": taken(ROWS, tf.stack([places, places], axis=1))},
        lambda places: {
            "out": tf.while_loop(
                lambda i, _: i < 3, lambda i, x: (i + 1, taken(ROWS[:, 2], x // 3)), (0, places)
            )[1]
        },
    ],
    ids=["rows", "elements", "twice", "places of rank 2", "in a loop"],
)
def test_places_are_taken_by_gather(function):
    model, traced = converted(function)
    ops = count_ops(model)
    assert "GATHER_ND" not in ops
    assert ops["GATHER"] >= 1
    runner = Interpreter(model_content=model).get_signature_runner("only")
    for given in ([0], [5, 199, 5, 0], list(range(0, 200, 7))):
        places = np.array(given, np.int32)
        np.testing.assert_array_equal(runner(places=places)["out"], traced(places)["out"])


def test_places_in_several_dims_stay_with_gather_nd():
    model, traced = converted(
        lambda places: {"out": tf.gather_nd(ROWS, tf.stack([places, places % 3], axis=1))}
    )
    assert count_ops(model)["GATHER_ND"] == 1
    runner = Interpreter(model_content=model).get_signature_runner("only")
    places = np.array([4, 9, 0], np.int32)
    np.testing.assert_array_equal(runner(places=places)["out"], traced(places)["out"])


def test_a_saved_model_is_rewritten_in_place_and_gives_the_same(tmp_path):
    traced = tf.function(lambda places: {"out": looped(places)}, input_signature=SPECS, autograph=False)
    tf.saved_model.save(tf.Module(), str(tmp_path), signatures=traced.get_concrete_function())
    use_gather(tmp_path)
    graph = SavedModel.FromString((tmp_path / "saved_model.pb").read_bytes()).meta_graphs[0].graph_def
    assert "GatherNd" not in {node.op for each in graph.library.function for node in each.node_def}
    places = tf.constant([4, 9, 0])
    found = tf.saved_model.load(str(tmp_path)).signatures["serving_default"](places=places)["out"]
    np.testing.assert_array_equal(found, traced(places)["out"])
