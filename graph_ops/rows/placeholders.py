"""Placeholder ids and soft-token counts -> expanded ids and where each medium's soft tokens stand.

A prompt is tokenized once, with one placeholder id per medium; here each placeholder of a medium becomes

    opening  placeholder × count  closing

and every other id stays. With `[img]` = placeholder, `(`…`)` = opening and closing, and two images of 3 and 2
soft tokens:

    token        a   [img]                 b   [img]
    repeats      1   3 + 2                 1   2 + 2
    start        0   1                     6   7
    expanded     a   (  img  img  img  )   b   (  img  img  )
"""

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from graph_ops.shapes import with_shape


class Placeholder(NamedTuple):
    """One medium's ids, and the soft-token count of each of its placeholders in a row.

    Attributes:
        opening: id before the soft tokens.
        placeholder: id a prompt holds once per medium, and the id of each soft token.
        closing: id after the soft tokens.
        counts: int32 [B, K]: soft tokens of a row's k-th placeholder.
    """

    opening: int
    placeholder: int
    closing: int
    counts: tf.Tensor


class Expansion(NamedTuple):
    """Expanded prompts.

    Attributes:
        token_ids: int32 [B, width]: the first `width` ids; what lies past `lengths` is unspecified.
        lengths: int32 [B]: ids of the whole expansion, which may exceed `width`.
        media_end: int32 [B]: index just past a row's last closing token; 0 without media.
        starts: for each medium, int32 [B, K]: index of the k-th opening token; 0 where a row has no k-th
            placeholder.
        source: int32 [B, width]: index of the id that each came from, up to L.
    """

    token_ids: tf.Tensor
    lengths: tf.Tensor
    media_end: tf.Tensor
    starts: tuple[tf.Tensor, ...]
    source: tf.Tensor


def count_ids(token_ids: tf.Tensor, lengths: tf.Tensor, *, wanted: int) -> tf.Tensor:
    """Number of times `wanted` stands in each row: int32 [B], from ids int32 [B, L] and lengths int32 [B]."""
    found = tf.equal(token_ids, wanted) & tf.sequence_mask(lengths, tf.shape(token_ids)[1])
    return tf.reduce_sum(tf.cast(found, tf.int32), axis=1)


def first_of(token_ids: tf.Tensor, lengths: tf.Tensor, *, wanted: Sequence[int]) -> tf.Tensor:
    """Index of the first of several ids in each row: int32 [B], L where there is none.

    Ids are int32 [B, L], lengths int32 [B].
    """
    length = tf.shape(token_ids)[1]
    is_wanted = tf.reduce_any([tf.equal(token_ids, each) for each in wanted], axis=0)
    found = is_wanted & tf.sequence_mask(lengths, length)
    places = tf.where(found, tf.range(length), length)
    return tf.reduce_min(tf.pad(places, [[0, 0], [0, 1]], constant_values=length), axis=1)


def expand_placeholders(
    token_ids: tf.Tensor, lengths: tf.Tensor, media: Sequence[Placeholder], *, width: int
) -> Expansion:
    """Replaces each placeholder by its opening, soft and closing tokens.

    Args:
        token_ids: int32 [B, L]; anything past a row's length.
        lengths: int32 [B].
        media: the media that are expanded; a placeholder beyond a medium's K counts expands to nothing
            between its two markers.
        width: number of leading ids wanted of each expanded row.
    """
    if not media:
        return _as_they_are(token_ids, lengths, width)
    token_ids = tf.pad(
        token_ids, [[0, 0], [0, 1]]
    )  # so that a batch of empty prompts has a token to gather from
    valid = tf.sequence_mask(lengths, tf.shape(token_ids)[1])
    repeats = tf.cast(valid, tf.int32)
    ordinals = [_ordinal(valid & tf.equal(token_ids, medium.placeholder)) for medium in media]
    for medium, ordinal in zip(media, ordinals, strict=True):
        repeats += tf.where(ordinal >= 0, 1 + _soft_tokens(medium.counts, ordinal), 0)
    ends = tf.cumsum(repeats, axis=1)
    starts = ends - repeats
    source, offset = covering_token(starts, repeats, width)
    ids = tf.gather(token_ids, source, batch_dims=1)
    last = tf.gather(repeats, source, batch_dims=1) - 1
    for medium in media:
        inside = tf.equal(ids, medium.placeholder)
        ids = tf.where(inside & tf.equal(offset, 0), medium.opening, ids)
        ids = tf.where(inside & tf.equal(offset, last), medium.closing, ids)
    media_ends = [tf.reduce_max(tf.where(ordinal >= 0, ends, 0), axis=1) for ordinal in ordinals]
    return Expansion(
        token_ids=ids,
        lengths=tf.reduce_sum(repeats, axis=1),
        media_end=tf.maximum(tf.reduce_max(tf.stack(media_ends), axis=0), 0),
        starts=tuple(
            _kth_start(starts, ordinal, medium.counts)
            for medium, ordinal in zip(media, ordinals, strict=True)
        ),
        source=source,
    )


def _as_they_are(token_ids: tf.Tensor, lengths: tf.Tensor, width: int) -> Expansion:
    """What becomes of prompts where nothing is to be expanded."""
    rows, length = tf.unstack(tf.shape(token_ids))
    return Expansion(
        token_ids=tf.pad(token_ids, [[0, 0], [0, width]])[:, :width],
        lengths=lengths,
        media_end=tf.zeros_like(lengths),
        starts=(),
        source=tf.broadcast_to(tf.minimum(tf.range(width), length), [rows, width]),
    )


def soft_token_indices(starts: tf.Tensor, counts: tf.Tensor, *, block: int | tf.Tensor) -> tf.Tensor:
    """Where each medium's soft tokens stand in a row, one block of fixed width per medium.

    Args:
        starts: int32 [B, K]: index of each medium's opening token.
        counts: int32 [B, K]: its soft tokens.
        block: slots per medium.

    Returns:
        int32 [B, K × block]: block k holds `starts[k] + 1, starts[k] + 2, …` for its `counts[k]` soft tokens,
        then 0.
    """
    slot = tf.range(block)
    indices = tf.where(slot < counts[..., tf.newaxis], starts[..., tf.newaxis] + 1 + slot, 0)
    return tf.reshape(indices, [tf.shape(starts)[0], tf.shape(starts)[1] * block])


def true_indices(mask: tf.Tensor, *, width: "int | tf.Tensor") -> tf.Tensor:
    """Where bool [B, S] is True: int32 [B, width], one index after the other, then 0."""
    ordinal = tf.cumsum(tf.cast(mask, tf.int32), axis=1) - 1
    column = tf.where(mask & (ordinal < width), ordinal, width)
    batch, length = tf.shape(mask)[0], tf.shape(mask)[1]
    row = tf.broadcast_to(tf.range(batch)[:, tf.newaxis], [batch, length])
    index = tf.where(mask, tf.range(length), 0)
    found = tf.scatter_nd(tf.stack([row, column], axis=-1), index, tf.stack([batch, width + 1]))
    return found[:, :width]


def covering_token(
    starts: tf.Tensor, repeats: tf.Tensor, width: "int | tf.Tensor"
) -> tuple[tf.Tensor, tf.Tensor]:
    """For each of `width` positions, int32 [B, width]: index of the token that expands over it, and the
    offset inside that expansion.

    A mark on each token's start, summed up, numbers the tokens: starts 0 1 6 -> marks 1 1 0 0 0 0 1 -> tokens
    0 1 1 1 1 1 2.
    """
    batch, length = tf.shape(starts)[0], tf.shape(starts)[1]
    column = tf.where(
        (repeats > 0) & (starts < width), starts, width
    )  # column `width` collects what is not wanted
    row = tf.broadcast_to(tf.range(batch)[:, tf.newaxis], [batch, length])
    marks = tf.scatter_nd(
        tf.stack([row, column], axis=-1), tf.ones_like(column), tf.stack([batch, width + 1])
    )
    source = tf.maximum(tf.cumsum(marks[:, :width], axis=1) - 1, 0)
    return source, tf.range(width) - tf.gather(starts, source, batch_dims=1)


def _ordinal(found: tf.Tensor) -> tf.Tensor:
    """Int32 [B, L]: 0, 1, 2, … on the found tokens from left to right, -1 elsewhere."""
    flags = tf.cast(found, tf.int32)
    return tf.cumsum(flags, axis=1) * flags - 1


def _soft_tokens(counts: tf.Tensor, ordinal: tf.Tensor) -> tf.Tensor:
    """Int32 [B, L]: the count of each token's placeholder; 0 where there is no such placeholder."""
    padded = tf.pad(counts, [[0, 0], [0, 1]])  # the last column stands for "none"
    none = tf.shape(counts)[1]
    return tf.gather(padded, tf.where((ordinal < 0) | (ordinal > none), none, ordinal), batch_dims=1)


def _kth_start(starts: tf.Tensor, ordinal: tf.Tensor, counts: tf.Tensor) -> tf.Tensor:
    """Int32 [B, K]: start of the k-th placeholder, 0 where there is none."""
    slots = tf.range(tf.shape(counts)[1])
    is_kth = tf.equal(ordinal[:, :, tf.newaxis], slots)  # [B, L, K]
    found = tf.reduce_sum(tf.where(is_kth, starts[:, :, tf.newaxis], 0), axis=1)
    return with_shape(found, counts.shape)
