"""Which segments are whole pieces: a table in which a graph looks them up.

It is made of the model's own pieces whenever the model is loaded. A SavedModel then holds one byte for each
piece, where the table has 48 for each bucket.
"""

from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from graph_ops.text.sentencepiece import ops
from graph_ops.text.sentencepiece.keys import KEY_BYTES, text_keys
from graph_ops.text.vocabulary.sentencepiece_model import SPACE

Encode = Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]]
"""SentencePiece: strings [B] to the ids int32 [N] of all texts and where each text's begin, int64 [B + 1]."""

BUCKET_BITS = 17
"""Binary logarithm of the table's buckets, of 48 bytes each: 6.3 MB in memory. More find more words."""

PLACES = 2
"""Segments in a bucket."""

_COLUMNS = 3 * PLACES
_AT_A_TIME = 2**14
"""Pieces that are put into the table together."""
_FACTORS = (
    0x9E3779B97F4A7C15,
    0xC2B2AE3D27D4EB4F,
)  # odd, bits well mixed: 2**64 over the golden ratio, and xxHash's second prime


class PieceTable(tf.saved_model.experimental.TrackableResource):
    """uint64 [buckets, 6]: two segments a bucket, each as its two keys and its id.

    It is a variable with a name, as the models are, that whoever loads a SavedModel fills by the SavedModel's
    own graph.
    """

    def __init__(self, model: tf.Tensor, *, vocabulary_sha256: str) -> None:
        """
        Args:
            model: resource []; of SentencePiece.
            vocabulary_sha256: of the model; in a process its table has one name.
        """
        super().__init__()
        self._model = model
        self._name = f"{vocabulary_sha256}-pieces-{BUCKET_BITS}"
        self._places: np.ndarray | None = None
        _ = self.resource_handle  # makes the resource

    @property
    def is_filled(self) -> bool:
        """Whether `fill` was called, before which nothing may be looked up."""
        return self._places is not None

    def fill(self, places: np.ndarray) -> None:
        """With those of the model's pieces that `places_of_pieces` gives a place."""
        self._places = places
        self._initialize()

    def look_up(self, first_key: tf.Tensor, second_key: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Whether the table holds the keys, uint64 [W] each, as bool [W], and if so the id, int32 [W]."""
        buckets = _bucket(first_key, second_key)
        found = tf.raw_ops.ResourceGather(resource=self.resource_handle, indices=buckets, dtype=tf.uint64)
        columns = tf.unstack(tf.ensure_shape(found, [None, _COLUMNS]), num=_COLUMNS, axis=1)
        is_first, is_second = (
            (columns[at] == first_key) & (columns[at + 1] == second_key) for at in range(0, _COLUMNS, 3)
        )
        return is_first | is_second, tf.cast(tf.where(is_first, columns[2], columns[5]), tf.int32)

    def _create_resource(self) -> tf.Tensor:
        with tf.device("/device:CPU:0"):
            return tf.raw_ops.VarHandleOp(
                dtype=tf.uint64, shape=[2**BUCKET_BITS, _COLUMNS], shared_name=self._name
            )

    def _initialize(self) -> None:
        if self._places is None:
            return
        with tf.device("/device:CPU:0"):
            table = _table(self._model, self._places)
            tf.raw_ops.AssignVariableOp(resource=self.resource_handle, value=table)


def places_of_pieces(encode: Encode, *, pieces: Sequence[str]) -> np.ndarray:
    """uint8 [V]: 1 or 2 for the first and the second piece of its bucket, 0 for those that are not in the
    table.

    Of the segments that share a bucket it holds the two most useful, one byte long or with a low id (often
    seen). A piece is a segment if its text is at most 16 bytes long and the model gives this one id for it.
    """
    texts = [piece.replace(SPACE, " ").encode() for piece in pieces]
    some = np.flatnonzero([0 < len(text) <= KEY_BYTES for text in texts])
    ids, splits = (
        found.numpy() for found in encode(tf.constant([texts[index] for index in some], tf.string))
    )
    is_one = np.diff(splits) == 1
    some = some[is_one][ids[splits[:-1][is_one]] == some[is_one]]
    keys = text_keys(tf.constant([texts[index] for index in some], tf.string, [len(some)]))
    buckets = _bucket(*keys).numpy()
    order = np.lexsort((some, [len(texts[index]) > 1 for index in some], buckets))
    place = np.arange(len(order)) - np.searchsorted(buckets[order], buckets[order])
    places = np.zeros(len(pieces), np.uint8)
    places[some[order]] = np.where(place < PLACES, place + 1, 0)
    return places


def _table(model: tf.Tensor, places: np.ndarray) -> tf.Tensor:
    """What a `PieceTable` holds, by ops alone; of some pieces at a time, so that little memory is taken."""
    count, given = len(places), tf.constant(places)

    def with_pieces(start: tf.Tensor, table: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        some = given[start : start + _AT_A_TIME]
        ids = start + tf.cast(tf.where(some > 0)[:, 0], tf.int32)
        keys = text_keys(tf.strings.regex_replace(ops.id_to_piece(model, ids), SPACE, " "))
        rows = tf.stack([*keys, tf.cast(ids, tf.uint64)], axis=1)
        row = _bucket(*keys) * PLACES + tf.cast(tf.gather(given, ids), tf.int64) - 1
        return start + _AT_A_TIME, tf.tensor_scatter_nd_update(table, row[:, tf.newaxis], rows)

    # no segment has the key of an empty place: nothing else follows a 0xFF
    empty = tf.tile(tf.constant([[2**64 - 1, 0, 0]], tf.uint64), [(PLACES << BUCKET_BITS) + _zero(model), 1])
    shapes = (tf.TensorShape([]), tf.TensorShape([None, 3]))
    _, table = tf.while_loop(
        lambda start, _: start < count,
        with_pieces,
        (0, empty),
        shape_invariants=shapes,
        parallel_iterations=1,
    )
    return tf.reshape(table, [-1, _COLUMNS])


def _zero(model: tf.Tensor) -> tf.Tensor:
    """int32 []: 0, which is only known once there is a model. What hangs on constants alone TensorFlow
    computes when it prepares a graph, and keeps there: a second table, and its bytes in a node.
    """
    return tf.minimum(tf.strings.length(ops.id_to_piece(model, tf.constant([0])))[0], 0)


def _bucket(first_key: tf.Tensor, second_key: tf.Tensor) -> tf.Tensor:
    """int64 of the same shape: the high bits of a sum of products modulo 2**64."""
    mixed = first_key * tf.constant(_FACTORS[0], tf.uint64) + second_key * tf.constant(_FACTORS[1], tf.uint64)
    return tf.cast(tf.bitwise.right_shift(mixed, tf.constant(64 - BUCKET_BITS, tf.uint64)), tf.int64)
