"""Which ids of a vocabulary are bytes, and which byte each of them is."""

import functools

import numpy as np
import tensorflow as tf

from graph_ops.text.vocabulary.sentencepiece_model import PieceType
from graph_ops.text.vocabulary.vocabulary import Vocabulary

NO_BYTE = 256
"""In place of the byte of an id that is none."""


def bytes_of(token_ids: tf.Tensor, vocabulary: Vocabulary) -> tf.Tensor:
    """The byte, 0 … 255, of each id int32 […] that is a byte piece, else `NO_BYTE`: int32 […].

    Ids may be out of range.
    """
    first, values = _bytes_by_id(vocabulary)
    after = first + len(values) - 1
    places = tf.clip_by_value(token_ids, first, after) - first
    return tf.gather_nd(values, places[..., tf.newaxis])


@functools.lru_cache(maxsize=8)
def _bytes_by_id(vocabulary: Vocabulary) -> tuple[int, np.ndarray]:
    """An id before all byte pieces, and int32 [n]: what it and those after it are; the last one is no
    byte.
    """
    ids = [place for place, kind in enumerate(vocabulary.types) if kind is PieceType.BYTE]
    first = min(ids, default=0) - 1
    values = np.full(max(ids, default=-1) - first + 2, NO_BYTE, np.int32)
    for place in ids:
        values[place - first] = int(vocabulary.pieces[place][3:5], 16)
    return first, values
