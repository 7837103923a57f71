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

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from graph_ops.text.cuts import byte_cuts, pieces_in_text
from graph_ops.text.vocabulary.sentencepiece_model import SPACE, PieceType
from graph_ops.text.vocabulary.vocabulary import Vocabulary

Encode = Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]]
"""SentencePiece: strings [B] to the ids int32 [N] of all texts and where each text's begin, int64 [B + 1]."""

BUCKET_BITS = 17
"""Binary logarithm of the piece table's buckets, of 48 bytes each: 6.3 MB. More find more words, in a larger
SavedModel.
"""

MIN_BYTES = 512
"""Shorter batches go to SentencePiece whole: it is done before the lookups are."""

MAX_NON_ASCII = 1 / 2
"""Batches with a larger share of bytes over 0x7F go to SentencePiece whole: few of their segments are
pieces.
"""

_END = 0xFF  # after each text; never in UTF-8
_PADDING = 32  # bytes after the last text, so that each segment can be read as whole words of 8 bytes
_KEY_BYTES = 16
_FACTORS = (
    0x9E3779B97F4A7C15,
    0xC2B2AE3D27D4EB4F,
)  # odd, bits well mixed: 2**64 over the golden ratio, and xxHash's second prime


class SegmentTables(NamedTuple):
    """What a vocabulary says of segments.

    Attributes:
        cuts: bool [65536]; whether there is a cut between bytes a and b, at 256 a + b.
        pieces: uint64 [buckets, 6]; two segments a bucket, each as its bytes 0-7 and 8-15, filled up with
            0xFF, and its id.
    """

    cuts: tf.Tensor
    pieces: tf.Tensor


@tf.autograph.experimental.do_not_convert  # as graph code, its loops over all pieces would take a minute
def segment_tables(vocabulary: Vocabulary, encode: Encode) -> SegmentTables | None:
    """Tables of a vocabulary, with the ids that `encode` gives for string [N]; None if cuts cannot be proven
    for it.

    They can for BPE with byte fallback that takes a text as it is, except that a space becomes `▁`.
    """
    if not (vocabulary.is_bpe and vocabulary.has_byte_fallback and vocabulary.keeps_text):
        return None
    if PieceType.UNUSED in vocabulary.types or any(" " in piece for piece in pieces_in_text(vocabulary)):
        return None
    with tf.init_scope():
        return SegmentTables(
            tf.constant(_cuts(vocabulary).reshape(-1)), tf.constant(_piece_table(vocabulary, encode))
        )


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
        codes = _bytes(texts)
        ids, row_splits = tf.cond(
            _pays(codes, texts), lambda: _tokenize_segments(codes, tables, encode), lambda: encode(texts)
        )
    return ids, tf.ensure_shape(row_splits, [None if texts.shape[0] is None else texts.shape[0] + 1])


def _bytes(texts: tf.Tensor) -> tf.Tensor:
    """uint8 [N + 32]: the texts, 0xFF after each, and 32 times 0xFF."""
    joined = tf.strings.reduce_join(tf.strings.join([texts, bytes([_END])]))
    return tf.io.decode_raw(tf.strings.join([joined, bytes([_END]) * _PADDING]), tf.uint8)


def _pays(codes: tf.Tensor, texts: tf.Tensor) -> tf.Tensor:
    """Bool []: whether the only 0xFF are those that were put in, and looking segments up is faster."""
    count = tf.size(codes)
    ends = tf.reduce_sum(tf.cast(codes == _END, tf.int32))
    non_ascii = tf.reduce_sum(tf.cast(codes >= 0x80, tf.int32)) - ends
    limit = tf.cast(tf.cast(count, tf.float32) * MAX_NON_ASCII, tf.int32)
    return (ends == tf.size(texts) + _PADDING) & (count >= MIN_BYTES) & (non_ascii <= limit)


def _tokenize_segments(
    codes: tf.Tensor, tables: SegmentTables, encode: Encode
) -> tuple[tf.Tensor, tf.Tensor]:
    with tf.name_scope("segments"):
        starts, ends = _segments(codes, tables.cuts)
        keys = _keys(codes, starts, ends)
        is_end = keys[0] == _uint64(2**64 - 1)
        is_known, ids = _look_up(tables.pieces, *keys)
        is_known &= ends - starts <= _KEY_BYTES
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
    pairs = wide[:-_PADDING] * 256 + wide[1 : 1 - _PADDING]
    ends = tf.where(tf.gather(cuts, pairs))[:, 0] + 1
    return tf.concat([[0], ends], axis=0)[:-1], ends


def _keys(codes: tf.Tensor, starts: tf.Tensor, ends: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Bytes 0-7 and 8-15 of each segment as uint64 [W], little-endian, 0xFF past its end.

    Eight bytes that begin anywhere are the high part of one aligned word and the low part of the next.
    """
    words = tf.bitcast(tf.reshape(codes[: tf.size(codes) // 8 * 8], [-1, 8]), tf.uint64)
    index, shift = starts // 8, tf.cast(starts % 8 * 8, tf.uint64)
    aligned = [tf.gather(words, index + ahead) for ahead in range(3)]
    low = [tf.bitwise.right_shift(word, shift) for word in aligned[:2]]
    high = [
        tf.bitwise.left_shift(tf.bitwise.left_shift(word, _uint64(1)), 63 - shift) for word in aligned[1:]
    ]  # << 64 is undefined
    past_end = [tf.gather(_past_end(), tf.clip_by_value(ends - starts - done, 0, 8)) for done in (0, 8)]
    first, second = (
        tf.bitwise.bitwise_or(tf.bitwise.bitwise_or(a, b), c)
        for a, b, c in zip(low, high, past_end, strict=True)
    )
    return first, second


def _past_end() -> tf.Tensor:
    """uint64 [9]: 0xFF in the bytes from the n-th on."""
    return tf.constant(np.array([2**64 - 2 ** (8 * kept) for kept in range(9)], np.uint64))


def _look_up(pieces: tf.Tensor, first_key: tf.Tensor, second_key: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Whether the piece table holds the keys, bool [W], and if so the id, int32 [W]."""
    columns = tf.unstack(tf.gather(pieces, _bucket(first_key, second_key)), num=6, axis=1)
    is_first, is_second = ((columns[at] == first_key) & (columns[at + 1] == second_key) for at in (0, 3))
    return is_first | is_second, tf.cast(tf.where(is_first, columns[2], columns[5]), tf.int32)


def _bucket(first_key: tf.Tensor, second_key: tf.Tensor) -> tf.Tensor:
    """int64 of the same shape: the high bits of a sum of products modulo 2**64."""
    mixed = first_key * _uint64(_FACTORS[0]) + second_key * _uint64(_FACTORS[1])
    return tf.cast(tf.bitwise.right_shift(mixed, _uint64(64 - BUCKET_BITS)), tf.int64)


def _uint64(value: int) -> tf.Tensor:
    return tf.constant(value, tf.uint64)


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
        tf.gather(codes, parts.values), last, tf.fill(tf.shape(starts), tf.constant(_END, tf.uint8))
    )
    joined = tf.strings.substr(tf.io.serialize_tensor(ended), -tf.size(ended), tf.size(ended))
    return tf.raw_ops.StringSplitV2(input=joined[tf.newaxis], sep=bytes([_END]), maxsplit=-1).values[:-1]


def _cuts(vocabulary: Vocabulary) -> np.ndarray:
    """Bool [256, 256]: as `byte_cuts`, with 0xFF a segment of its own."""
    cuts = byte_cuts(vocabulary)
    cuts[_END], cuts[:, _END] = True, True
    return cuts


def _piece_table(vocabulary: Vocabulary, encode: Encode) -> np.ndarray:
    """uint64 [buckets, 6]: of the segments that share a bucket the two most useful, one byte long or with a
    low id (often seen).
    """
    texts = [
        text
        for text in (piece.replace(SPACE, " ").encode() for piece in vocabulary.pieces)
        if 0 < len(text) <= _KEY_BYTES
    ]
    ids, splits = (found.numpy() for found in encode(tf.constant(texts, tf.string, [len(texts)])))
    single = np.flatnonzero(np.diff(splits) == 1)
    texts, ids = [texts[index] for index in single], ids[splits[single]]
    keys = _padded_keys(texts)
    buckets = _bucket(*keys.T).numpy()
    order = np.lexsort((ids, [len(text) > 1 for text in texts], buckets))
    place = np.arange(len(order)) - np.searchsorted(buckets[order], buckets[order])
    order, place = order[place < 2], place[place < 2]
    table = np.tile(
        np.array([2**64 - 1, 0, 0], np.uint64), (2**BUCKET_BITS, 2, 1)
    )  # no segment's key: nothing else follows a 0xFF
    table[buckets[order], place] = np.column_stack([keys[order], ids[order].astype(np.uint64)])
    return table.reshape(-1, 6)


def _padded_keys(texts: list[bytes]) -> np.ndarray:
    """uint64 [len(texts), 2]: what `_keys` gives for segments of up to 16 bytes."""
    padded = np.array(texts, f"S{_KEY_BYTES}").view(np.uint8).reshape(-1, _KEY_BYTES)
    is_inside = np.arange(_KEY_BYTES) < np.array([len(text) for text in texts])[:, np.newaxis]
    return np.where(is_inside, padded, np.uint8(_END)).view("<u8")
