"""A placeholder for a video -> the text of its frames: for each `mm:ss`, a space, and a placeholder of its
own, with a space before all but the first.

With `[vid]` = placeholder, and two frames that are shown at 0 and at 61 seconds:

    prompt       a   [vid]                                                       b
    expanded     a   0 0 : 0 0 ▁ [vid]   ▁ 0 1 : 0 1 ▁ [vid]                     b

Ids are written, and not text, so that a prompt is tokenized once. That is what its text would become, because
in the vocabulary no piece joins a digit to anything; `clock_ids` checks that.
"""

import re
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from graph_ops.faults import Fault, Finding, check
from graph_ops.rows.placeholders import count_ids, covering_token
from graph_ops.text.tokens import TokenRows
from graph_ops.text.vocabulary.vocabulary import Vocabulary

_MINUTE = 60
_MINUTE_DIGITS, _LEAST_MINUTE_DIGITS = 8, 2
"""Digits that the minutes of an int32 of seconds may take, and those that are written in any case."""


_APART = r"[0-9]|<.+>|\[.+\]"
"""Pieces with a digit that is joined to nothing: the digit itself, and special tokens."""


class ClockIds(NamedTuple):
    """Ids of what a time is written with."""

    digits: tuple[int, ...]
    colon: int
    space: int


class ExpandedVideos(NamedTuple):
    """Prompts with a placeholder for each frame.

    Attributes:
        rows: ids int32 [B, L'] and lengths int32 [B].
        source: int32 [B, L'], index of the id that each came from, up to L.
        finding: VIDEO_COUNT for each row with other placeholders than videos, [B].
    """

    rows: TokenRows
    source: tf.Tensor
    finding: Finding


def clock_ids(vocabulary: Vocabulary) -> ClockIds:
    """Looks the characters of a time up.

    Raises:
        ValueError: the vocabulary lacks one of them, or has a piece that joins a digit to something.
    """
    joined = [
        piece for piece in vocabulary.pieces if re.search("[0-9]", piece) and not re.fullmatch(_APART, piece)
    ]
    if joined:
        raise ValueError(
            "`video_converter`: the vocabulary must split digits, as Gemma 4's does, for the times of "
            f"frames; it joins {joined[:3]}. Leave `video_converter` out, or take Gemma 4's vocabulary."
        )
    *digits, colon, space = vocabulary.require((*"0123456789:", "▁"), needed_for="videos")
    return ClockIds(tuple(digits), colon, space)


def expand_videos(
    prompts: TokenRows, seconds: tf.Tensor, totals: tf.Tensor, *, placeholder: int, ids: ClockIds
) -> ExpandedVideos:
    """Replaces the k-th placeholder of each row by the times and placeholders of its k-th video's frames.

    Args:
        prompts: ids int32 [B, L], anything past a row's length, and lengths int32 [B].
        seconds: int32 [B, V, F], when each frame is shown; -1 for none.
        totals: int32 [B, V], 0 for an empty slot; the k-th video is the k-th that is there.
        placeholder: id of a video, and of each of its frames.
        ids: of the characters of a time.
    """
    present = totals > 0
    wanted = count_ids(*prompts, wanted=placeholder)
    given = tf.reduce_sum(tf.cast(present, tf.int32), axis=1)
    finding = check(tf.not_equal(wanted, given), Fault.VIDEO_COUNT, wanted, given)
    order = tf.argsort(tf.cast(~present, tf.int32), axis=1, stable=True)
    texts, lengths = _texts(tf.gather(seconds, order, batch_dims=1), placeholder, ids)
    lengths = tf.where(tf.gather(present, order, batch_dims=1), lengths, 0)
    tokens = tf.pad(prompts.token_ids, [[0, 0], [0, 1]])
    valid = tf.sequence_mask(prompts.lengths, tf.shape(tokens)[1])
    is_video = valid & tf.equal(tokens, placeholder)
    ordinal = tf.cumsum(tf.cast(is_video, tf.int32), axis=1) - 1
    ordinal = tf.clip_by_value(ordinal, 0, tf.maximum(tf.shape(lengths)[1] - 1, 0))
    # A row with other placeholders than videos stays as it is: it is reported.
    is_video &= finding.is_clean[:, tf.newaxis]
    repeats = tf.where(is_video, tf.gather(lengths, ordinal, batch_dims=1), tf.cast(valid, tf.int32))
    ends = tf.cumsum(repeats, axis=1)
    width = tf.shape(tokens)[1] + tf.shape(texts)[1] * tf.shape(texts)[2]
    source, offset = covering_token(ends - repeats, repeats, width)
    text = tf.gather(ordinal, source, batch_dims=1) * tf.shape(texts)[2]
    flat = tf.reshape(texts, [tf.shape(texts)[0], -1])
    written = tf.gather(flat, tf.clip_by_value(text + offset, 0, tf.shape(flat)[1] - 1), batch_dims=1)
    expanded = tf.where(
        tf.gather(is_video, source, batch_dims=1), written, tf.gather(tokens, source, batch_dims=1)
    )
    return ExpandedVideos(TokenRows(expanded, tf.reduce_sum(repeats, axis=1)), source, finding)


def _texts(seconds: tf.Tensor, placeholder: int, ids: ClockIds) -> tuple[tf.Tensor, tf.Tensor]:
    """int32 [B, V, M] ids of the frames of each video, 0 behind their end, and lengths int32 [B, V]."""
    is_frame = seconds >= 0
    seconds = tf.maximum(seconds, 0)
    minutes, rest = seconds // _MINUTE, seconds % _MINUTE
    powers = 10 ** np.arange(_MINUTE_DIGITS)[::-1].astype(np.int32)
    of_minutes = minutes[..., tf.newaxis] // powers
    written = (of_minutes > 0) | (np.arange(_MINUTE_DIGITS) >= _MINUTE_DIGITS - _LEAST_MINUTE_DIGITS)
    digits = tf.concat([of_minutes % 10, rest[..., tf.newaxis] // [10, 1] % 10], axis=-1)
    digits = tf.gather(list(ids.digits), digits)
    one = tf.ones_like(seconds)[..., tf.newaxis]
    is_first = tf.equal(tf.cumsum(tf.cast(is_frame, tf.int32), axis=2), 1)[..., tf.newaxis]
    always = tf.ones_like(is_first)
    record = tf.concat(
        [
            one * ids.space,
            digits[..., :_MINUTE_DIGITS],
            one * ids.colon,
            digits[..., _MINUTE_DIGITS:],
            one * ids.space,
            one * placeholder,
        ],
        axis=-1,
    )
    kept = tf.concat([~is_first, written, *[always] * 5], axis=-1) & is_frame[..., tf.newaxis]
    shape = tf.concat([tf.shape(seconds)[:2], [-1]], axis=0)
    return _compacted(tf.reshape(record, shape), tf.reshape(kept, shape))


def _compacted(values: tf.Tensor, kept: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The kept of int32 [B, V, M] moved to the front, 0 behind them; and how many, int32 [B, V]."""
    rows, columns, width = tf.unstack(tf.shape(values))
    places = tf.cumsum(tf.cast(kept, tf.int32), axis=2) - 1
    places = tf.where(kept, places, width)
    row = tf.reshape(tf.range(rows * columns), [rows * columns, 1]) + tf.zeros_like(
        tf.reshape(places, [-1, width])
    )
    at = tf.stack([row, tf.reshape(places, [-1, width])], axis=-1)
    flat = tf.scatter_nd(at, tf.reshape(values, [-1, width]), tf.stack([rows * columns, width + 1]))
    lengths = tf.reduce_sum(tf.cast(kept, tf.int32), axis=2)
    return tf.reshape(flat[:, :width], [rows, columns, width]), lengths
