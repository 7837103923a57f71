"""Strings <-> streams of bytes (see `utf8`): the only string ops of the engine `builtin`, and none of LiteRT's business."""

from typing import NamedTuple

import tensorflow as tf

from graph_ops.utf8 import SEPARATOR


class Stream(NamedTuple):
    """Texts one after the other.

    Attributes:
        codes: int32 [N]; bytes, and a separator after each text.
        ends: int32 [B]; where each text's separator is.
    """

    codes: tf.Tensor
    ends: tf.Tensor


def to_stream(texts: tf.Tensor) -> Stream:
    """The stream of strings [B]."""
    ends = tf.cumsum(tf.strings.length(texts) + 1) - 1
    joined = tf.strings.reduce_join(tf.strings.join([texts, b"\0"]))
    codes = tf.cast(tf.io.decode_raw(joined, tf.uint8), tf.int32)
    return Stream(tf.tensor_scatter_nd_update(codes, ends[:, tf.newaxis], tf.fill(tf.shape(ends), SEPARATOR)), ends)


def from_bytes(codes: tf.Tensor, ends: tf.Tensor) -> tf.Tensor:
    """Strings [B] from the bytes int32 [N] of all texts and where each text's end, int32 [B].

    A serialized tensor ends in the tensor's bytes, which is how bytes become a string.
    """
    joined = tf.io.serialize_tensor(tf.cast(codes, tf.uint8))
    header = tf.strings.length(joined) - tf.size(codes)
    starts = tf.concat([[0], ends[:-1]], axis=0)
    return tf.strings.substr(tf.fill(tf.shape(ends), joined), header + starts, ends - starts)
