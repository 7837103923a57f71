"""What can be wrong with a dialogue, before anything is made of it."""

import tensorflow as tf

from graph_ops.chat.dialogue import PART_MEDIA, PART_TYPES, Dialogues, kinds_of
from graph_ops.chat.text import WHITE_SPACE, quoted
from graph_ops.faults import Fault, Finding, check, first_finding

_DEPTH = 16
"""Most objects and lists inside each other, in native text that is read."""
_READ = "\x01"
"""Stands for a value that has been read."""
_VALUE = rf"(?:{_READ}|[^\{{\}}\[\],:{_READ}]+)"
"""One of them, or what stands without quotes."""


def dialogue_finding(dialogues: Dialogues, *, media: tuple[str, ...], quote: str | None) -> Finding:
    """What is wrong with each row, [B]: no message, a role that is no word, a part that is none or of a
    medium that is not taken, native text that does not parse.

    Native text is `call:NAME{…}`, `response:NAME{…}` or `declaration:NAME{…}`: strings in quotes, lists in
    `[]`, objects in `{}` with `key:value`, and numbers and words without quotes, at most 16 levels deep. In
    it the quote is the only special token: another that is spelled is characters, in a string or not.

    Args:
        dialogues: of B rows, string and bool.
        media: names of those that are taken.
        quote: of native text; None to leave native text alone.
    """
    exists = tf.reduce_any(tf.not_equal(dialogues.roles, ""), axis=1)
    wrong = [_roles(dialogues)[:, :, tf.newaxis], _parts(dialogues.part_types, media)]
    findings = [check(~exists, Fault.CHAT_EMPTY, tf.shape(dialogues.roles)[1], 0)]
    if quote is not None:
        calls, responses, tools = _native(dialogues, quote)
        wrong += [_codes(calls, Fault.CHAT_TOOL_TEXT), _codes(responses, Fault.CHAT_TOOL_TEXT)]
        _, tool = _first(tf.cast(tools, tf.int32))
        findings.append(check(tf.reduce_any(tools, axis=1), Fault.CHAT_DECLARATION, tool, 0))
    return first_finding(findings[0], _of_messages(wrong), *findings[1:])


def _of_messages(wrong: list[tf.Tensor]) -> Finding:
    """The first fault of each row, with its message and what it is there, from faults int32 [B, M, n]."""
    widths = [tf.shape(each)[2] for each in wrong]
    places = tf.concat([tf.range(width) for width in widths], axis=0)
    faults = tf.concat(wrong, axis=2)
    width = tf.size(places)
    rows, messages = tf.unstack(tf.shape(faults)[:2])
    fault, at = _first(tf.reshape(faults, [rows, messages * width]))
    detail = tf.stack([at // width, tf.gather(places, at % width)], axis=1)
    return Finding(fault, tf.where(tf.equal(fault, 0)[:, tf.newaxis], 0, detail))


def _first(faults: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The first of int32 [B, n] that is not 0, or 0, and where it is: int32 [B] each."""
    padded = tf.pad(faults, [[0, 0], [0, 1]])
    at = tf.argmax(tf.not_equal(padded, 0), axis=1, output_type=tf.int32)
    return tf.gather(padded, at, batch_dims=1), at


def _roles(dialogues: Dialogues) -> tf.Tensor:
    """Faults of messages, int32 [B, M]."""
    is_word = tf.strings.regex_full_match(dialogues.roles, f"[^{WHITE_SPACE}]+")
    lists = [dialogues.part_types, dialogues.calls, dialogues.responses, dialogues.thoughts[..., tf.newaxis]]
    says = tf.reduce_any(tf.not_equal(tf.concat(lists, axis=2), ""), axis=2)
    return _codes(~is_word & (says | tf.not_equal(dialogues.roles, "")), Fault.CHAT_ROLE)


def _parts(part_types: tf.Tensor, media: tuple[str, ...]) -> tf.Tensor:
    """Faults of parts, int32 of the same shape."""
    codes = [
        Fault.CHAT_MEDIUM if name in PART_MEDIA and PART_MEDIA[name] not in media else Fault.NONE
        for name in PART_TYPES
    ]
    kinds = kinds_of(part_types)
    is_unknown = tf.equal(kinds, 0) & tf.not_equal(part_types, "")
    return tf.where(is_unknown, int(Fault.CHAT_PART), tf.gather(list(map(int, codes)), kinds))


def _codes(wrong: tf.Tensor, fault: Fault) -> tf.Tensor:
    return tf.cast(wrong, tf.int32) * int(fault)


def _native(dialogues: Dialogues, quote: str) -> list[tf.Tensor]:
    """Which calls, responses and tools do not parse: bool of their shapes."""
    given = [dialogues.calls, dialogues.responses, dialogues.tools]
    heads = ("call", "response", "declaration")
    flat = tf.concat([tf.reshape(texts, [-1]) for texts in given], axis=0)
    wrong = tf.cond(
        tf.reduce_any(tf.not_equal(flat, "")),
        lambda: ~_closes(flat, quote),
        lambda: tf.zeros_like(flat, tf.bool),
    )
    parts = tf.split(wrong, [tf.size(texts) for texts in given])
    return [
        tf.not_equal(texts, "")
        & (
            tf.reshape(part, tf.shape(texts))
            | ~tf.strings.regex_full_match(texts, rf"(?s){head}:[^\{{\}}]+\{{.*")
        )
        for texts, part, head in zip(given, parts, heads, strict=True)
    ]


def _closes(texts: tf.Tensor, quote: str) -> tf.Tensor:
    """Bool [n]: which texts, string [n], are a head, a name and one object that is whole.

    From the inside to the outside, two levels at a time, lists and objects are replaced by what stands for a
    value that has been read; all is read if that alone is left.
    """
    mark = quoted(quote)
    rest = tf.strings.regex_replace(texts, r"\A\w+:[^\{\}]+\{", "{")
    rest = tf.strings.regex_replace(rest, f"(?s){mark}.*?{mark}", _READ)
    rest = tf.strings.regex_replace(rest, mark, "]")
    two_levels = two_levels_of(_VALUE)
    for _ in range(_DEPTH // 2):
        rest = tf.strings.regex_replace(rest, two_levels, _READ)
    return tf.equal(rest, _READ)


def two_levels_of(value: str) -> str:
    """An expression for a list or an object of values, and of lists and objects of them."""
    return _enclosing(rf"(?:{value}|{_enclosing(value)})")


def _enclosing(value: str) -> str:
    """An expression for a list or an object of such values."""
    listed, mapped = (rf"(?:{each}(?:,{each})*)?" for each in (value, f"{value}:{value}"))
    return rf"\[{listed}\]|\{{{mapped}\}}"
