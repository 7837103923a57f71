"""Videos in prompts, written out as frames, and the slots that say when each of these is shown."""

from collections.abc import Mapping
from typing import NamedTuple

import tensorflow as tf

from graph_ops.faults import Finding, first_finding
from graph_ops.media.slots import Slots
from graph_ops.media.timing import timed
from graph_ops.media.video import VIDEO
from graph_ops.rows.videos import clock_ids, expand_videos
from graph_ops.settings import Configured, Settings
from graph_ops.target import TENSORFLOW, Target
from graph_ops.text.tokens import TokenRows


class FrameRows(NamedTuple):
    """Prompts with a placeholder for each frame.

    Attributes:
        prompts: ids and lengths.
        learned: as it was given, of the new ids; None for none.
        finding: what is wrong with each row so far, [B]; None where nothing was looked at.
    """

    prompts: TokenRows
    learned: tf.Tensor | None
    finding: Finding | None


def with_times(
    slots: Slots,
    inputs: Mapping[str, tf.Tensor],
    each: Configured,
    settings: Settings,
    *,
    target: Target = TENSORFLOW,
) -> Slots:
    """Slots that know when their frames are shown, int32 [B, V, F]; those of a medium without frames as they
    are.
    """
    if slots.frames is None:
        return slots
    row = settings.row
    return timed(
        slots, inputs, medium=each.medium, default_rate=row.video_fps, parity=row.parity, target=target
    )


def expand_frames(
    prompts: TokenRows,
    slots: Slots | None,
    settings: Settings,
    *,
    also: Finding | None,
    learned: tf.Tensor | None = None,
) -> FrameRows:
    """Writes the times of frames, and a placeholder for each, in the place of those of videos.

    Args:
        prompts: ids int32 [B, L] and lengths int32 [B].
        slots: of videos, or None without any.
        settings: what the graph is built from.
        also: what was found wrong with rows before, [B].
        learned: bool [B, L], or None.
    """
    frames = slots.frames if slots else None
    if slots is None or frames is None or frames.seconds is None:
        return FrameRows(prompts, learned, also)
    with tf.name_scope("frames"):
        (video,) = (each for each in settings.media if each.medium is VIDEO)
        ids = clock_ids(settings.tokenizer.vocabulary)
        expanded = expand_videos(
            prompts, frames.seconds, frames.totals, placeholder=video.ids.placeholder, ids=ids
        )
        finding = first_finding(slots.finding, expanded.finding)
        finding = first_finding(also, finding) if also else finding
        if learned is not None:
            learned = tf.gather(tf.pad(learned, [[0, 0], [0, 1]]), expanded.source, batch_dims=1)
        return FrameRows(expanded.rows, learned, finding)
