"""Messages in, answers out: the fused signatures that take a dialogue and take the model's answer apart.

    chat          messages, media (, seed)                          -> thought, content, calls, finish_reason
    chat_tools    the same with thoughts, calls, responses, tools   -> the same
    …_with_limits the same with max_new_tokens, stop                -> the same

An answer ends where one of a preprocessor's stop tokens stands, or where the model waits for a tool. A stop
string is looked for in each part of an answer: its thought, what it says, each call.
"""

import tensorflow as tf

from export.fusing.answering import COUNTS, Answer, Inputs, Marks, answered, counts
from export.fusing.generate import Generation, behind
from export.signature import Input, Signature, Tensors
from graph_ops.chat.answers import FINISH_REASONS, Answers, markers, stops
from graph_ops.faults import status_messages
from graph_ops.pipeline.answers import has_answers, parse_ids
from graph_ops.settings import Settings

SIGNATURES = {
    "chat": "generate_preprocess_chat",
    "chat_tools": "generate_preprocess_chat_tools",
}
"""Name -> the signature of the preprocessor that takes the same inputs."""


def chat_signatures(
    table: dict[str, Signature], answer: Answer, settings: Settings, *inputs: Inputs
) -> dict[str, Signature]:
    """Those of `SIGNATURES` that a preprocessor's table has the inputs for; none where its vocabulary lacks
    the tokens of a chat.

    Args:
        table: the preprocessor's signatures.
        answer: what the model says to features, with `chat_marks`.
        settings: of the preprocessor.
        inputs: what is said of answers besides, in each kind of a signature, by the end of its name.
    """
    if not has_answers(settings.tokenizer.vocabulary, settings.family):
        return {}
    return {
        name + ending: _chatting(table[source], answer, settings, more)
        for name, source in SIGNATURES.items()
        if source in table
        for ending, more in inputs
    }


def chat_marks(generation: Generation, settings: Settings) -> Marks:
    """Where the answers of a chat end: where others do, and where the model waits for a tool. A part of one
    begins at each marker. Without the tokens of a chat in the vocabulary it is as any answer.
    """
    vocabulary = settings.tokenizer.vocabulary
    if not has_answers(vocabulary, settings.family):
        return Marks(generation.stop_ids)
    ends = vocabulary.require(stops(settings.family), needed_for="chat")
    beginnings = vocabulary.require(markers(settings.family), needed_for="chat")
    return Marks(tuple({*generation.stop_ids, *ends}), tuple(beginnings))


def _chatting(
    preprocess: Signature, answer: Answer, settings: Settings, inputs: dict[str, Input]
) -> Signature:
    def function(tensors: Tensors) -> Tensors:
        asked = answered(preprocess, answer, tensors, inputs)
        rows, prompt = asked.rows, asked.features
        size = rows.token_ids.shape[1]
        said, lengths = behind(rows.token_ids, rows.starts, rows.ends, width=size, pad=settings.ids.pad)
        in_thought = _is_in_thought(prompt["token_ids"], prompt["padding_mask"], settings)
        answers, finding = parse_ids(said, lengths, in_thought, settings, cuts=rows.seen.cuts)
        reason = tf.where(rows.seen.cuts < 0, answers.finish_reason, FINISH_REASONS.index("stop"))
        return answers._asdict() | {
            "finish_reason": tf.gather(FINISH_REASONS, reason),
            "token_ids": said,
            **counts(rows),
            "status": tf.where(tf.equal(asked.status, ""), status_messages(finding), asked.status),
        }

    outputs = (*Answers._fields, "token_ids", *COUNTS, "status")
    return Signature(preprocess.inputs | inputs, outputs, function, "what the model answers to messages")


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
