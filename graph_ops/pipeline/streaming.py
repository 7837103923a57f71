"""Text of ids that come a few at a time: `graph_ops.text.streaming` for batches of strings and for one row of
bytes.
"""

from typing import NamedTuple

import tensorflow as tf

from graph_ops.faults import Fault, Finding, check, first_finding
from graph_ops.pipeline.litert import Text, detokenize_kept
from graph_ops.pipeline.served import decode_ids
from graph_ops.settings import Settings
from graph_ops.text.streaming import StreamedIds, streamed_ids
from graph_ops.text.tokens import Tokenizer


class Streamed(NamedTuple):
    """What has become text.

    Attributes:
        text: string [B], or a device's `Text`.
        pending: int32 [B, 3], for the next call; zeros for a row with a finding.
        finding: what is wrong with each row; its text is "".
    """

    text: tf.Tensor | Text
    pending: tf.Tensor
    finding: Finding


def stream(
    token_ids: tf.Tensor, lengths: tf.Tensor, pending: tf.Tensor, is_last: tf.Tensor, tokenizer: Tokenizer
) -> Streamed:
    """The text of the next ids of B texts.

    Args:
        token_ids: int32 [B, L].
        lengths: int32 [B], 0 … L.
        pending: int32 [B, 3]; what the last call gave, zeros at first.
        is_last: bool [B]; True where no more ids follow.
        tokenizer: ids to text.
    """
    ids, finding = _ids(token_ids, lengths, pending, is_last, tokenizer)
    text, out_of_range = decode_ids(ids.token_ids, ids.keep, tokenizer)
    return _streamed(text, ids, first_finding(finding, out_of_range))


def stream_bytes(
    token_ids: tf.Tensor,
    lengths: tf.Tensor,
    pending: tf.Tensor,
    is_last: tf.Tensor,
    settings: Settings,
    *,
    capacity: int | None = None,
) -> Streamed:
    """`stream` for devices: B = 1, and `is_last` int32 [1], not 0 for True; a text in `capacity` bytes, or in
    as many as there are.
    """
    last = tf.not_equal(is_last, 0)
    ids, finding = _ids(token_ids, lengths, pending, last, settings.tokenizer)
    text, out_of_range = detokenize_kept(ids.token_ids, ids.keep, settings, capacity=capacity)
    return _streamed(text, ids, first_finding(finding, out_of_range))


def _ids(
    token_ids: tf.Tensor, lengths: tf.Tensor, pending: tf.Tensor, is_last: tf.Tensor, tokenizer: Tokenizer
) -> tuple[StreamedIds, Finding]:
    """None for a row with a wrong length."""
    given = tf.shape(token_ids)[1]
    finding = check((lengths < 0) | (lengths > given), Fault.TEXT_LENGTH, lengths, given)
    ids = streamed_ids(
        token_ids,
        tf.where(finding.is_clean, lengths, 0),
        pending,
        is_last,
        vocabulary=tokenizer.vocabulary,
    )
    return ids._replace(keep=ids.keep & finding.is_clean[:, tf.newaxis]), finding


def _streamed(text: tf.Tensor | Text, ids: StreamedIds, finding: Finding) -> Streamed:
    return Streamed(text, tf.where(finding.is_clean[:, tf.newaxis], ids.pending, 0), finding)
