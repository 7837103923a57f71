"""What can be wrong with a dialogue, before anything is made of it."""

import tensorflow as tf

from graph_ops.chat.dialogue import PART_MEDIA, PART_TYPES, Dialogues
from graph_ops.chat.text import WHITE_SPACE
from graph_ops.faults import Fault, Finding, check, first_finding

_DEPTH = 16
"""Most objects and lists inside each other, in native text that is read."""
_READ = "\x01"
"""Stands for a value that has been read."""
_VALUE = rf"(?:{_READ}|[^\{{\}}\[\],:{_READ}]+)"
"""One of them, or what stands without quotes."""


def dialogue_finding(dialogues: Dialogues, *, media: tuple[str, ...]) -> Finding:
    """What is wrong with each row, [B]: no message, a role that is no word, a part that is none or of a
    medium that is not taken.

    Args:
        dialogues: of B rows, string and bool.
        media: names of those that are taken.
    """
    roles, types = dialogues.roles, dialogues.part_types
    exists = tf.not_equal(roles, "")
    is_word = tf.strings.regex_full_match(roles, f"[^{WHITE_SPACE}]+")
    says = tf.reduce_any(tf.not_equal(types, ""), axis=2) | tf.not_equal(dialogues.thoughts, "")
    for texts in (dialogues.calls, dialogues.responses):
        says |= tf.reduce_any(tf.not_equal(texts, ""), axis=2)
    taken = [name for name in PART_TYPES if name not in PART_MEDIA or PART_MEDIA[name] in media]
    known, readable = (
        tf.reduce_any(tf.equal(types[..., tf.newaxis], names), axis=-1) for names in (list(PART_TYPES), taken)
    )
    return first_finding(
        check(~tf.reduce_any(exists, axis=1), Fault.CHAT_EMPTY, tf.shape(roles)[1], 0),
        _first_message(~is_word & (exists | says), Fault.CHAT_ROLE),
        _first_part(~known, Fault.CHAT_PART),
        _first_part(~readable, Fault.CHAT_MEDIUM),
    )


def native_finding(dialogues: Dialogues, *, quote: str) -> Finding:
    """What is wrong with the native text of each row, [B].

    Native text is `call:NAME{…}`, `response:NAME{…}` or `declaration:NAME{…}`: strings in quotes, lists in
    `[]`, objects in `{}` with `key:value`, and numbers and words without quotes, at most 16 levels deep. In
    it the quote is the only special token: another that is spelled is characters, in a string or not.
    """
    return first_finding(
        _first_part(~_parses(dialogues.calls, "call", quote), Fault.CHAT_TOOL_TEXT),
        _first_part(~_parses(dialogues.responses, "response", quote), Fault.CHAT_TOOL_TEXT),
        _first_message(~_parses(dialogues.tools, "declaration", quote), Fault.CHAT_DECLARATION),
    )


def _parses(texts: tf.Tensor, head: str, quote: str) -> tf.Tensor:
    """Bool […]: which texts, string […], are native text; "" is.

    From the inside to the outside, each list and object is replaced by what stands for a value that has been
    read; all is read if that alone is left.
    """
    mark = "".join(f"\\{character}" for character in quote)
    begins = tf.strings.regex_full_match(texts, rf"(?s){head}:[^\{{\}}]+\{{.*")
    rest = tf.strings.regex_replace(texts, rf"\A{head}:[^\{{\}}]+\{{", "{")
    rest = tf.strings.regex_replace(rest, f"(?s){mark}.*?{mark}", _READ)
    rest = tf.strings.regex_replace(rest, mark, "]")
    field = f"{_VALUE}:{_VALUE}"
    listed, mapped = (rf"(?:{each}(?:,{each})*)?" for each in (_VALUE, field))
    for _ in range(_DEPTH):
        rest = tf.strings.regex_replace(rest, rf"\[{listed}\]|\{{{mapped}\}}", _READ)
    return tf.equal(texts, "") | (begins & tf.equal(rest, _READ))


def _first_message(wrong: tf.Tensor, fault: Fault) -> Finding:
    """The fault of each row of bool [B, M] with its first True."""
    first = tf.argmax(tf.pad(tf.cast(wrong, tf.int8), [[0, 0], [0, 1]]), axis=1, output_type=tf.int32)
    return check(tf.reduce_any(wrong, axis=1), fault, first, 0)


def _first_part(wrong: tf.Tensor, fault: Fault) -> Finding:
    """The same of bool [B, M, P]: message and part."""
    rows, width = tf.shape(wrong)[0], tf.shape(wrong)[2]
    found = _first_message(tf.reshape(wrong, [rows, tf.shape(wrong)[1] * width]), fault)
    at, width = found.detail[:, 0], tf.maximum(width, 1)
    return Finding(found.fault, tf.stack([at // width, at % width], axis=1))
