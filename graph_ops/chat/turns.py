"""Which message stands before and behind another, and which call a tool message answers."""

from typing import NamedTuple

import tensorflow as tf

from graph_ops.chat.dialogue import Dialogues


class Turns(NamedTuple):
    """What a message's place in its dialogue says of it, bool [B, M] where nothing else is said.

    Attributes:
        is_folded: the first message, if it is the system's: it becomes part of the system block.
        is_shown: a message with a turn of its own: neither folded nor a tool's.
        is_model: the model's.
        follows_assistant: the last message before it that is no tool's is the assistant's.
        precedes_assistant: the next one that is no tool's is.
        is_last: none that is no tool's comes behind it.
        is_recent: no user's message comes behind it.
        has_calls: it has calls.
        has_own_responses: it has responses of its own.
        has_responses: it has those, or calls that tool messages right behind it answer.
        owner: int32 [B × M]; of a tool message that answers a call, the index of the message with the call
            among those of all rows; otherwise B × M.
    """

    is_folded: tf.Tensor
    is_shown: tf.Tensor
    is_model: tf.Tensor
    follows_assistant: tf.Tensor
    precedes_assistant: tf.Tensor
    is_last: tf.Tensor
    is_recent: tf.Tensor
    has_calls: tf.Tensor
    has_own_responses: tf.Tensor
    has_responses: tf.Tensor
    owner: tf.Tensor


def turns_of(dialogues: Dialogues) -> Turns:
    """The places of the messages of each dialogue.

    Messages that are no tool's have ordinals 1, 2, …; a tool's has that of the one before it. `order` holds,
    at an ordinal, the index of its message, and M on both ends.

        role        user  assistant  tool  tool  assistant
        ordinal       1       2        2     2       3
        order       5   0   1   4   5 5 …
    """
    roles, is_assistant = dialogues.roles, tf.equal(dialogues.roles, "assistant")
    exists, is_tool = tf.not_equal(roles, ""), tf.equal(roles, "tool")
    is_system = tf.equal(roles, "system") | tf.equal(roles, "developer")
    is_folded = is_system & exists & tf.equal(tf.cumsum(tf.cast(exists, tf.int32), axis=1), 1)
    speaks = exists & ~is_tool
    ordinal = tf.cumsum(tf.cast(speaks, tf.int32), axis=1)
    order = _order(speaks)
    before, here, behind = (
        tf.gather(order, tf.maximum(ordinal + ahead, 0), batch_dims=1) for ahead in (-1, 0, 1)
    )
    has_calls, has_own_responses = (
        tf.reduce_any(tf.not_equal(texts, ""), axis=2) & speaks & ~is_folded
        for texts in (dialogues.calls, dialogues.responses)
    )
    rows, count = tf.unstack(tf.shape(roles))
    waits = _with_none(has_calls & ~has_own_responses)
    is_answer = is_tool & tf.gather(waits, here, batch_dims=1)
    owner = tf.where(is_answer, here + count * tf.range(rows)[:, tf.newaxis], rows * count)
    is_answered = tf.scatter_nd(owner[..., tf.newaxis], is_answer, [rows * count + 1])
    is_user = tf.cast(tf.equal(roles, "user"), tf.int32)
    assistant = _with_none(is_assistant)
    return Turns(
        is_folded=is_folded,
        is_shown=speaks & ~is_folded,
        is_model=is_assistant | tf.equal(roles, "model"),
        follows_assistant=tf.gather(assistant, before, batch_dims=1),
        precedes_assistant=tf.gather(assistant, behind, batch_dims=1),
        is_last=tf.equal(behind, count),
        is_recent=tf.equal(tf.cumsum(is_user, axis=1, reverse=True), 0),
        has_calls=has_calls,
        has_own_responses=has_own_responses,
        has_responses=has_own_responses | tf.reshape(is_answered[:-1], [rows, count]),
        owner=tf.reshape(owner, [-1]),
    )


def _order(speaks: tf.Tensor) -> tf.Tensor:
    """Int32 [B, M + 2]: M, the indices of the True of bool [B, M] in order, then M."""
    count = tf.shape(speaks)[1]
    index = tf.range(count)
    places = tf.where(speaks, index, count)
    ordered = -tf.math.top_k(-places, count).values
    return tf.pad(ordered, [[0, 0], [1, 1]], constant_values=count)


def _with_none(flags: tf.Tensor) -> tf.Tensor:
    """Bool [B, M + 1]: the flags, and False at index M, which is no message."""
    return tf.pad(flags, [[0, 0], [0, 1]])
