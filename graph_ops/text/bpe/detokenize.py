"""Token ids -> bytes in core ops, as SentencePiece decodes: control pieces vanish, the bytes of successive
byte pieces are read as UTF-8.

Every piece's text is written into one stream (see `utf8`), a separator for a piece without one. Pieces other
than bytes are whole characters, so no byte piece can be continued by them, nor they by it; what is not UTF-8
are bytes of byte pieces, each of which becomes U+FFFD. The separator keeps apart what a control piece does.
"""

from typing import NamedTuple

import tensorflow as tf

from graph_ops.text.bpe import piece_texts, utf8
from graph_ops.text.bpe.arrays import taken
from graph_ops.text.bpe.piece_texts import WORD
from graph_ops.text.bpe.tables import BuiltinTables

REPLACEMENT_BYTES = 3
"""Bytes of U+FFFD."""


class Texts(NamedTuple):
    """Bytes of detokenized ids.

    Attributes:
        codes: int32 [M], or [capacity]; bytes, then 0.
        ends: int32 [n + 1]; how many bytes there are before each id, and in all (with a capacity too, however
            many that is).
    """

    codes: tf.Tensor
    ends: tf.Tensor


def characters_of(token_ids: tf.Tensor, tables: BuiltinTables) -> tf.Tensor:
    """How many characters begin in the text of each id int32 [n], in range: int32 [n]; of a byte piece one if
    a character may begin with that byte.
    """
    written = _written(token_ids, tables)
    begins = (written.codes < 0x80) | ((written.codes >= 0xC0) & (written.codes < utf8.SEPARATOR))
    before = taken(tf.cumsum(tf.cast(begins, tf.int32), exclusive=True), written.starts)
    count = tf.shape(token_ids)
    return tf.slice(before, [1], count) - tf.slice(before, [0], count)


def detokenize(token_ids: tf.Tensor, tables: BuiltinTables, *, capacity: int | None = None) -> Texts:
    """The bytes of ids.

    Args:
        token_ids: int32 [n], 0 … V; V is no piece, but keeps the bytes before it from those after it.
        tables: arrays or tensors.
        capacity: size of `codes`, for runtimes that want it fixed; what is beyond it is left out. By default
            as many as there are.
    """
    written = _written(token_ids, tables)
    codes, before = _repaired(written.codes, capacity)
    return Texts(codes, taken(before, written.starts))


class _Written(NamedTuple):
    """The stream int32 [M] of all ids' texts, and where each id's begins, int32 [n + 1], a last one's too."""

    codes: tf.Tensor
    starts: tf.Tensor


def _written(token_ids: tf.Tensor, tables: BuiltinTables) -> _Written:
    """The texts of ids int32 [n], a separator for one without a text and at the end."""
    texts = tables.piece_texts
    ids = tf.concat([token_ids, [tf.size(texts.lengths) - 1]], axis=0)
    lengths = piece_texts.lengths_of(texts, ids)
    is_empty = tf.equal(lengths, 0)
    lengths = tf.where(is_empty, 1, lengths)
    starts = tf.cumsum(lengths, exclusive=True)
    size = starts[-1] + 1
    piece = tf.cumsum(tf.scatter_nd(starts[:, tf.newaxis], tf.ones_like(starts), [size])) - 1
    places = tf.range(size) + taken(piece_texts.starts_of(texts, ids) * WORD - starts, piece)
    return _Written(
        tf.where(taken(is_empty, piece), utf8.SEPARATOR, piece_texts.byte_at(texts, places)), starts
    )


def _repaired(stream: tf.Tensor, capacity: int | None) -> tuple[tf.Tensor, tf.Tensor]:
    """The stream with U+FFFD for what is not UTF-8 and without separators, and how many bytes come before
    each of its elements.
    """
    characters = utf8.decode(stream)
    is_invalid = characters.is_start & ~characters.is_valid
    counts = tf.where(is_invalid, REPLACEMENT_BYTES, tf.cast(stream < utf8.SEPARATOR, tf.int32))
    before = tf.cumsum(counts, exclusive=True)
    size = before[-1] if capacity is None else capacity  # the last element is a separator
    slots = tf.where(counts > 0, before, size)
    codes = tf.where(is_invalid, 0xEF, stream)
    invalid = taken(before, tf.where(is_invalid)[:, 0])
    all_slots = tf.minimum(tf.concat([slots, invalid + 1, invalid + 2], axis=0), size)
    all_codes = tf.concat([codes, tf.fill(tf.shape(invalid), 0xBF), tf.fill(tf.shape(invalid), 0xBD)], axis=0)
    return tf.scatter_nd(all_slots[:, tf.newaxis], all_codes, [size + 1])[:-1], before
