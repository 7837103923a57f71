"""Signatures of a bundle that turn texts into ids and ids into texts, beside those that make rows."""

import tensorflow as tf

from export.signature import Input, Signature, Tensors
from graph_ops.faults import Finding
from graph_ops.pipeline import litert as pipeline
from graph_ops.pipeline.litert import Text
from graph_ops.pipeline.offsets import byte_offsets
from graph_ops.pipeline.streaming import stream_bytes
from graph_ops.settings import Settings
from graph_ops.text.reading import prompt_reading
from graph_ops.text.streaming import PENDING
from graph_ops.text.tokens import TokenRows

INPUTS = {
    "text": "UTF-8 bytes",
    "text_length": "bytes that count",
    "prompts": "UTF-8 bytes, with one placeholder such as `<|image|>` for each medium",
    "prompts_length": "bytes that count",
    "token_ids": "ids",
    "lengths": "ids that count",
    "pending": "what the last call gave; zeros at first",
    "is_last": "not 0 where no more ids follow",
}
OUTPUTS = {
    "token_ids": "ids, 0 past the length",
    "lengths": "ids",
    "text": "UTF-8 bytes, 0 past the length",
    "text_length": "bytes",
    "byte_spans": "first byte of each token and the one after its last; 0 past the length",
    "character_spans": "the same in code points",
    "pending": "ids of bytes that wait for the rest of their character, for the next call",
}
STATUS = ("status", "status_detail")
"""Outputs of every signature."""


def status_outputs(finding: Finding) -> Tensors:
    """The outputs of a finding [1]."""
    return {"status": finding.fault, "status_detail": finding.detail}


def text_signatures(settings: Settings, size: int | None = None) -> dict[str, Signature]:
    """By name, with `size` bytes or ids, which is then part of the name, or as many as come."""
    kinds = {
        "tokenize": _tokenizing,
        "token_offsets": _locating,
        "detokenize": _detokenizing,
        "detokenize_stream": _streaming,
    }
    end = "" if size is None else f"_{size}"
    return {f"{name}{end}": make(settings, size) for name, make in kinds.items()}


def text_inputs(name: str, size: int | None) -> dict[str, Input]:
    """A text's bytes and how many there are."""
    return {name: _input(name, tf.uint8, size), f"{name}_length": _input(f"{name}_length", tf.int32, 1)}


def _input(name: str, dtype: tf.DType, *shape: int | None) -> Input:
    return Input(dtype, shape, INPUTS[name])


def _tokenizing(settings: Settings, size: int | None) -> Signature:
    def function(tensors: Tensors) -> Tensors:
        tokens, finding = pipeline.tokenize(Text(tensors["text"], tensors["text_length"]), settings)
        return tokens._asdict() | status_outputs(finding)

    outputs = ("token_ids", "lengths", *STATUS)
    return Signature(text_inputs("text", size), outputs, function, "text to ids")


def _locating(settings: Settings, size: int | None) -> Signature:
    def function(tensors: Tensors) -> Tensors:
        text = Text(tensors["text"], tensors["text_length"])
        rows = TokenRows(tensors["token_ids"], tensors["lengths"])
        found, finding = byte_offsets(text, rows, settings)
        return found._asdict() | status_outputs(finding)

    inputs = text_inputs("text", size) | {
        "token_ids": _input("token_ids", tf.int32, 1, most_ids(settings, size)),
        "lengths": _input("lengths", tf.int32, 1),
    }
    outputs = ("byte_spans", "character_spans", *STATUS)
    return Signature(
        inputs, outputs, function, "a text and what `tokenize` gives of it to the tokens' places"
    )


def _detokenizing(settings: Settings, size: int | None) -> Signature:
    capacity = most_bytes(settings, size)

    def function(tensors: Tensors) -> Tensors:
        ids, lengths = tensors["token_ids"], tensors["lengths"]
        return text_outputs(*pipeline.detokenize(ids, lengths, settings, capacity=capacity))

    inputs = {
        "token_ids": _input("token_ids", tf.int32, 1, size),
        "lengths": _input("lengths", tf.int32, 1),
    }
    return Signature(inputs, ("text", "text_length", *STATUS), function, "ids to text")


def _streaming(settings: Settings, size: int | None) -> Signature:
    names = ("token_ids", "lengths", "pending", "is_last")
    capacity = most_bytes(settings, None if size is None else size + PENDING)

    def function(tensors: Tensors) -> Tensors:
        ids, lengths, pending, is_last = (tensors[name] for name in names)
        found = stream_bytes(ids, lengths, pending, is_last, settings, capacity=capacity)
        return {"pending": found.pending} | text_outputs(found.text, found.finding)

    shapes = {"token_ids": (1, size), "lengths": (1,), "pending": (1, PENDING), "is_last": (1,)}
    inputs = {name: _input(name, tf.int32, *shapes[name]) for name in names}
    outputs = ("text", "text_length", "pending", *STATUS)
    return Signature(inputs, outputs, function, "the next ids of a text to the next part of it")


def text_outputs(text: Text, finding: Finding) -> Tensors:
    """A text's bytes, how many there are, and what is wrong."""
    return {"text": text.codes, "text_length": text.length} | status_outputs(finding)


def most_ids(settings: Settings, size: int | None) -> int | None:
    """Ids that `tokenize` gives of so many bytes, those past the length included."""
    if size is None:
        return None
    return pipeline.engine_of(settings).most_ids(size, reading=prompt_reading(settings.row))


def most_bytes(settings: Settings, ids: int | None) -> int | None:
    """Bytes that so many ids can become."""
    if ids is None:
        return None
    return ids * max(3, *(len(piece.encode()) for piece in settings.tokenizer.vocabulary.pieces))
