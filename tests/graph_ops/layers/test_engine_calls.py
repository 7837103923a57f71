"""An engine's steps, op by op and as graphs."""

import pytest
import tensorflow as tf

import graph_ops
from graph_ops.layers.engine_calls import EngineCalls
from graph_ops.text.reading import Reading
from tests.data import DEMONSTRATION

TEXTS = ["", "a b", "<bos>naïve 👍", "\x00\xff", "x" * 50]


@pytest.mark.parametrize("name", ["sentencepiece", "builtin"])
def test_each_call_gives_what_the_engine_gives(name):
    engine = graph_ops.Gemma4Tokenizer(DEMONSTRATION, engine=name).engine
    calls, texts, reading = EngineCalls(engine), tf.constant(TEXTS), Reading.CONTROL
    for size in (5, 1, 3, 5, 0):
        expected = engine.encode(texts[:size], reading=reading)
        found = calls.encode(texts[:size], reading=reading)
        assert [part.numpy().tolist() for part in found] == [part.numpy().tolist() for part in expected]
        decoded = calls.decode(*expected).numpy().tolist()
        assert decoded == engine.decode(*expected).numpy().tolist()
