"""Texts with marks for the template's own special tokens -> ids, so that no message can forge one.

A mark is the byte 0xFF, which is in no UTF-8, and a letter. A rendered row begins with one, and falls apart
into segments: a mark and the text behind it.

```
·A ·B user ¶ Hi, <·Z |turn> ·C ¶        · is 0xFF: start, turn, text, a break, text, turn_end, text
```

The mark of a segment becomes its id, or none for a break; the text is tokenized. Special tokens are
user-defined symbols, across which nothing is matched or merged, so the ids are those of the whole text in
which the special tokens are spelled.
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from graph_ops.chat.breaks import Break, NoCutError, breaks_of, broken
from graph_ops.chat.dialogue import TemplateTokens
from graph_ops.family import Family
from graph_ops.text.ids import Ids
from graph_ops.text.reading import Reading
from graph_ops.text.tokens import Tokenizer
from graph_ops.text.vocabulary.vocabulary import Vocabulary

_BYTE = 0xFF
_FIRST_LETTER = ord("A")
_NO_ID = -1
_REST = 2**31 - 1
"""More bytes than a string has."""
_KEEPS, _STOPS, _LEARNS = range(3)
"""What a mark does to whether the text behind it is learned."""
_STOPPING = ("start", "turn_end", "response")


class MarkedRows(NamedTuple):
    """Ids of rendered rows.

    Attributes:
        token_ids: int32 [B, L]; 0 past a row's length.
        lengths: int32 [B].
        is_learned: bool [B, L], True on what the model itself says: from a mark `learn` to the end of the
            turn or to a tool's response, the token that ends it included.
    """

    token_ids: tf.Tensor
    lengths: tf.Tensor
    is_learned: tf.Tensor


class Marks(NamedTuple):
    """How rendered rows are read.

    Attributes:
        ids: int32 [letters]; of each mark, -1 for none.
        effects: int32 [letters]; what a mark does to whether the text behind it is learned.
        breaks: what breaks the special tokens that a message spells.
        reading: how the texts between marks are read.
    """

    ids: np.ndarray
    effects: np.ndarray
    breaks: tuple[Break, ...]
    reading: Reading


def spelled_tokens(family: Family) -> TemplateTokens:
    """Each special token as its name: for a text to read."""
    chat = {name: getattr(family.chat, name) for name in _NAMES if hasattr(family.chat, name)}
    media = {tokens.medium: tokens.placeholder for tokens in family.media}
    video = dict(zip(("video",), family.unread, strict=True))
    named = {**chat, **media, **video, "start": family.start}
    return TemplateTokens(**{name: named[name].encode() for name in _NAMES})


def marked_tokens(*, learns: tf.Tensor | bool) -> TemplateTokens:
    """Each special token as a mark; with `learn` where `learns` bool [] says so."""
    learn = tf.where(learns, _mark(_LEARN), b"")
    return TemplateTokens(**{name: _mark(name) for name in _NAMES}, learn=learn)


def quote_mark() -> bytes:
    """The mark of a quote, for native text that is made by a program and trusted."""
    return _mark("quote")


def marks_of(vocabulary: Vocabulary, family: Family, *, reading: Reading, allows_tokens: bool) -> Marks:
    """How rows of a family are read with a vocabulary.

    Args:
        vocabulary: must hold the tokens of the template.
        family: names them.
        reading: of prompts, so that its tables are shared.
        allows_tokens: whether a message may spell special tokens.

    Raises:
        ValueError: the vocabulary lacks a token; names it.
    """
    names = [name.decode() for name in spelled_tokens(family)[: len(_NAMES)]]
    ids = np.array([*vocabulary.require(names, needed_for="chat"), _NO_ID, _NO_ID], np.int32)
    effects = np.array([_STOPS if name in _STOPPING else _KEEPS for name in _LETTERS], np.int32)
    effects[_LETTERS.index(_LEARN)] = _LEARNS
    if allows_tokens:
        return Marks(ids, effects, (), reading)
    try:
        return Marks(ids, effects, breaks_of(vocabulary, reading), reading)
    except NoCutError:
        return Marks(ids, effects, (), Reading.PLAIN)


def tokenize_marked(rendered: tf.Tensor, marks: Marks, *, tokenizer: Tokenizer) -> MarkedRows:
    """Ids of rows, string [B], that were rendered with `marked_tokens`; each begins with a mark."""
    with tf.name_scope("marks"):
        texts = broken(rendered, breaks=marks.breaks, mark=_mark(_BREAK))
        split = tf.raw_ops.StringSplitV2(
            input=tf.strings.substr(texts, 1, _REST), sep=bytes([_BYTE]), maxsplit=-1
        )
        letters = tf.strings.substr(split.values, 0, 1)
        letter = tf.cast(tf.reshape(tf.io.decode_raw(letters, tf.uint8), [-1]), tf.int32) - _FIRST_LETTER
        segments = tf.strings.substr(split.values, 1, _REST)
    ids = tokenizer.tokenize_flat(segments, reading=marks.reading)
    with tf.name_scope("assemble"):
        return _assemble(ids, letter, split.indices[:, 0], tf.shape(rendered)[0], marks)


def _assemble(ids: Ids, letter: tf.Tensor, row: tf.Tensor, rows: tf.Tensor, marks: Marks) -> MarkedRows:
    """The ids of segments behind those of their marks.

    letter      A   B                C          of each segment
    its text        user ¶ Hi        ¶
    ids         2   105 2364 107 …   106 107
    segment     0   1   1    1       2   2
    """
    count = tf.size(letter)
    splits = tf.cast(ids.row_splits, tf.int32)
    starts = splits[:-1] + tf.range(count)
    texts = tf.ragged.range(starts + 1, splits[1:] + tf.range(count) + 1).values
    every_id = tf.dynamic_stitch([starts, texts], [tf.gather(marks.ids, letter), ids.values])
    is_mark = tf.scatter_nd(starts[:, tf.newaxis], tf.ones_like(starts), tf.shape(every_id))
    segment = tf.cumsum(is_mark) - 1
    before, after = _learned(tf.gather(marks.effects, letter))
    is_learned = tf.where(is_mark > 0, tf.gather(before, segment), tf.gather(after, segment))
    kept = tf.where(every_id >= 0)[:, 0]
    learned_ids = tf.gather(every_id * 2 + tf.cast(is_learned, tf.int32), kept)
    ragged = tf.RaggedTensor.from_value_rowids(
        learned_ids, tf.gather(tf.gather(row, segment), kept), tf.cast(rows, tf.int64), validate=False
    )
    padded = ragged.to_tensor()
    return MarkedRows(padded // 2, tf.cast(ragged.row_lengths(), tf.int32), padded % 2 > 0)


def _learned(effects: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Whether what stands before each mark, and what stands behind it, is learned: bool [N] each, by the last
    mark with an effect.
    """
    has_effect = effects != _KEEPS
    states = tf.concat([[False], tf.boolean_mask(effects == _LEARNS, has_effect)], axis=0)
    number = tf.cumsum(tf.cast(has_effect, tf.int32))
    before = tf.gather(states, number - tf.cast(has_effect, tf.int32))
    return before, tf.gather(states, number)


def _mark(name: str) -> bytes:
    return bytes([_BYTE, _FIRST_LETTER + _LETTERS.index(name)])


_NAMES = tuple(name for name in TemplateTokens._fields if name != "learn")
_LEARN, _BREAK = "learn", "break"
_LETTERS = (*_NAMES, _LEARN, _BREAK)
"""What marks stand for, in the order of their letters."""
