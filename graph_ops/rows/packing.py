"""Segments -> rows of fixed length: `[start] prompt response [end]`, padding, and the labels of a row.

Truncation is round robin, as KerasHub's `MultiSegmentPacker` does it: prompt and response take tokens in turn
until the row is full. A medium is never cut: the prompt keeps at least what reaches to the end of its last
medium, and the response yields.
"""

from typing import NamedTuple

import tensorflow as tf


class Segment(NamedTuple):
    """One part of each row: ids int32 [B, L] (anything past the length) and lengths int32 [B]."""

    token_ids: tf.Tensor
    lengths: tf.Tensor


class Rows(NamedTuple):
    """Packed rows.

    Attributes:
        token_ids: int32 [B, S]: ids, then the padding id.
        padding_mask: bool [B, S]: True on what is not padding.
        response_mask: bool [B, S]: True on the response and, where there is one, its end token.
    """

    token_ids: tf.Tensor
    padding_mask: tf.Tensor
    response_mask: tf.Tensor


def truncated_lengths(
    prompt: tf.Tensor, response: tf.Tensor, *, budget: int, floor: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Tokens kept of each segment when a row has `budget` places for both.

    Args:
        prompt: int32 [B], length of the prompt.
        response: int32 [B], length of the response.
        budget: places for both together.
        floor: int32 [B], tokens of the prompt that must stay (0 … budget).

    Returns:
        Two int32 [B]: kept of the prompt, kept of the response. Taking turns from the prompt on gives the
        prompt the larger half, or all that a short response leaves.
    """
    fair = tf.maximum((budget + 1) // 2, budget - response)
    kept = tf.minimum(tf.minimum(prompt, budget), tf.maximum(fair, floor))
    return kept, tf.minimum(response, budget - kept)


def pack_rows(
    prompt: Segment,
    response: Segment,
    *,
    keep: tf.Tensor,
    sequence_length: int,
    start_id: int | None,
    end_id: int | None,
    pad_id: int,
) -> Rows:
    """Lays out segments that fit as `[start] prompt response [end] padding…` in rows of `sequence_length`.

    Where `keep` bool [B] is False, the row is all padding. With start 2, end 1, padding 0 and length 8, the
    segments [5, 6] and [7] become

        token_ids      2 5 6 7 1 0 0 0
        padding_mask   T T T T T F F F
        response_mask  F F F T T F F F
    """
    place = tf.range(sequence_length)[tf.newaxis, :]
    prompt_from = 0 if start_id is None else 1
    response_from = (prompt_from + prompt.lengths)[:, tf.newaxis]
    end_at = response_from + response.lengths[:, tf.newaxis]
    stop = end_at + (0 if end_id is None else 1)
    ids = tf.where(
        place < response_from,
        _shifted(prompt, place - prompt_from),
        _shifted(response, place - response_from),
    )
    if start_id is not None:
        ids = tf.where(tf.equal(place, 0), start_id, ids)
    if end_id is not None:
        ids = tf.where(tf.equal(place, end_at), end_id, ids)
    padding_mask = (place < stop) & keep[:, tf.newaxis]
    return Rows(tf.where(padding_mask, ids, pad_id), padding_mask, padding_mask & (place >= response_from))


def next_token_labels(rows: Rows) -> tuple[Rows, tf.Tensor, tf.Tensor]:
    """Inputs, labels and loss weights of rows that are one token longer than the model's.

    Returns:
        The rows without their last token; `y` int32 [B, S], each token's successor; `sample_weight` bool [B,
        S], True where the successor belongs to the response.
    """
    return Rows(*(tensor[:, :-1] for tensor in rows)), rows.token_ids[:, 1:], rows.response_mask[:, 1:]


def _shifted(segment: Segment, index: tf.Tensor) -> tf.Tensor:
    """Int32 [B, S]: the segment's id at each index, anything where the index lies outside."""
    padded = tf.pad(segment.token_ids, [[0, 0], [0, 1]])
    rows, last = tf.shape(padded)[0], tf.shape(padded)[1] - 1
    index = tf.clip_by_value(index, 0, last)
    return tf.gather(padded, tf.broadcast_to(index, [rows, tf.shape(index)[1]]), batch_dims=1)
