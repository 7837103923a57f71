"""The engine "sentencepiece" by itself: readings, tables, models."""

import pytest
import sentencepiece
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from graph_ops.text.reading import Reading, as_read
from graph_ops.text.sentencepiece.engine import SentencepieceEngine
from graph_ops.text.vocabulary.vocabulary import load_vocabulary
from tests.data import DEMONSTRATION
from tests.twins.vocabularies import REPEATABLE, small_vocabulary

TEXTS = ["<bos>caf\u00e9 <|turn>", "", "<|image|> of a fox", "hello there " * 60]


@pytest.fixture(scope="module")
def engine():
    return SentencepieceEngine(load_vocabulary(DEMONSTRATION))


def rows(ids):
    return tf.RaggedTensor.from_row_splits(ids.values, ids.row_splits).to_list()


@pytest.mark.parametrize("reading", Reading, ids=lambda reading: reading.value)
@pytest.mark.parametrize("in_bulk", [False, True])
def test_ids_are_sentencepieces_with_the_vocabulary_as_it_is_read(engine, reading, in_bulk):
    proto = as_read(engine.vocabulary, reading).proto
    reference = sentencepiece.SentencePieceProcessor(model_proto=proto)
    ids = engine.encode(tf.constant(TEXTS), reading=reading, in_bulk=in_bulk)
    assert rows(ids) == reference.encode(TEXTS)


@REPEATABLE
@given(st.lists(st.text(max_size=12), max_size=4))
def test_decoding_gives_texts_back_but_for_the_mark_of_a_space(engine, texts):
    ids = engine.encode(tf.constant(texts, tf.string, [len(texts)]))
    expected = [text.replace("\u2581", " ").encode() for text in texts]
    assert engine.decode(*ids).numpy().tolist() == expected


def test_a_model_is_made_for_each_reading_that_is_prepared_or_used():
    engine = SentencepieceEngine(small_vocabulary(("a",), ("<|turn>",)))
    assert len(engine.models()) == 1
    engine.prepare([Reading.TRAINED, Reading.PLAIN])
    assert len(engine.models()) == 2
    engine.encode(tf.constant(["a"]), reading=Reading.CONTROL)
    engine.encode(tf.constant(["a"]), reading=Reading.CONTROL)
    assert len(engine.models()) == 3
    resource = tf.saved_model.experimental.TrackableResource
    assert all(isinstance(model, resource) for model in engine.models())


def test_tables_are_made_once_and_only_where_cuts_are_proven(engine):
    tables = engine.segment_tables(Reading.TRAINED)
    assert engine.segment_tables(Reading.TRAINED) is tables
    assert any(each is tables.pieces for each in engine.models())
    without = SentencepieceEngine(small_vocabulary(("a b", "a", "b", "\u2581")))
    assert without.segment_tables(Reading.TRAINED) is None
    assert rows(without.encode(tf.constant(["a", "b"]), in_bulk=True)) == [[261], [262]]


@pytest.mark.parametrize("method", ["encoder", "segment_tables"])
def test_what_is_no_reading_is_refused(engine, method):
    with pytest.raises(TypeError, match=r"`reading`: must be one of Reading.TRAINED, .*; got 'plain'"):
        getattr(engine, method)("plain")
