"""The table of segments that are whole pieces."""

import numpy as np
import pytest
import tensorflow as tf

from graph_ops.text.reading import Reading, as_read
from graph_ops.text.sentencepiece.keys import KEY_BYTES, text_keys
from graph_ops.text.sentencepiece.piece_table import BUCKET_BITS, PLACES, _bucket, places_of_pieces
from graph_ops.text.vocabulary.sentencepiece_model import SPACE


@pytest.fixture(scope="module", params=[Reading.TRAINED, Reading.CONTROL], ids=lambda reading: reading.value)
def reading(request):
    return request.param


@pytest.fixture(scope="module")
def pieces(tokenizer, reading):
    return as_read(tokenizer.vocabulary, reading).pieces


@pytest.fixture(scope="module")
def places(tokenizer, pieces, reading):
    return places_of_pieces(tokenizer.engine.encoder(reading), pieces=pieces)


def texts_of(pieces):
    return [piece.replace(SPACE, " ").encode() for piece in pieces]


def looked_up(table, texts):
    return [part.numpy() for part in table.look_up(*text_keys(tf.constant(texts, tf.string, [len(texts)])))]


def test_pieces_are_found_by_their_text_and_nothing_else_is(tokenizer, reading, pieces, places):
    table, texts = tokenizer.engine.segment_tables(reading).pieces, texts_of(pieces)
    held = np.flatnonzero(places)
    is_known, ids = looked_up(table, [texts[index] for index in held])
    assert is_known.all()
    np.testing.assert_array_equal(ids, held)
    others = sorted({text + b"\x00" for text in texts if len(text) < KEY_BYTES} - set(texts))
    assert not looked_up(table, others)[0].any()


def test_what_it_holds_is_what_the_model_says(tokenizer, reading, pieces, places):
    held = np.flatnonzero(places)
    texts = texts_of(pieces)
    ids, splits = tokenizer.engine.encoder(reading)(tf.constant([texts[index] for index in held]))
    assert (np.diff(splits.numpy()) == 1).all()
    np.testing.assert_array_equal(ids.numpy(), held)


def test_a_bucket_holds_its_most_useful_pieces(tokenizer, reading, pieces, places):
    """Those of one byte first, and then those of low ids, of all that the model gives their own id alone."""
    texts = texts_of(pieces)
    ids = tf.RaggedTensor.from_row_splits(*tokenizer.engine.encoder(reading)(tf.constant(texts))).to_list()
    candidates = [index for index in range(len(texts)) if ids[index] == [index]]
    candidates = [index for index in candidates if len(texts[index]) <= KEY_BYTES]
    buckets = _bucket(*text_keys(tf.constant([texts[index] for index in candidates]))).numpy().tolist()
    expected, held = np.zeros_like(places), dict.fromkeys(buckets, 0)
    for _, index, bucket in sorted(
        (len(texts[index]) > 1, index, bucket) for index, bucket in zip(candidates, buckets, strict=True)
    ):
        held[bucket] += 1
        expected[index] = held[bucket] if held[bucket] <= PLACES else 0
    np.testing.assert_array_equal(places, expected)
    assert all(0 <= bucket < 2**BUCKET_BITS for bucket in held)


def test_a_table_that_is_filled_again_holds_the_same(tokenizer, reading):
    table = tokenizer.engine.segment_tables(reading).pieces

    def held():
        return tf.raw_ops.ReadVariableOp(resource=table.resource_handle, dtype=tf.uint64).numpy()

    before = held()
    table._initialize()
    np.testing.assert_array_equal(held(), before)
