"""How many tokens a request takes, from its text and the sizes of its media: no pixel and no sample is looked
at.
"""

from collections.abc import Mapping
from typing import NamedTuple

import tensorflow as tf

from graph_ops.faults import Fault, Finding, check, first_finding
from graph_ops.media.slots import from_sizes, given_budgets, limit_slots, no_slots
from graph_ops.pipeline.videos import expand_frames, with_times
from graph_ops.rows.encode import RowMedium, measure_rows
from graph_ops.settings import Configured, Settings
from graph_ops.target import TENSORFLOW, Target
from graph_ops.text.reading import prompt_reading
from graph_ops.text.tokens import TokenRows

TOO_LONG = (Fault.MEDIA_DO_NOT_FIT, Fault.VIDEO_DOES_NOT_FIT, Fault.TOO_MANY_TOKENS)
"""What is wrong with requests that a longer row would hold."""


class Count(NamedTuple):
    """What requests take.

    Attributes:
        num_tokens: int32 [B]; tokens of a row that nothing is cut from, `<bos>` and soft tokens included; 0
            for a request that no row could hold, however long.
        finding: what is wrong with each request, [B]; one of `TOO_LONG` where it is too long.
    """

    num_tokens: tf.Tensor
    finding: Finding


def count_tokens(tensors: Mapping[str, tf.Tensor], settings: Settings) -> Count:
    """Tokens of the rows that `generate_preprocess` makes of B requests.

    Args:
        tensors: `prompts` string [B]; of each medium its sizes, int32 [B, K(, axes)], 0 for an empty slot,
            and its budgets int32 [B, K], or nothing; its options, [B, K, …], or none.
        settings: what rows are built from.
    """
    prompts = settings.tokenizer.tokenize_rows(tensors["prompts"], reading=prompt_reading(settings.row))
    sizes, findings = {}, [Finding.none(prompts.lengths)]
    for each in settings.media:
        medium = each.medium
        if medium.sizes in tensors:
            given, most = tensors[medium.sizes], medium.num_slots(settings.row)
            present = medium.is_filled(given)
            for name in (medium.sizes, *(option.name for option in medium.options)):
                if name in tensors:
                    sizes[name], finding = limit_slots(tensors[name], present, medium=medium, most=most)
            findings.append(finding)
            if medium.budget and (budgets := given_budgets(tensors, medium=medium)) is not None:
                sizes[medium.budget], _ = limit_slots(budgets, present, medium=medium, most=most)
    return count_row_tokens(prompts, sizes, settings, also=first_finding(*findings))


def count_row_tokens(
    prompts: TokenRows,
    sizes: Mapping[str, tf.Tensor],
    settings: Settings,
    *,
    also: Finding,
    target: Target = TENSORFLOW,
) -> Count:
    """`count_tokens` after tokenizing.

    Args:
        prompts: ids int32 [B, L] and lengths int32 [B].
        sizes: of each medium int32 [B, K(, axes)] with at most as many slots as rows have, and its budgets
            int32 [B, K], or nothing; its options.
        settings: what rows are built from.
        also: what was found wrong with requests before, [B].
        target: where it runs.
    """
    row = settings.row
    with tf.name_scope("count"):
        media = [_row_medium(each, sizes, prompts, settings, target) for each in settings.media]
        videos = next((medium.slots for medium in media if medium.slots.frames), None)
        prompts, _, finding = expand_frames(prompts, videos, settings, also=also)
        measured = measure_rows(
            prompts,
            media,
            sequence_length=row.sequence_length,
            add_start_token=row.generation_starts,
            also=finding or also,
        )
        count, most = measured.num_tokens, row.sequence_length
        too_many = check(count > most, Fault.TOO_MANY_TOKENS, count, most)
        finding = first_finding(measured.finding, too_many)
        is_known = tf.reduce_any([tf.equal(finding.fault, int(fault)) for fault in (0, *TOO_LONG)], axis=0)
        return Count(tf.where(is_known, count, 0), finding)


def _row_medium(
    each: Configured,
    sizes: Mapping[str, tf.Tensor],
    prompts: TokenRows,
    settings: Settings,
    target: Target,
) -> RowMedium:
    medium, slots = each.medium, no_slots(prompts.lengths)
    if medium.sizes in sizes:
        slots = from_sizes(
            sizes[medium.sizes],
            given_budgets(sizes, medium=medium),
            medium=medium,
            config=each.config,
            parity=settings.row.parity,
            target=target,
        )
        slots = with_times(slots, sizes, each, settings, target=target)
    fixed = medium.fixed_soft_tokens(settings.row)
    return RowMedium(each.ids, slots, fixed=fixed, block=None, count_fault=medium.count_fault)
