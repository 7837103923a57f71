"""The ops themselves beside SentencePiece's own library."""

import itertools

import pytest
import sentencepiece
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from graph_ops.text.sentencepiece import ops
from tests.data import DEMONSTRATION
from tests.twins.vocabularies import REPEATABLE, small_vocabulary

PROTO = DEMONSTRATION.read_bytes()


@pytest.fixture(scope="module")
def model():
    return ops.make_model(PROTO, name="test of the ops")


@pytest.fixture(scope="module")
def reference():
    return sentencepiece.SentencePieceProcessor(model_proto=PROTO)


@REPEATABLE
@given(st.lists(st.binary(max_size=20) | st.text(max_size=20).map(str.encode), max_size=4))
def test_ids_are_sentencepieces_for_any_bytes(model, reference, texts):
    ids, splits = ops.tokenize(model, tf.constant(texts, tf.string, [len(texts)]))
    assert (ids.dtype, splits.dtype) == (tf.int32, tf.int64)
    rows = [ids[start:end].numpy().tolist() for start, end in itertools.pairwise(splits)]
    assert rows == [reference.encode(text) for text in texts]


@REPEATABLE
@given(st.lists(st.lists(st.integers(0, 4095), max_size=8), max_size=4))
def test_texts_are_sentencepieces_for_any_ids(model, reference, rows):
    ragged = tf.ragged.constant(rows, tf.int32, row_splits_dtype=tf.int64, ragged_rank=1)
    texts = ops.detokenize(model, ragged.values, ragged.row_splits).numpy().tolist()
    assert texts == [reference.decode(row).encode() for row in rows]


def test_a_model_outlives_the_kernels_that_are_cleared(model, reference):
    expected = reference.encode("hello there")
    tf.random.set_seed(3)
    assert ops.tokenize(model, tf.constant(["hello there"]))[0].numpy().tolist() == expected


def test_models_of_two_names_do_not_share_a_vocabulary():
    protos = {letter: small_vocabulary((letter,)).proto for letter in "ab"}
    models = {letter: ops.make_model(proto, name=f"model of {letter}") for letter, proto in protos.items()}
    found = {
        letter: ops.tokenize(model, tf.constant(["a"]))[0].numpy()[0] for letter, model in models.items()
    }
    assert found == {"a": 260, "b": 4 + ord("a")}
