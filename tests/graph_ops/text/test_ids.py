"""Ids of several texts side by side."""

import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from graph_ops.text.engines import ENGINES, make_engine
from graph_ops.text.ids import Ids
from tests.twins.vocabularies import REPEATABLE, small_vocabulary, words

VOCABULARY = small_vocabulary(("ab", "a", "b", "\u2581"))


@pytest.fixture(scope="module", params=ENGINES)
def engine(request):
    return make_engine(request.param, VOCABULARY)


@settings(REPEATABLE, max_examples=5)
@given(st.lists(words("ab c", 0, 6), max_size=3))
def test_row_splits_lead_from_text_to_text(engine, texts):
    ids = engine.encode(tf.constant(texts, tf.string, [len(texts)]))
    assert isinstance(ids, Ids)
    assert (ids.values.dtype, ids.row_splits.dtype) == (tf.int32, tf.int64)
    splits = ids.row_splits.numpy().tolist()
    assert splits == sorted(splits)
    assert (splits[0], splits[-1], len(splits)) == (0, len(ids.values), len(texts) + 1)
    for text, start, end in zip(texts, splits, splits[1:], strict=False):
        alone = engine.encode(tf.constant([text]))
        assert ids.values[start:end].numpy().tolist() == alone.values.numpy().tolist()
