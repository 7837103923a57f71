"""Messages in, answers out: the fused signatures that take a dialogue and take the model's answer apart.

    chat          messages, media (, seed)                          -> thought, content, calls, finish_reason
    chat_tools    the same with thoughts, calls, responses, tools   -> the same

An answer ends where one of a preprocessor's stop tokens stands, or where the model waits for a tool.
"""

import dataclasses
from collections.abc import Callable

import tensorflow as tf

from export.fusing.generate import Generation
from export.signature import Input, Signature, Tensors
from graph_ops.chat.answers import FINISH_REASONS, Answers, stops
from graph_ops.faults import status_messages
from graph_ops.pipeline.answers import has_answers, parse_ids
from graph_ops.settings import Settings

Answer = Callable[[Tensors, tf.Tensor | None], tuple[tf.Tensor, tf.Tensor]]
"""`generate_rows` with its model: features and seeds to `token_ids` int32 [B, S] and `lengths` int32 [B]."""
SIGNATURES = {
    "chat": "generate_preprocess_chat",
    "chat_tools": "generate_preprocess_chat_tools",
}
"""Name -> the signature of the preprocessor that takes the same inputs."""


def chat_signatures(
    table: dict[str, Signature], answer: Answer, settings: Settings, seeds: dict[str, Input]
) -> dict[str, Signature]:
    """Those of `SIGNATURES` that a preprocessor's table has the inputs for; none where its vocabulary lacks
    the tokens of a chat.

    Args:
        table: the preprocessor's signatures.
        answer: what the model says to features; ends at `chat_generation`'s stop tokens.
        settings: of the preprocessor.
        seeds: the input `seed` if answers are drawn, else nothing.
    """
    if not has_answers(settings.tokenizer.vocabulary, settings.family):
        return {}
    return {
        name: _chatting(table[source], answer, settings, seeds)
        for name, source in SIGNATURES.items()
        if source in table
    }


def chat_generation(generation: Generation, settings: Settings) -> Generation:
    """Where the answers of a chat end: where others do, and where the model waits for a tool."""
    vocabulary = settings.tokenizer.vocabulary
    if not has_answers(vocabulary, settings.family):
        return generation
    ids = vocabulary.require(stops(settings.family), needed_for="chat")
    return dataclasses.replace(generation, stop_ids=tuple({*generation.stop_ids, *ids}))


def _chatting(
    preprocess: Signature, answer: Answer, settings: Settings, seeds: dict[str, Input]
) -> Signature:
    def function(tensors: Tensors) -> Tensors:
        tensors = dict(tensors)
        seed = tensors.pop("seed", None)
        features = preprocess.function(tensors)
        status = features.pop("status")
        prompt, given = features["token_ids"], features["padding_mask"]
        token_ids, ends = answer(features, seed)
        starts = tf.reduce_sum(tf.cast(given, tf.int32), axis=1)
        said, lengths = _behind(token_ids, starts, ends, pad=settings.ids.pad)
        answers, finding = parse_ids(said, lengths, _is_in_thought(prompt, given, settings), settings)
        return answers._asdict() | {
            "finish_reason": tf.gather(FINISH_REASONS, answers.finish_reason),
            "token_ids": said,
            "status": tf.where(tf.equal(status, ""), status_messages(finding), status),
        }

    outputs = (*Answers._fields, "token_ids", "status")
    return Signature(preprocess.inputs | seeds, outputs, function, "what the model answers to messages")


def _behind(
    token_ids: tf.Tensor, starts: tf.Tensor, ends: tf.Tensor, *, pad: int
) -> tuple[tf.Tensor, tf.Tensor]:
    """What stands from `starts` to `ends`, int32 [B], of rows int32 [B, S], moved to the front; int32 [B, S],
    `pad` behind, and int32 [B].
    """
    size = tf.shape(token_ids)[1]
    lengths = tf.maximum(ends - starts, 0)
    places = tf.minimum(starts[:, tf.newaxis] + tf.range(size), size - 1)
    moved = tf.gather(token_ids, places, axis=1, batch_dims=1)
    moved = tf.where(tf.sequence_mask(lengths, size), moved, pad)
    return tf.ensure_shape(moved, token_ids.shape), lengths


def _is_in_thought(token_ids: tf.Tensor, given: tf.Tensor, settings: Settings) -> tf.Tensor:
    """Bool [B]: whether a prompt, ids int32 [B, S] where `given` bool [B, S], opens a thought and leaves it
    open, as the template does behind a tool's response.
    """
    chat, places = settings.family.chat, tf.range(tf.shape(token_ids)[1])
    ids = settings.tokenizer.vocabulary.require((chat.channel, chat.channel_end), needed_for="chat")
    opened, closed = (
        tf.reduce_max(tf.where(given & tf.equal(token_ids, each), places, -1), axis=1) for each in ids
    )
    return opened > closed
