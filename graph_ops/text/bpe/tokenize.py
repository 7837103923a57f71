"""Bytes -> token ids in core ops: SentencePiece's BPE with byte fallback.

A text, or several, comes as one **stream**: bytes as int32, with `utf8.SEPARATOR` after each text. The stream
falls into segments at cuts between bytes (see `cuts`, which also says why segments can be tokenized one
by one). A segment that is a piece as it stands is looked up; the rest goes through
SentencePiece's steps: characters, user-defined symbols, merging, byte fallback.

```
W e   h o l d   z y x .  |    a text and its separator
1 1 2 2 2 2 2 3 3 3 3 4  5    segments; 1, 2 and 4 are pieces
                ␣ z y x | |   the stream that is left: a separator stands for whatever is not
```
"""

from typing import NamedTuple

import tensorflow as tf

from graph_ops.text.bpe import merge, piece_texts, space_runs, user_defined, utf8, word_table
from graph_ops.text.bpe.arrays import earlier, later, places, taken
from graph_ops.text.bpe.tables import PAGE, BuiltinTables
from graph_ops.text.vocabulary.sentencepiece_model import SPACE


class Tokens(NamedTuple):
    """Ids of a stream of N elements.

    Attributes:
        ids: int32 [capacity]; 0 past `count`.
        count: int32 []; how many ids there are.
        before: int32 [N]; how many ids belong to earlier elements.
    """

    ids: tf.Tensor
    count: tf.Tensor
    before: tf.Tensor


class _Pieces(NamedTuple):
    """Pieces found in a stream, int32 [P] each: their id or -1, the element they begin at, and a code point
    for those without a piece.
    """

    ids: tf.Tensor
    places: tf.Tensor
    code_points: tf.Tensor


def tokenize(stream: tf.Tensor, tables: BuiltinTables) -> Tokens:
    """The ids of a stream, in order.

    Args:
        stream: int32 [N], N at least 1; bytes and separators, the last a separator.
        tables: arrays or tensors.

    Returns:
        `Tokens` with a capacity of N, or 3 N if a single byte can become three ids (no piece for `▁` or
        U+FFFD).
    """
    with tf.name_scope("segments"):
        words, is_unknown = _words(stream, tables)
    rest = tf.cond(
        tf.reduce_any(is_unknown),
        lambda: _rest(stream, is_unknown, tables),
        lambda: _Pieces(*[tf.zeros([0], tf.int32)] * 3),
    )
    with tf.name_scope("assemble"):
        return _assemble(words, rest, tf.shape(stream)[0], tables)


def _words(stream: tf.Tensor, tables: BuiltinTables) -> tuple[_Pieces, tf.Tensor]:
    """The pieces that segments are as they stand, and whether each element belongs to none of them, bool
    [N].
    """
    following = earlier(stream, by=1, fill=0)  # the last separator ends a segment
    is_last = taken(tables.cuts, stream * (utf8.SEPARATOR + 1) + following)
    if tables.longest_indent:
        is_last |= space_runs.ends(stream, following, longest=tables.longest_indent)
    ends = places(is_last) + 1
    starts = later(ends, by=1, fill=0)
    padded = tf.pad(tf.minimum(stream, 255), [[0, word_table.WORD_BYTES + piece_texts.WORD]])
    ids = word_table.look_up(
        tables.words, tables.piece_texts, piece_texts.packed(padded), starts, ends - starts
    )
    is_unknown = (ids < 0) & (taken(stream, starts) < utf8.SEPARATOR)
    segment = tf.cumsum(tf.cast(is_last, tf.int32), exclusive=True)
    # of a separator, so that a segment without an id becomes none
    words = _Pieces(ids, starts, tf.fill(tf.shape(ids), utf8.SEPARATOR_CODE_POINT))
    return words, taken(is_unknown, segment)


def _rest(stream: tf.Tensor, is_unknown: tf.Tensor, tables: BuiltinTables) -> _Pieces:
    """The pieces of all unknown segments."""
    with tf.name_scope("characters"):
        at, points, characters = _characters(stream, is_unknown, tables)
    with tf.name_scope("user_defined"):
        ids = taken(tables.characters.ids, characters)
        symbols = user_defined.put_in(characters, ids, tables.user_defined)
    with tf.name_scope("merge"):
        kept = places(symbols.is_kept)
        ids, indices = merge.merge(
            taken(symbols.ids, kept), kept, tables.merges, longest_piece=tables.longest_piece
        )
    return _Pieces(ids, taken(at, indices), taken(points, indices))


def _characters(
    stream: tf.Tensor, is_unknown: tf.Tensor, tables: BuiltinTables
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Of the unknown segments' characters, int32 [K] each: places, code points, character numbers."""
    at = places(_with_one_after(is_unknown))
    rest = tf.where(taken(is_unknown, at), taken(stream, at), utf8.SEPARATOR)
    decoded = utf8.decode(rest)
    starts = places(decoded.is_start)
    points = taken(decoded.code_points, starts)
    page = points // PAGE
    numbers = taken(tables.characters.numbers, taken(tables.characters.pages, page) + points - page * PAGE)
    return taken(at, starts), points, numbers


def _with_one_after(is_unknown: tf.Tensor) -> tf.Tensor:
    """Bool [N]: also the element after each stretch of True, and the last, so that there is one."""
    last = earlier(tf.zeros_like(is_unknown), by=1, fill=True)
    return is_unknown | later(is_unknown, by=1, fill=False) | last


def _assemble(words: _Pieces, rest: _Pieces, size: tf.Tensor, tables: BuiltinTables) -> Tokens:
    """Ids in the order of the stream; what has no piece as the pieces of its bytes."""
    ids, at, points = (tf.concat(pair, axis=0) for pair in zip(words, rest, strict=True))
    points = tf.where(tf.equal(points, ord(" ")), ord(SPACE), points)
    is_fallback = (ids < 0) & (points < utf8.SEPARATOR_CODE_POINT)
    lengths = utf8.encoded_length(points)
    counts = tf.where(is_fallback, lengths, tf.cast(ids >= 0, tf.int32))
    before = tf.cumsum(tf.math.unsorted_segment_sum(counts, at, size), exclusive=True)
    count, capacity = before[-1], size * tables.ids_of_a_byte
    slots = tf.where(counts > 0, taken(before, at), capacity)
    first = tf.where(is_fallback, taken(tables.byte_ids, utf8.encoded_byte(points, lengths, place=0)), ids)
    long = places(is_fallback & (lengths > 1))
    points, lengths, slots_of_later = (taken(part, long) for part in (points, lengths, slots))
    all_slots, all_ids = [slots], [first]
    for place in (1, 2, 3):
        all_slots.append(tf.where(lengths > place, slots_of_later + place, capacity))
        all_ids.append(taken(tables.byte_ids, utf8.encoded_byte(points, lengths, place=place)))
    scattered = tf.math.unsorted_segment_sum(
        tf.concat(all_ids, axis=0), tf.concat(all_slots, axis=0), capacity + 1
    )
    return Tokens(tf.slice(scattered, [0], [capacity]), count, before)
