"""One encode path: tokenized prompts, responses and the slots of their media -> packed rows, soft-token
positions, what is wrong.

Generation is training without responses and without an end token.
"""

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from graph_ops.faults import Fault, Finding, check, first_finding
from graph_ops.media.slots import Slots
from graph_ops.rows.packing import Rows, Segment, pack_rows, truncated_lengths
from graph_ops.rows.placeholders import (
    Placeholder,
    count_ids,
    expand_placeholders,
    first_of,
    soft_token_indices,
    true_indices,
)
from graph_ops.rows.special_ids import MediumIds, RowIds
from graph_ops.text.tokens import TokenRows


class RowMedium(NamedTuple):
    """A medium of a batch, as rows see it.

    Attributes:
        ids: of its special tokens.
        slots: items of the batch; K = 0 for none.
        fixed: soft tokens that every item takes in a row, or fewer where a request chose them; or None if
            each takes as many as it has.
        block: width of an item's block of indices, or None for as wide as the batch's longest item needs.
        count_fault: what a row is reported as if its placeholders are not as many as its items.
        is_compact: whether indices are one after the other, without gaps behind items of less than a block.
    """

    ids: MediumIds
    slots: Slots
    fixed: int | None
    block: int | None
    count_fault: Fault
    is_compact: bool = False

    @property
    def has_slots(self) -> bool:
        """Whether the batch may have items; a row with a placeholder of a medium without is faulty anyway."""
        return self.slots.present.shape[1] != 0

    @property
    def counts(self) -> tf.Tensor:
        """Int32 [B, K]: the soft tokens that each slot takes in its row; 0 for an empty one."""
        slots = self.slots
        if self.fixed is None:
            return slots.num_soft_tokens
        fixed = self.fixed if slots.budgets is None else tf.minimum(self.fixed, slots.budgets)
        return tf.where(slots.present, fixed, 0)


class MediumPlaces(NamedTuple):
    """Where a medium's soft tokens stand in good rows.

    Attributes:
        indices: int32 [B, K × block]: a block of positions for each slot, then 0; 0 throughout a faulty row.
        mask: bool [B, S]: True on soft tokens.
        longest: int32 []: soft tokens of the batch's longest item, faulty rows included.
    """

    indices: tf.Tensor
    mask: tf.Tensor
    longest: tf.Tensor


class EncodedRows(NamedTuple):
    """What `encode_rows` returns.

    Attributes:
        rows: the packed rows; those with a fault are all padding.
        places: of each medium, in the order of the media.
        finding: what is wrong with each row, [B].
    """

    rows: Rows
    places: tuple[MediumPlaces, ...]
    finding: Finding


def encode_rows(
    prompts: TokenRows,
    responses: TokenRows | None,
    media: Sequence[RowMedium],
    *,
    ids: RowIds,
    sequence_length: int,
    labelled: bool,
    add_start_token: bool,
    add_end_token: bool,
    also: Finding | None = None,
    learned: tf.Tensor | None = None,
) -> EncodedRows:
    """Expands placeholders, truncates text as KerasHub does without cutting a medium, and packs.

    Args:
        prompts: ids with one placeholder per item.
        responses: ids, or None for prompts alone.
        media: those that a prompt may hold.
        ids: of the special tokens of a row.
        sequence_length: tokens in a row of the model.
        labelled: whether rows get one token more, to take labels from.
        add_start_token: whether a row begins with the start token.
        add_end_token: whether it ends with the end token.
        also: what was found wrong with rows before, [B].
        learned: of prompts that hold what is to be learned, bool [B, L], True there; the rows' response mask.
    """
    response = responses or TokenRows(tf.zeros_like(prompts.token_ids[:, :0]), tf.zeros_like(prompts.lengths))
    row_length = sequence_length + labelled
    budget = row_length - add_start_token - add_end_token
    media_budget = min(budget, sequence_length - add_start_token)  # the last label is not the model's
    placeholders = [Placeholder(*each.ids, _present_first(each)) for each in media if each.has_slots]
    expansion = expand_placeholders(*prompts, placeholders, width=row_length)
    finding = _row_finding(prompts, responses, media, expansion.media_end, media_budget, sequence_length)
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
        keep=finding.is_clean,
        sequence_length=row_length,
        start_id=ids.start if add_start_token else None,
        end_id=ids.end if add_end_token else None,
        pad_id=ids.pad,
    )
    if learned is not None:
        is_learned = tf.gather(tf.pad(learned, [[0, 0], [0, 1]]), expansion.source, batch_dims=1)
        rows = rows._replace(response_mask=rows.padding_mask & is_learned)
    found = iter(expansion.starts)
    places = (
        _places(
            each,
            next(found) + int(add_start_token) if each.has_slots else each.counts,
            rows,
            finding,
            sequence_length,
        )
        for each in media
    )
    return EncodedRows(rows, tuple(places), finding)


class MeasuredRows(NamedTuple):
    """What prompts would take in a row of any length.

    Attributes:
        num_tokens: int32 [B].
        finding: what is wrong with each prompt in a row of the length that there is, [B].
    """

    num_tokens: tf.Tensor
    finding: Finding


def measure_rows(
    prompts: TokenRows,
    media: Sequence[RowMedium],
    *,
    sequence_length: int,
    add_start_token: bool,
    also: Finding,
) -> MeasuredRows:
    """How long the rows of `encode_rows` would be if nothing were cut; arguments as there."""
    placeholders = [Placeholder(*each.ids, _present_first(each)) for each in media]
    expansion = expand_placeholders(*prompts, placeholders, width=1)  # its ids are not asked for
    budget = sequence_length - add_start_token
    finding = _row_finding(prompts, None, media, expansion.media_end, budget, sequence_length)
    return MeasuredRows(expansion.lengths + int(add_start_token), first_finding(also, finding))


def _places(
    medium: RowMedium, starts: tf.Tensor, rows: Rows, finding: Finding, sequence_length: int
) -> MediumPlaces:
    """`starts` int32 [B, K]: index of the k-th item's opening token, whatever its slot."""
    present = medium.slots.present
    longest = tf.reduce_max(tf.pad(medium.counts, [[0, 1], [0, 1]]))
    indices = soft_token_indices(
        tf.where(present, _by_slot(present, starts), 0),
        tf.where(finding.is_clean[:, tf.newaxis], medium.counts, 0),
        block=longest if medium.block is None else medium.block,
    )
    mask = tf.equal(rows.token_ids[:, :sequence_length], medium.ids.placeholder)
    if medium.is_compact:
        indices = true_indices(mask, width=tf.shape(indices)[1])
    return MediumPlaces(indices, mask, longest)


def _present_first(medium: RowMedium) -> tf.Tensor:
    """Counts [B, K] with empty slots moved to the end: the k-th placeholder stands for the k-th item,
    whatever its slot.
    """
    order = tf.argsort(tf.cast(~medium.slots.present, tf.int32), axis=1, stable=True)
    return tf.gather(medium.counts, order, batch_dims=1)


def _by_slot(present: tf.Tensor, found: tf.Tensor) -> tf.Tensor:
    """The inverse of `_present_first`; anything in an empty slot."""
    ordinal = tf.cumsum(tf.cast(present, tf.int32), axis=1, exclusive=True)
    return tf.gather(found, tf.minimum(ordinal, tf.shape(found)[1] - 1), batch_dims=1)


def _row_finding(
    prompts: TokenRows,
    responses: TokenRows | None,
    media: Sequence[RowMedium],
    media_end: tf.Tensor,
    budget: int,
    sequence_length: int,
) -> Finding:
    findings = [each.slots.finding for each in media]
    for each in media:
        placeholders = count_ids(*prompts, wanted=each.ids.placeholder)
        present = tf.reduce_sum(tf.cast(each.slots.present, tf.int32), axis=1)
        wrong = tf.not_equal(placeholders, present)
        findings.append(check(wrong, each.count_fault, placeholders, present))
    if media and responses:
        wanted = [each.ids.placeholder for each in media]
        in_response = tf.add_n([count_ids(*responses, wanted=placeholder) for placeholder in wanted])
        first = first_of(*responses, wanted=wanted)
        findings.append(check(in_response > 0, Fault.MEDIA_IN_RESPONSE, in_response, first))
    for frames in (each.slots.present for each in media if each.slots.frames):
        is_long = (media_end > budget) & tf.reduce_any(frames, axis=1)
        needed = media_end + sequence_length - budget
        findings.append(check(is_long, Fault.VIDEO_DOES_NOT_FIT, needed, sequence_length))
    findings.append(check(media_end > budget, Fault.MEDIA_DO_NOT_FIT, media_end, budget))
    return first_finding(*findings)
