"""What a tokenizer does besides KerasHub's methods."""

import numpy as np
import pytest
import tensorflow as tf

from graph_ops.layers.token_methods import TokenMethods, TokensWithOffsets
from tests.twins.spans import spans_of


def test_a_text_comes_in_parts(demonstration_tokenizer):
    assert type(demonstration_tokenizer).detokenize_stream is TokenMethods.detokenize_stream
    first = demonstration_tokenizer.token_to_id("<0x00>")
    fox = [first + byte for byte in "🦊".encode()]
    text, pending = demonstration_tokenizer.detokenize_stream([300, *fox[:2]])
    assert text.numpy() == demonstration_tokenizer.detokenize([300]).numpy()
    assert pending.numpy().tolist() == [0, *fox[:2]]
    text, pending = demonstration_tokenizer.detokenize_stream(np.array(fox[2:]), pending)
    assert (text.numpy().decode(), pending.numpy().tolist()) == ("🦊", [0, 0, 0])
    text, pending = demonstration_tokenizer.detokenize_stream(tf.constant(fox[:1]), is_last=True)
    assert (text.numpy().decode(), pending.numpy().tolist()) == ("\ufffd", [0, 0, 0])
    text, pending = demonstration_tokenizer.detokenize_stream([], [0, 0, fox[0]], is_last=True)
    assert text.numpy().decode() == "\ufffd"


def test_several_texts_come_in_parts_in_a_graph(demonstration_tokenizer):
    stream = tf.function(demonstration_tokenizer.detokenize_stream)
    texts, pending = stream(tf.ragged.constant([[300], [], [300, 301]], dtype=tf.int32))
    expected = demonstration_tokenizer.detokenize(tf.ragged.constant([[300], [], [300, 301]]))
    assert texts.numpy().tolist() == expected.numpy().tolist()
    assert pending.numpy().tolist() == [[0, 0, 0]] * 3


def test_an_id_outside_the_vocabulary_is_refused(demonstration_tokenizer):
    with pytest.raises(ValueError, match=r"row 1: `token_ids`: an id must be in \[0, 4096\); got 4096"):
        demonstration_tokenizer.detokenize_stream([[300], [4_096]])


def test_tokens_come_with_their_places(demonstration_tokenizer):
    texts = ["\u00e9 fox", "", "\U0001f98a"]
    found = demonstration_tokenizer.tokenize_with_offsets(texts)
    assert isinstance(found, TokensWithOffsets)
    assert found.token_ids.to_list() == demonstration_tokenizer(texts).to_list()
    for row, text in enumerate(texts):
        one = demonstration_tokenizer.tokenize_with_offsets(text)
        assert one.token_ids.numpy().tolist() == found.token_ids[row].numpy().tolist()
        expected = spans_of(text.encode(), one.token_ids.numpy(), demonstration_tokenizer.vocabulary)
        assert [part.numpy().tolist() for part in one[1:]] == list(expected)
        assert found.byte_spans[row].numpy().tolist() == expected[0]
