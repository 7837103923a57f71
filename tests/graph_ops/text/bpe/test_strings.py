"""Strings to a stream of bytes and back."""

import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from graph_ops.text.bpe import strings
from graph_ops.text.bpe.utf8 import SEPARATOR
from tests.twins.vocabularies import REPEATABLE


@REPEATABLE
@given(st.lists(st.binary(max_size=12), max_size=8))
def test_a_stream_holds_each_text_and_a_separator(texts):
    stream = strings.to_stream(tf.constant(texts, tf.string, [len(texts)]))
    expected = [code for text in texts for code in (*text, SEPARATOR)]
    assert stream.codes.numpy().tolist() == [*expected, SEPARATOR]
    codes = stream.codes.numpy()
    starts = [0, *(stream.ends.numpy() + 1).tolist()]
    pairs = zip(starts, stream.ends.numpy().tolist(), strict=False)
    assert [bytes(codes[start:end].tolist()) for start, end in pairs] == texts


@REPEATABLE
@given(st.lists(st.text(max_size=10).map(lambda text: text.encode("utf-8", "replace")), max_size=8))
def test_bytes_become_the_strings_they_were(texts):
    codes = tf.constant(list(b"".join(texts)), tf.int32, [sum(map(len, texts))])
    ends = tf.cumsum(tf.constant([len(text) for text in texts], tf.int32, [len(texts)]))
    assert strings.from_bytes(codes, ends).numpy().tolist() == texts
