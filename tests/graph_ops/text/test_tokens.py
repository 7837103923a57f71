"""Ids in range, and what a tokenizer must offer."""

import tensorflow as tf

from graph_ops.text.tokens import TokenRows, is_valid_id


def test_only_ids_of_the_vocabulary_are_valid():
    ids = tf.constant([[-(2**31), -1, 0], [9, 10, 2**31 - 1]])
    assert is_valid_id(ids, vocabulary_size=10).numpy().tolist() == [
        [False, False, True],
        [True, False, False],
    ]


def test_a_tokenizers_rows_are_padded_with_zeros(demonstration_tokenizer):
    rows = demonstration_tokenizer.tokenize_rows(tf.constant(["", "hello there", "a"]))
    assert isinstance(rows, TokenRows)
    lengths = rows.lengths.numpy().tolist()
    assert lengths[0] == 0
    assert rows.token_ids.shape[1] == max(lengths)
    is_padding = ~tf.sequence_mask(rows.lengths, max(lengths))
    assert not tf.boolean_mask(rows.token_ids, is_padding).numpy().any()
