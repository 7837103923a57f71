"""Rows of several lengths as a tensor."""

import tensorflow as tf


def padded(rows, garbage=7):
    width = max((len(row) for row in rows), default=0)
    return tf.constant(
        [row + [garbage] * (width - len(row)) for row in rows], tf.int32, (len(rows), width)
    ), tf.constant([len(row) for row in rows], tf.int32)
