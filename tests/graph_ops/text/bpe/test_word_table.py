"""Segments that are looked up by their bytes: each word is found, nothing else is."""

import numpy as np
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from graph_ops.text.bpe import piece_texts, word_table
from graph_ops.text.bpe.word_table import WORD_BYTES
from tests.twins.vocabularies import REPEATABLE

WORD = st.binary(min_size=1, max_size=WORD_BYTES).filter(lambda word: not word.endswith(b"\0"))


def looked_up(words, asked):
    """Ids of the words of `asked` in a table of `words`, the pieces 0, 2 …; odd ones are empty."""
    texts = [part for word in words for part in (word, b"")]
    table = word_table.build(words, np.arange(len(words)) * 2)
    pieces = piece_texts.build(texts, padding=WORD_BYTES // piece_texts.WORD)
    padding = WORD_BYTES + piece_texts.WORD
    codes = np.frombuffer(b"".join(asked) + b"\xff" * padding, np.uint8).astype(np.int32)
    lengths = np.array([len(word) for word in asked], np.int32)
    begins = (np.cumsum(lengths) - lengths).astype(np.int32)
    words = piece_texts.packed(tf.constant(codes))
    return word_table.look_up(table, pieces, words, tf.constant(begins), tf.constant(lengths)).numpy()


@REPEATABLE
@given(st.lists(WORD, min_size=1, max_size=40, unique=True), st.lists(st.binary(min_size=1), max_size=20))
def test_every_word_is_found_and_no_other_bytes(words, others):
    ids = {word: 2 * index for index, word in enumerate(words)}
    longer = [word + b"x" for word in words]
    shorter = [word[:-1] for word in words if len(word) > 1]
    asked = [*words, *others, *longer, *shorter]
    assert looked_up(words, asked).tolist() == [ids.get(word, -1) for word in asked]


def test_no_sum_of_the_hash_leaves_int32():
    assert int(word_table._weights().max()) * 2**16 * WORD_BYTES // 2 < 2**31
