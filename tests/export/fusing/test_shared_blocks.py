"""Blocks that do the same with other weights: one function, and the same numbers as without it."""

import threading

import keras
import numpy as np
import pytest
import tensorflow as tf

from examples.small_gemma4 import small_gemma4
from export.fusing.shared_blocks import repeated_blocks, same_ops, shared_blocks

SPEC = tf.TensorSpec([None, 4])


class Block(keras.layers.Layer):
    """`x + (x @ kernel) * factor`, with a cache that it may be given."""

    def __init__(self, width=4, factor=1.0, **options):
        super().__init__(**options)
        self.inner = keras.layers.Dense(width, use_bias=False)
        self.outer = keras.layers.Dense(4)
        self.factor = factor  # not in its configuration

    def build(self, shape):
        self.inner.build(shape)
        self.outer.build((None, self.inner.units))

    def call(self, x, cache=None, index=0):
        x = x + self.outer(self.inner(x)) * self.factor
        return x if cache is None else (x, cache + index)


class Model(keras.Model):
    def __init__(self, *blocks):
        super().__init__()
        self.blocks = list(blocks)
        self.head = keras.layers.Dense(3)

    def call(self, x):
        cache = tf.zeros_like(x)
        for number, block in enumerate(self.blocks):
            x, cache = block(x, cache=cache, index=1 if number else 0)
        return self.head(x + cache)


def model_of(*blocks):
    keras.utils.set_random_seed(3)
    model = Model(*blocks)
    model(np.zeros((1, 4), np.float32))
    return model


def traced(model):
    return tf.function(lambda x: model(x), autograph=False).get_concrete_function(SPEC)


def functions(concrete):
    return [
        operation.get_attr("f").name
        for operation in concrete.graph.get_operations()
        if operation.type == "PartitionedCall"
    ]


def test_alike_blocks_share_a_function_and_give_the_same_numbers():
    model = model_of(*(Block() for _ in range(5)))
    x = np.random.default_rng(0).normal(size=(7, 4)).astype(np.float32)
    expected = traced(model)(tf.constant(x))
    with shared_blocks(model):
        shared = traced(model)
    called = functions(shared)
    assert len(called) == 5
    assert len(set(called)) == 2  # the first one adds 0 to its cache
    np.testing.assert_array_equal(shared(tf.constant(x)), expected)
    assert not functions(traced(model))


def test_what_is_traced_twice_is_shared_too():
    model = model_of(Block(), Block())
    with shared_blocks(model):
        assert functions(traced(model)) == functions(traced(model))


@pytest.mark.parametrize("other", [{"factor": 2.0}, {"width": 5}])
def test_blocks_that_do_other_things_do_not_share(other):
    """Whether or not their configurations tell it."""
    model = model_of(Block(), Block(), Block(**other), Block(**other))
    x = tf.constant([[1.0, -2.0, 3.0, 0.5]])
    with shared_blocks(model):
        shared = traced(model)
    first, second, third, fourth = functions(shared)
    assert third == fourth
    assert len({first, second, third}) == 3
    np.testing.assert_array_equal(shared(x), traced(model)(x))


def test_a_block_that_reads_what_it_is_not_given_keeps_to_itself():
    model, outside = model_of(Block(), Block(), Block()), tf.Variable([1.0, 2.0, 3.0, 4.0])
    for block in model.blocks:
        block.factor = outside
    x = tf.constant([[1.0, -2.0, 3.0, 0.5]])
    with shared_blocks(model):
        shared = traced(model)
    np.testing.assert_array_equal(shared(x), traced(model)(x))
    assert any(variable is outside for variable in shared.graph.variables)


def test_a_block_that_changes_its_state_keeps_to_itself():
    class Counting(Block):
        def build(self, shape):
            super().build(shape)
            self.calls = self.add_weight(shape=(), initializer="zeros", trainable=False)

        def call(self, x, cache=None, index=0):
            self.calls.assign_add(1.0)
            return super().call(x, cache, index)

    model = model_of(Counting(), Counting())
    before = [float(block.calls.value) for block in model.blocks]
    with shared_blocks(model):
        shared = traced(model)
    assert not functions(shared)
    shared(tf.ones([1, 4]))
    assert [float(block.calls.value) for block in model.blocks] == [count + 1 for count in before]


def test_models_that_are_no_layers_have_no_blocks():
    class Slots:
        __slots__ = ("layers",)

    for model in (len, Slots(), lambda features: features, object()):
        assert repeated_blocks(model) == []
        with shared_blocks(model):
            pass


def test_layers_that_hold_each_other_are_looked_at_once():
    model = model_of(Block(), Block())
    vars(model.head)["owner"] = model
    assert len(repeated_blocks(model)) == 2


def test_another_thread_traces_the_blocks_as_they_are():
    model, found = model_of(Block(), Block()), []
    with shared_blocks(model):
        thread = threading.Thread(target=lambda: found.append(functions(traced(model))))
        thread.start()
        thread.join()
    assert found == [[]]


def test_blocks_are_found_wherever_a_model_holds_them():
    model = small_gemma4(300)
    found = {type(block).__name__: 0 for block in repeated_blocks(model)}
    for block in repeated_blocks(model):
        found[type(block).__name__] += 1
    backbone = model.backbone
    assert found["Gemma4TextDecoderBlock"] == backbone.num_layers
    assert not repeated_blocks(keras.layers.Dense(3))


def graph_of(function, *specs):
    return tf.function(function, autograph=False).get_concrete_function(*specs or (SPEC, SPEC)).graph


def test_graphs_are_the_same_whatever_the_names():
    def plain(x, y):
        return tf.add(x, 2.0 * y)

    def named(a, b):
        with tf.name_scope("scope"):
            return tf.add(a, tf.multiply(2.0, b, name="twice"), name="sum")

    assert same_ops(graph_of(plain)) == same_ops(graph_of(named, *(tf.TensorSpec([None, 4]),) * 2))


@pytest.mark.parametrize(
    "other",
    [
        lambda x, y: tf.add(x, 3.0 * y),
        lambda x, y: tf.add(y, 2.0 * x),
        lambda x, y: tf.subtract(x, 2.0 * y),
        lambda x, y: 2.0 * y,
        lambda x, y: (tf.add(x, 2.0 * y), x),
    ],
)
def test_graphs_of_other_ops_constants_or_outputs_are_not(other):
    assert same_ops(graph_of(other)) != same_ops(graph_of(lambda x, y: tf.add(x, 2.0 * y)))
