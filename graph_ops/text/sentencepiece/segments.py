"""Strings -> token ids with less work for SentencePiece: words that are whole pieces are looked up in a
table.

Cuts and segments are those of `cuts`.

* A segment is **known** if the piece table holds it, with its one id. A **run** is a stretch of unknown
  segments of one text.

```
We hold zyx zyxes.|   a text and the byte 0xFF after it
1122222333344444456   segments by number, in Gemma's vocabulary
+++++++----------++   known or not: ` zyx zyxes` is a run
```

The ids are SentencePiece's own, for any text: those of a text are those of its segments, or of any longer
parts that end at cuts. The piece table holds what SentencePiece itself said of each segment when the table
was built, with all the segment's bytes as the key; runs are given to SentencePiece.
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from graph_ops.text.cuts import byte_cuts, pieces_in_text
from graph_ops.text.sentencepiece.keys import END, KEY_BYTES, PADDING, joined_bytes, segment_keys
from graph_ops.text.sentencepiece.piece_table import Encode, PieceTable, places_of_pieces
from graph_ops.text.vocabulary.sentencepiece_model import PieceType
from graph_ops.text.vocabulary.vocabulary import Vocabulary

MIN_BYTES = 512
"""Shorter batches go to SentencePiece whole: it is done before the lookups are."""

MAX_NON_ASCII = 1 / 2
"""Batches with a larger share of bytes over 0x7F go to SentencePiece whole: few of their segments are
pieces.
"""


class SegmentTables(NamedTuple):
    """What a vocabulary says of segments.

    Attributes:
        cuts: bool [65536]; whether there is a cut between bytes a and b, at 256 a + b.
        pieces: the ids of those that are whole pieces.
    """

    cuts: tf.Tensor
    pieces: PieceTable


@tf.autograph.experimental.do_not_convert  # as graph code, its loops over all pieces would take a minute
def segment_tables(vocabulary: Vocabulary, pieces: PieceTable, encode: Encode) -> SegmentTables | None:
    """Tables of a vocabulary; `pieces`, its model's, is filled by the ids that `encode` gives for string [N].
    None if cuts cannot be proven for it.

    They can for BPE with byte fallback that takes a text as it is, except that a space becomes `▁`.
    """
    if not (vocabulary.is_bpe and vocabulary.has_byte_fallback and vocabulary.keeps_text):
        return None
    if PieceType.UNUSED in vocabulary.types or any(" " in piece for piece in pieces_in_text(vocabulary)):
        return None
    with tf.init_scope():
        pieces.fill(places_of_pieces(encode, pieces=vocabulary.pieces))
        return SegmentTables(tf.constant(_cuts(vocabulary).reshape(-1)), pieces)


def tokenize(texts: tf.Tensor, tables: SegmentTables, *, encode: Encode) -> tuple[tf.Tensor, tf.Tensor]:
    """The same as `encode(texts)`, sooner for batches of a few sentences or more in mostly ASCII letters.

    Args:
        texts: string [B]; any bytes.
        tables: of the vocabulary that `encode` uses.
        encode: SentencePiece.

    Returns:
        Ids int32 [N] of all texts; int64 [B + 1], where each text's begin.
    """
    with tf.device("/device:CPU:0"):  # where strings are; numbers would go to a GPU and back
        ids, row_splits = tf.cond(
            tf.reduce_sum(tf.strings.length(texts)) >= MIN_BYTES,
            lambda: _tokenize_many(texts, tables, encode),
            lambda: encode(texts),
        )
    return ids, tf.ensure_shape(row_splits, [None if texts.shape[0] is None else texts.shape[0] + 1])


def _tokenize_many(texts: tf.Tensor, tables: SegmentTables, encode: Encode) -> tuple[tf.Tensor, tf.Tensor]:
    codes = joined_bytes(texts)
    return tf.cond(
        _pays(codes, texts), lambda: _tokenize_segments(codes, tables, encode), lambda: encode(texts)
    )


def _pays(codes: tf.Tensor, texts: tf.Tensor) -> tf.Tensor:
    """Bool []: whether the only 0xFF are those that were put in, and looking segments up is faster."""
    ends = tf.reduce_sum(tf.cast(codes == END, tf.int32))
    non_ascii = tf.reduce_sum(tf.cast(codes >= 0x80, tf.int32)) - ends
    limit = tf.cast(tf.cast(tf.size(codes), tf.float32) * MAX_NON_ASCII, tf.int32)
    return (ends == tf.size(texts) + PADDING) & (non_ascii <= limit)


def _tokenize_segments(
    codes: tf.Tensor, tables: SegmentTables, encode: Encode
) -> tuple[tf.Tensor, tf.Tensor]:
    with tf.name_scope("segments"):
        starts, ends = _segments(codes, tables.cuts)
        keys = segment_keys(codes, starts, ends)
        is_end = keys[0] == tf.constant(2**64 - 1, tf.uint64)
        is_known, ids = tables.pieces.look_up(*keys)
        is_known &= ends - starts <= KEY_BYTES
        runs, lasts = _runs(is_known | is_end)
    with tf.name_scope("runs"):
        run_ids, run_splits = encode(_strings(codes, tf.gather(starts, runs), tf.gather(ends, lasts)))
    with tf.name_scope("assemble"):
        return _assemble(is_known, ids, is_end, runs, run_ids, run_splits)


def _assemble(
    is_known: tf.Tensor,
    ids: tf.Tensor,
    is_end: tf.Tensor,
    runs: tf.Tensor,
    run_ids: tf.Tensor,
    run_splits: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Ids of known segments and of runs in the order of the text, and where each text's begin."""
    run_lengths = run_splits[1:] - run_splits[:-1]
    counts = tf.tensor_scatter_nd_update(tf.cast(is_known, tf.int64), runs[:, tf.newaxis], run_lengths)
    offsets = tf.cumsum(counts, exclusive=True)
    known, run_offsets = tf.where(is_known)[:, 0], tf.gather(offsets, runs)
    places = [tf.gather(offsets, known), tf.ragged.range(run_offsets, run_offsets + run_lengths).values]
    merged = tf.dynamic_stitch(
        [tf.cast(place, tf.int32) for place in places], [tf.gather(ids, known), run_ids]
    )
    return merged, tf.concat([[0], tf.gather(offsets, tf.where(is_end)[:, 0])], axis=0)


def _segments(codes: tf.Tensor, cuts: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Where segments begin and end, int64 [W] each; the 0xFF after a text is one."""
    wide = tf.cast(codes, tf.int32)
    pairs = wide[:-PADDING] * 256 + wide[1 : 1 - PADDING]
    ends = tf.where(tf.gather(cuts, pairs))[:, 0] + 1
    return tf.concat([[0], ends], axis=0)[:-1], ends


def _runs(is_known: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The first and the last segment of each stretch of False in bool [W]: int64 [R] each."""
    padded = tf.concat([[True], is_known, [True]], axis=0)
    return tf.where(~is_known & padded[:-2])[:, 0], tf.where(~is_known & padded[2:])[:, 0]


def _strings(codes: tf.Tensor, starts: tf.Tensor, ends: tf.Tensor) -> tf.Tensor:
    """The bytes from `starts` to `ends` as strings [R].

    A serialized tensor ends in the tensor's bytes, which is how bytes become a string; the 0xFF after each
    part then splits it.
    """
    parts = tf.ragged.range(starts, ends + 1)
    last = parts.row_splits[1:, tf.newaxis] - 1
    ended = tf.tensor_scatter_nd_update(
        tf.gather(codes, parts.values), last, tf.fill(tf.shape(starts), tf.constant(END, tf.uint8))
    )
    joined = tf.strings.substr(tf.io.serialize_tensor(ended), -tf.size(ended), tf.size(ended))
    return tf.raw_ops.StringSplitV2(input=joined[tf.newaxis], sep=bytes([END]), maxsplit=-1).values[:-1]


def _cuts(vocabulary: Vocabulary) -> np.ndarray:
    """Bool [256, 256]: as `byte_cuts`, with 0xFF a segment of its own."""
    cuts = byte_cuts(vocabulary)
    cuts[END], cuts[:, END] = True, True
    return cuts
