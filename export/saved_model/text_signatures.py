"""Signatures of a SavedModel that turn texts into ids and ids into texts, beside those that make rows."""

import tensorflow as tf

from export.signature import Input, Signature, Tensors
from graph_ops.chat.answers import FINISH_REASONS, Answers
from graph_ops.faults import Finding, status_messages
from graph_ops.pipeline.answers import has_answers, parse_ids
from graph_ops.pipeline.offsets import tokenize_with_offsets
from graph_ops.pipeline.served import decode_ids
from graph_ops.pipeline.streaming import stream
from graph_ops.settings import Settings
from graph_ops.text.offsets import has_offsets
from graph_ops.text.reading import prompt_reading
from graph_ops.text.streaming import PENDING

INPUTS = {
    "text": Input(tf.string, (None,), "UTF-8"),
    "token_ids": Input(tf.int32, (None, None), "ids"),
    "lengths": Input(tf.int32, (None,), "ids of each row"),
    "pending": Input(tf.int32, (None, PENDING), "what the last call gave; zeros at first"),
    "in_thought": Input(tf.bool, (None,), "True where the prompt ended inside a thought"),
    "is_last": Input(tf.bool, (None,), "True where no more ids follow"),
}
OUTPUTS = {
    "text": "UTF-8",
    "token_ids": "ids, 0 past the length",
    "lengths": "ids of each row",
    "byte_spans": "first byte of each token and the one after its last; 0 past the length",
    "character_spans": "the same in code points",
    "thought": "what the model thought, UTF-8",
    "content": "what it says, without white space at its ends",
    "calls": 'its calls as native text, such as `call:f{a:1}`; "" for none',
    "finish_reason": "`stop`, `tool_calls` (it waits for a tool) or `length` (cut)",
    "pending": "ids of bytes that wait for the rest of their character, for the next call",
}


def text_signatures(settings: Settings) -> dict[str, Signature]:
    """Those that the vocabulary supports, by name."""
    table = {"tokenize": _tokenizing(settings), "detokenize": _detokenizing(settings)}
    if settings.tokenizer.vocabulary.keeps_text:
        table["detokenize_stream"] = _streaming(settings)
    if has_offsets(settings.tokenizer.vocabulary):
        table["tokenize_with_offsets"] = _locating(settings)
    if has_answers(settings.tokenizer.vocabulary, settings.family):
        table["parse_response"] = _parsing(settings)
    return table


def status_output(finding: Finding) -> Tensors:
    """The output `status` of a finding [B]."""
    with tf.name_scope("status"):
        return {"status": status_messages(finding)}


def _inputs(*names: str) -> dict[str, Input]:
    return {name: INPUTS[name] for name in names}


def _tokenizing(settings: Settings) -> Signature:
    def function(tensors: Tensors) -> Tensors:
        rows = settings.tokenizer.tokenize_rows(tensors["text"], reading=prompt_reading(settings.row))
        return rows._asdict()

    return Signature(_inputs("text"), ("token_ids", "lengths"), function, "text to ids")


def _locating(settings: Settings) -> Signature:
    def function(tensors: Tensors) -> Tensors:
        reading = prompt_reading(settings.row)
        found = tokenize_with_offsets(tensors["text"], settings.tokenizer, reading=reading)
        return found.rows._asdict() | found.spans._asdict()

    outputs = ("token_ids", "lengths", "byte_spans", "character_spans")
    return Signature(_inputs("text"), outputs, function, "text to ids and their places in it")


def _detokenizing(settings: Settings) -> Signature:
    def function(tensors: Tensors) -> Tensors:
        keep = tf.sequence_mask(tensors["lengths"], tf.shape(tensors["token_ids"])[1])
        text, finding = decode_ids(tensors["token_ids"], keep, settings.tokenizer)
        return {"text": text} | status_output(finding)

    return Signature(_inputs("token_ids", "lengths"), ("text", "status"), function, "ids to text")


def _streaming(settings: Settings) -> Signature:
    names = ("token_ids", "lengths", "pending", "is_last")

    def function(tensors: Tensors) -> Tensors:
        ids, lengths, pending, is_last = (tensors[name] for name in names)
        found = stream(ids, lengths, pending, is_last, settings.tokenizer)
        return {"text": found.text, "pending": found.pending} | status_output(found.finding)

    meaning = "the next ids of a text to the next part of it"
    return Signature(_inputs(*names), ("text", "pending", "status"), function, meaning)


def _parsing(settings: Settings) -> Signature:
    names = ("token_ids", "lengths", "in_thought")

    def function(tensors: Tensors) -> Tensors:
        ids, lengths, in_thought = (tensors[name] for name in names)
        answers, finding = parse_ids(ids, lengths, in_thought, settings)
        reason = tf.gather(FINISH_REASONS, answers.finish_reason)
        return answers._asdict() | {"finish_reason": reason} | status_output(finding)

    meaning = "what a model answered, taken apart: its thought, its calls, what it says, why it ended"
    return Signature(_inputs(*names), (*Answers._fields, "status"), function, meaning)
