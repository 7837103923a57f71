"""One merge of each segment after another."""

import pytest
import tensorflow as tf

from graph_ops.text.bpe import one_by_one, pair_table
from graph_ops.text.bpe.arrays import earlier
from graph_ops.text.bpe.cache import load_tables
from tests.twins import bpe
from tests.twins.vocabularies import small_vocabulary

VOCABULARY = small_vocabulary(("aba", "ab", "ba", "aa", "a", "b"))


@pytest.mark.parametrize("texts", [["a"], ["ab"], ["aba", "ab"], ["ababab", "aaaaa", "b", "baab"]])
def test_segments_merge_by_themselves(texts, tmp_path):
    table = load_tables(VOCABULARY, folder=tmp_path).merges
    symbols = tf.constant([VOCABULARY.find(letter) for text in texts for letter in text])
    segments = tf.constant([place for place, text in enumerate(texts) for _ in text])
    is_inside = tf.equal(segments, earlier(segments, by=1, fill=-1))
    _, ranks = pair_table.look_up(table, symbols, earlier(symbols, by=1, fill=-1))
    ranks = tf.where(is_inside, ranks, pair_table.NONE)
    starts, ids = one_by_one.merge(symbols, segments, ranks, table)
    expected = [index for text in texts for index in bpe.Encoder(VOCABULARY)(text.encode())]
    assert ids.numpy().tolist() == expected
    lengths = [len(VOCABULARY.pieces[index]) for index in expected]
    assert starts.numpy().tolist() == [sum(lengths[:place]) for place in range(len(lengths))]
