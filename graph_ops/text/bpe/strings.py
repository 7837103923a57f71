"""Strings <-> streams of bytes (see `utf8`): the only string ops of the engine `builtin`, and none of
LiteRT's business.
"""

from typing import NamedTuple

import tensorflow as tf

from graph_ops.text.bpe.utf8 import SEPARATOR

_END = 0xFF


class Stream(NamedTuple):
    """Texts one after the other.

    Attributes:
        codes: int32 [N]; bytes, a separator after each text, and one more.
        ends: int32 [B]; where each text's separator is.
    """

    codes: tf.Tensor
    ends: tf.Tensor


def to_stream(texts: tf.Tensor) -> Stream:
    """The stream of texts, string [B]."""
    ends = tf.cumsum(tf.strings.length(texts) + 1) - 1
    joined = tf.strings.join([tf.strings.reduce_join(tf.strings.join([texts, b"\0"])), b"\0"])
    codes = tf.cast(tf.io.decode_raw(joined, tf.uint8), tf.int32)
    separators = tf.concat([ends, [tf.size(codes) - 1]], axis=0)
    return Stream(
        tf.tensor_scatter_nd_update(
            codes, separators[:, tf.newaxis], tf.fill(tf.shape(separators), SEPARATOR)
        ),
        ends,
    )


def from_bytes(codes: tf.Tensor, ends: tf.Tensor) -> tf.Tensor:
    """Strings [B] from the bytes int32 [N] of all texts, which are UTF-8, and where each text's end, int32
    [B].

    A serialized tensor ends in the tensor's bytes, which is how bytes become a string; 0xFF after each text,
    which is never in UTF-8, then splits it.
    """
    texts = tf.RaggedTensor.from_row_splits(
        tf.cast(codes, tf.uint8), tf.concat([[0], ends], axis=0), validate=False
    )
    ended = tf.concat([texts, tf.fill([tf.size(ends), 1], tf.constant(_END, tf.uint8))], axis=1).values
    joined = tf.strings.substr(tf.io.serialize_tensor(ended), -tf.size(ended), tf.size(ended))
    split = tf.raw_ops.StringSplitV2(input=joined[tf.newaxis], sep=bytes([_END]), maxsplit=-1)
    return tf.ensure_shape(split.values[: tf.size(ends)], ends.shape)
