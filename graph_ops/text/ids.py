"""Token ids of a flat batch of texts."""

from typing import NamedTuple

import tensorflow as tf


class Ids(NamedTuple):
    """Ids of B texts, one text after the other.

    Attributes:
        values: int32 [N].
        row_splits: int64 [B + 1]; where each text's ids begin, and N.
    """

    values: tf.Tensor
    row_splits: tf.Tensor
