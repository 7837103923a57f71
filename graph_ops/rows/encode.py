"""One encode path: tokenized prompts, responses and the slots of their media -> packed rows, soft-token
positions, what is wrong.

Generation is training without responses and without an end token.
"""

from typing import NamedTuple

import tensorflow as tf

from graph_ops.config import (
    RowConfig,
)
from graph_ops.faults import Fault, Finding, check, first_finding
from graph_ops.media.slots import Slots
from graph_ops.rows.control_ids import ControlIds, MediumIds
from graph_ops.rows.packing import Rows, Segment, pack_rows, truncated_lengths
from graph_ops.rows.placeholders import Medium, count_ids, expand_placeholders, soft_token_indices
from graph_ops.text.tokens import TokenRows


class EncodedRows(NamedTuple):
    """What `encode_rows` returns.

    Attributes:
        rows: the packed rows; those with a fault are all padding.
        image_starts: int32 [B, I]: index of each image's opening token in its row, 0 for an empty slot.
        audio_starts: int32 [B, A]: the same for clips.
        image_counts: int32 [B, I]: soft tokens of each image in its row.
        audio_counts: int32 [B, A]: the same for clips.
        finding: what is wrong with each row, [B].
    """

    rows: Rows
    image_starts: tf.Tensor
    audio_starts: tf.Tensor
    image_counts: tf.Tensor
    audio_counts: tf.Tensor
    finding: Finding


def encode_rows(
    prompts: TokenRows,
    responses: TokenRows | None,
    images: Slots,
    audio: Slots,
    *,
    ids: ControlIds,
    config: RowConfig,
    sequence_length: int,
    labelled: bool,
    add_start_token: bool,
    add_end_token: bool,
    also: Finding | None = None,
) -> EncodedRows:
    """Expands placeholders, truncates text as KerasHub does without cutting a medium, and packs.

    Args:
        prompts: ids with one placeholder per medium.
        responses: ids, or None for prompts alone.
        images: slots of the batch; K = 0 for none.
        audio: the same for clips.
        ids: control ids.
        config: whose layout, and the soft tokens of an image in KerasHub's.
        sequence_length: tokens in a row of the model.
        labelled: whether rows get one token more, to take labels from.
        add_start_token: whether a row begins with the start token.
        add_end_token: whether it ends with the end token.
        also: what was found wrong with rows before, [B].
    """
    response = responses or TokenRows(tf.zeros_like(prompts.token_ids[:, :0]), tf.zeros_like(prompts.lengths))
    image_counts = _row_counts(
        images, config.num_vision_tokens_per_image if config.parity == "keras_hub" else None
    )
    audio_counts = _row_counts(audio, None)
    both = ((ids.image, images, image_counts), (ids.audio, audio, audio_counts))
    configured = [(medium, slots, counts) for medium, slots, counts in both if medium]
    row_length = sequence_length + labelled
    budget = row_length - add_start_token - add_end_token
    media_budget = min(
        budget, sequence_length - add_start_token
    )  # the token that only serves as label is not the model's
    expansion = expand_placeholders(
        *prompts,
        [Medium(*medium, _present_first(slots.present, counts)) for medium, slots, counts in configured],
        width=row_length,
    )
    finding = _row_finding(prompts, response, images, audio, expansion.media_end, ids, media_budget)
    finding = first_finding(also, finding) if also else finding
    kept, response_kept = truncated_lengths(
        expansion.lengths,
        response.lengths,
        budget=budget,
        floor=tf.minimum(expansion.media_end, media_budget),
    )
    rows = pack_rows(
        Segment(expansion.token_ids, kept),
        Segment(response.token_ids, response_kept),
        sequence_length=row_length,
        start_id=ids.start if add_start_token else None,
        end_id=ids.end if add_end_token else None,
        pad_id=ids.pad,
    )
    starts: dict[MediumIds | None, tf.Tensor] = {
        medium: tf.where(slots.present, _by_slot(slots.present, found) + int(add_start_token), 0)
        for (medium, slots, _), found in zip(configured, expansion.starts, strict=True)
    }
    return EncodedRows(
        _without_faulty(rows, finding, ids.pad),
        starts.get(ids.image, tf.zeros_like(image_counts)),
        starts.get(ids.audio, tf.zeros_like(audio_counts)),
        image_counts,
        audio_counts,
        finding,
    )


def medium_indices(
    starts: tf.Tensor, counts: tf.Tensor, finding: Finding, *, block: int | tf.Tensor
) -> tf.Tensor:
    """`soft_token_indices` of the good rows: int32 [B, K × block]; 0 throughout a faulty row."""
    good = tf.equal(finding.fault, 0)[:, tf.newaxis]
    return soft_token_indices(starts, tf.where(good, counts, 0), block=block)


def _row_counts(slots: Slots, fixed: int | None) -> tf.Tensor:
    """Int32 [B, K]: the soft tokens that each slot takes in its row, the real number or a fixed one."""
    return slots.num_soft_tokens if fixed is None else tf.where(slots.present, fixed, 0)


def _present_first(present: tf.Tensor, counts: tf.Tensor) -> tf.Tensor:
    """Counts [B, K] with empty slots moved to the end: the k-th placeholder stands for the k-th medium,
    whatever its slot.
    """
    return tf.gather(counts, tf.argsort(tf.cast(~present, tf.int32), axis=1, stable=True), batch_dims=1)


def _by_slot(present: tf.Tensor, found: tf.Tensor) -> tf.Tensor:
    """The inverse of `_present_first`; anything in an empty slot."""
    ordinal = tf.cumsum(tf.cast(present, tf.int32), axis=1, exclusive=True)
    return tf.gather(found, tf.minimum(ordinal, tf.shape(found)[1] - 1), batch_dims=1)


def _row_finding(
    prompts: TokenRows,
    response: TokenRows,
    images: Slots,
    audio: Slots,
    media_end: tf.Tensor,
    ids: ControlIds,
    budget: int,
) -> Finding:
    findings = [images.finding, audio.finding]
    in_response = [tf.zeros_like(media_end), tf.zeros_like(media_end)]
    for index, (medium, slots, fault) in enumerate(
        ((ids.image, images, Fault.IMAGE_COUNT), (ids.audio, audio, Fault.AUDIO_COUNT))
    ):
        if medium is None:
            continue
        placeholders = count_ids(*prompts, medium.placeholder)
        present = tf.reduce_sum(tf.cast(slots.present, tf.int32), axis=1)
        findings.append(check(tf.not_equal(placeholders, present), fault, placeholders, present))
        in_response[index] = count_ids(*response, medium.placeholder)
    findings.append(check(in_response[0] + in_response[1] > 0, Fault.MEDIA_IN_RESPONSE, *in_response))
    findings.append(check(media_end > budget, Fault.MEDIA_DO_NOT_FIT, media_end, budget))
    return first_finding(*findings)


def _without_faulty(rows: Rows, finding: Finding, pad_id: int) -> Rows:
    good = tf.equal(finding.fault, 0)[:, tf.newaxis]
    return Rows(tf.where(good, rows.token_ids, pad_id), rows.padding_mask & good, rows.response_mask & good)
