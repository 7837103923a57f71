r"""What a model answered, taken apart: its thought, its calls, what it says, and why it ended.

```
<|channel>thought\nHm.\n<channel|>It is <|tool_call>call:f{a:1}<tool_call|><|tool_response>…
^                       ^         ^                     ^          ^
opens a thought         ends it   opens a call          ends it    ends the answer
```

The markers cut an answer into segments, each a marker and the text behind it. What a segment is follows from
the markers up to it: everything from the opening of a thought to its end is thought, calls included; else a
segment behind the opening of a call is a call, and any other is content.
"""

import functools
from typing import NamedTuple

import tensorflow as tf

from graph_ops.chat.text import trimmed
from graph_ops.family import Family

FINISH_REASONS = ("length", "stop", "tool_calls")
"""How an answer ended: cut, at the end of its turn, or waiting for what a tool answers."""

_BEGINNING, _IN_THOUGHT, _CHANNEL, _CHANNEL_END, _CALL, _CALL_END = range(6)
"""What begins a segment: an answer, in a thought or not, or a marker."""
_CHANNEL_NAME = "thought"


class Answers(NamedTuple):
    """B answers, taken apart.

    Attributes:
        thought: string [B]; as the template takes it back, without the name of its channel and one newline at
            its end.
        content: string [B]; without white space at its ends, as the template renders it.
        calls: string [B, C], C the most of an answer; native text such as `call:f{a:1}`, "" past an answer's
            last. That of a cut answer may lack its end.
        finish_reason: int32 [B]; index of `FINISH_REASONS`.
    """

    thought: tf.Tensor
    content: tf.Tensor
    calls: tf.Tensor
    finish_reason: tf.Tensor


class Segments(NamedTuple):
    """The segments of B answers, of which each has one or more.

    Attributes:
        texts: string [S]; without the markers.
        markers: int32 [S]; what each begins with.
        rows: int64 [S]; the answer that it belongs to, in order.
    """

    texts: tf.Tensor
    markers: tf.Tensor
    rows: tf.Tensor


def markers(family: Family) -> tuple[str, ...]:
    """The tokens that begin a segment."""
    chat = family.chat
    return chat.channel, chat.channel_end, chat.call, chat.call_end


def stops(family: Family) -> tuple[str, ...]:
    """The tokens that end an answer, the one that waits for a tool last."""
    return (*family.stop, family.chat.response)


def beginnings(in_thought: tf.Tensor) -> tf.Tensor:
    """What the first segment of each answer begins with, int32 [B], from bool [B]."""
    return tf.where(in_thought, _IN_THOUGHT, _BEGINNING)


def marker_numbers(which: tf.Tensor) -> tf.Tensor:
    """What a segment begins with, int32 […], from an index of `markers`, int32 […]."""
    return which + _CHANNEL


def finish_reasons(which: tf.Tensor, *, family: Family) -> tf.Tensor:
    """Indices of `FINISH_REASONS` from indices of `stops`, -1 for none; int32 […]."""
    waits = len(stops(family)) - 1
    return tf.where(which < 0, 0, tf.where(tf.equal(which, waits), 2, 1))


def assembled(segments: Segments, finish_reason: tf.Tensor, *, family: Family) -> Answers:
    """Answers from their segments.

    Args:
        segments: of B answers.
        finish_reason: int32 [B].
        family: names of the markers.
    """
    rows = tf.size(finish_reason, tf.int64)
    is_thought, is_call = kinds(segments.markers)
    named = tf.gather(["", "", "", "", *markers(family)[2:]], segments.markers)
    thoughts = tf.where(
        tf.equal(segments.markers, _CHANNEL),
        _without_name(segments),
        tf.strings.join([named, segments.texts]),
    )
    thought = _joined(thoughts, is_thought, segments.rows, rows)
    content = _joined(segments.texts, ~(is_thought | is_call), segments.rows, rows)
    calls = tf.RaggedTensor.from_value_rowids(
        tf.boolean_mask(segments.texts, is_call),
        tf.boolean_mask(segments.rows, is_call),
        nrows=rows,
        validate=False,
    )
    ended = tf.strings.regex_replace(thought, r"\n\z", "")
    return Answers(ended, trimmed(content), calls.to_tensor(""), finish_reason)


def kinds(markers: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Which segments are thought, and which are calls, bool [S] each, from what they begin with, int32 [S].

    The last marker that says something of thoughts, up to each segment: they are numbered from left to right.
    """
    tells = markers <= _CHANNEL_END
    number = tf.cumsum(tf.cast(tells, tf.int32)) - 1
    last = tf.gather(tf.boolean_mask(markers, tells), number)
    is_thought = tf.equal(last, _CHANNEL) | tf.equal(last, _IN_THOUGHT)
    return is_thought, tf.equal(markers, _CALL) & ~is_thought


def _joined(texts: tf.Tensor, chosen: tf.Tensor, row_of: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
    """The chosen texts, bool [S], of each row one after the other: string [B]."""
    return tf.strings.unsorted_segment_join(tf.where(chosen, texts, ""), row_of, rows)


def _without_name(segments: Segments) -> tf.Tensor:
    """The texts without the name of the channel and its newline, or, where no more of the thought follows,
    without as much of it as there is.
    """
    cut = functools.reduce(lambda rest, letter: f"(?:{letter}{rest})?", reversed(_CHANNEL_NAME), "")
    texts = tf.strings.regex_replace(segments.texts, rf"\A{_CHANNEL_NAME}\n", "")
    whole = tf.strings.regex_replace(segments.texts, rf"\A(?:{_CHANNEL_NAME}\n|{cut}\z)", "")
    goes_on = tf.concat([segments.markers[1:] >= _CALL, [False]], axis=0)
    return tf.where(goes_on, texts, whole)
