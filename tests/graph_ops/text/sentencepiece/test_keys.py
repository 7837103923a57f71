"""The first bytes of segments as numbers."""

import numpy as np
import tensorflow as tf

from graph_ops.text.sentencepiece.keys import END, KEY_BYTES, PADDING, joined_bytes, segment_keys, text_keys


def keys_of(texts):
    """uint64 [n, 2], by Python."""
    padded = [text[:KEY_BYTES].ljust(KEY_BYTES, bytes([END])) for text in texts]
    return np.array([np.frombuffer(text, "<u8") for text in padded], np.uint64).reshape(-1, 2)


def test_bytes_are_joined_with_an_end_after_each_text():
    joined = joined_bytes(tf.constant(["ab", "", "\u2581"])).numpy().tobytes()
    assert joined == b"ab\xff\xff\xe2\x96\x81\xff" + b"\xff" * PADDING


def test_keys_of_any_length_and_place():
    draw = np.random.default_rng(24)
    data = draw.integers(0, END, 1000, dtype=np.uint8)
    starts = draw.integers(0, 900, 500)
    ends = starts + draw.integers(1, 30, 500)
    codes = tf.concat([data, tf.fill([PADDING], np.uint8(END))], axis=0)
    keys = np.stack(segment_keys(codes, tf.constant(starts), tf.constant(ends)), axis=1)
    texts = [data[start:end].tobytes() for start, end in zip(starts, ends, strict=True)]
    np.testing.assert_array_equal(keys, keys_of(texts))


def test_keys_of_whole_texts():
    draw = np.random.default_rng(25)
    lengths = draw.integers(0, KEY_BYTES + 1, 200)
    texts = [draw.integers(0, END, length, dtype=np.uint8).tobytes() for length in lengths]
    np.testing.assert_array_equal(np.stack(text_keys(tf.constant(texts)), axis=1), keys_of(texts))
    assert [key.shape.as_list() for key in text_keys(tf.zeros([0], tf.string))] == [[0], [0]]
