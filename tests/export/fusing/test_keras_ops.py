"""What is replaced in Keras and KerasHub while a model is traced, and for whom."""

import types

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras_hub.src.models.gemma4.gemma4_vision_encoder import Gemma4VisionAveragePooling

from export.fusing import keras_ops
from export.fusing.keras_ops import core_ops, output_spec, own_grids, slice_update, small_parts
from tests.export.fusing.test_replacing import in_another_thread


@pytest.mark.parametrize("start", [(0, 0), (1, 2), (0, 3)])
def test_slice_update_equals_that_of_keras(start):
    inputs, updates = tf.reshape(tf.range(12.0), [3, 4]), -tf.ones([2, 1])
    expected = keras.ops.slice_update(inputs, start, updates)
    np.testing.assert_array_equal(slice_update(inputs, start, updates), expected)


def ops_of(function, *specs):
    graph = tf.function(function, autograph=False).get_concrete_function(*specs).graph
    return {operation.type for operation in graph.get_operations()}


def test_while_it_lasts_keras_updates_slices_with_a_core_op():
    """The other op is the XLA bridge's, which TF Serving lacks."""
    spec = tf.TensorSpec([3, 4])

    def update(inputs):
        return keras.ops.slice_update(inputs, (0, 0), inputs[:1, :1])

    before = keras.ops.slice_update
    with core_ops(object()):
        assert "XlaDynamicUpdateSlice" not in ops_of(update, spec)
        assert "XlaDynamicUpdateSlice" in in_another_thread(lambda: ops_of(update, spec))
    assert keras.ops.slice_update is before
    assert "XlaDynamicUpdateSlice" in ops_of(update, spec)


def test_while_it_lasts_ops_have_names_of_their_own_alone():
    """Names of 35 layers and of what is in them are a large part of a graph."""

    def names():
        def nested(inputs):
            with tf.name_scope("a_layer_with_a_long_name"), tf.name_scope("another"):
                return tf.nn.relu(tf.nn.relu(inputs, name="mine"))

        graph = tf.function(nested, autograph=False).get_concrete_function(tf.TensorSpec([1])).graph
        return [operation.name for operation in graph.get_operations()]

    with core_ops(object()):
        assert names() == ["inputs", "mine", "Relu", "Identity"]
    assert names()[1] == "a_layer_with_a_long_name/another/mine"


def grid(columns, rows, patches):
    """Positions int32 [1, patches, 2] of an image, (x, y), -1 in the padding."""
    places = [(x, y) for y in range(rows) for x in range(columns)]
    return tf.constant([places + [(-1, -1)] * (patches - len(places))])


def test_each_image_is_pooled_as_if_it_were_alone():
    pooling = Gemma4VisionAveragePooling(image_size=12, patch_size=1, pool_size=2)
    model = types.SimpleNamespace(vision_encoder=types.SimpleNamespace(layers=[pooling]))
    hidden = tf.random.stateless_normal([2, 1, 24, 3], seed=[1, 2])
    positions = tf.stack([grid(4, 6, 24), grid(12, 2, 24)])
    alone = [pooling(hidden[i : i + 1], pixel_position_ids=positions[i : i + 1]) for i in (0, 1)]
    with own_grids(model):
        together = tf.function(pooling)(hidden, pixel_position_ids=positions)
    np.testing.assert_array_equal(together, tf.concat(alone, axis=0))
    assert not np.array_equal(pooling(hidden, pixel_position_ids=positions), together)
    assert "call" not in vars(pooling)


def test_a_model_without_images_has_no_grids():
    with own_grids(types.SimpleNamespace(backbone=types.SimpleNamespace(vision_encoder=None))):
        pass


def test_the_spec_of_an_output_keeps_what_is_known_of_its_shape():
    spec = output_spec(lambda x: tf.cast(x[..., :2], tf.int32), [tf.TensorSpec([None, 5])])
    assert (spec.shape.as_list(), spec.dtype) == ([None, 2], tf.int32)


def narrow_embedding(dtype, rows=96, **settings):
    layer = keras.layers.ReversibleEmbedding(rows, 40, dtype=dtype, **settings)
    layer.build(None)
    numbers = np.random.default_rng(5).normal(size=(rows, 40))
    layer.embeddings.assign(numbers)
    return types.SimpleNamespace(token_embedding=layer), layer


@pytest.mark.parametrize("cap", [None, 3.0])
@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_logits_of_a_narrow_table_come_part_by_part_and_are_the_same(monkeypatch, dtype, cap):
    monkeypatch.setattr(keras_ops, "PART_BYTES", 96 * 40 * 4 // 5)
    backbone, layer = narrow_embedding(dtype, logit_soft_cap=cap)
    hidden = tf.cast(np.random.default_rng(6).normal(size=(2, 3, 40)), dtype)
    whole = layer(hidden, reverse=True)
    with small_parts(types.SimpleNamespace(backbone=backbone)):
        traced = tf.function(lambda hidden: layer(hidden, reverse=True)).get_concrete_function(hidden)
        ids = layer(tf.constant([[3, 95]]))
    kinds = {node.type for node in traced.graph.get_operations()}
    assert kinds & {"While", "StatelessWhile"}, "six parts of 16 rows"
    parts = traced(hidden)
    assert parts.dtype == whole.dtype
    # float32 sums of 40 products may be ordered otherwise; rounded, that is at most one step of the dtype
    step = 2.0 ** (-7 if dtype == "bfloat16" else -10)
    np.testing.assert_allclose(tf.cast(parts, tf.float32), tf.cast(whole, tf.float32), rtol=step, atol=step)
    np.testing.assert_array_equal(ids, layer(tf.constant([[3, 95]])))


@pytest.mark.parametrize(
    ("dtype", "settings"),
    [
        ("float32", {}),
        ("bfloat16", {"rows": 97}),  # a prime number of rows has no equal parts
        ("bfloat16", {"tie_weights": False}),
    ],
)
def test_other_tables_are_left_whole(monkeypatch, dtype, settings):
    monkeypatch.setattr(keras_ops, "PART_BYTES", 96 * 40 * 4 // 5)
    backbone, layer = narrow_embedding(dtype, **settings)
    original = layer.call
    with small_parts(types.SimpleNamespace(backbone=backbone)):
        assert layer.call == original
