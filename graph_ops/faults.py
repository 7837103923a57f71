"""What is wrong with each item of a batch, and what is said of it.

Every step that can meet bad data returns `fault` int32 (a `Fault`, 0 = good) and `detail` int32 [..., 2] (the
two numbers that its sentence quotes) beside its result instead of raising, because in a server one raised
error fails every row of the batch. Python callers get the same sentence as a `ValueError`.
"""

import string
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from graph_ops.fault_table import FRAME_RULES, SENTENCES, Fault
from graph_ops.file_types import FILE_TYPES, UNKNOWN_CODEC, WAV_CODECS

MOST_QUOTED = 8
"""How many faulty items one exception quotes."""


class Finding(NamedTuple):
    """What is wrong with each item.

    Attributes:
        fault: int32 […], a `Fault`; 0 where nothing is wrong.
        detail: int32 […, 2], the two numbers that the sentence quotes.
    """

    fault: tf.Tensor
    detail: tf.Tensor

    @classmethod
    def none(cls, like: tf.Tensor) -> "Finding":
        """Nothing wrong with any item of a tensor […] of any dtype."""
        zeros = tf.zeros_like(like, tf.int32)
        return cls(zeros, tf.stack([zeros, zeros], axis=-1))

    @property
    def is_clean(self) -> tf.Tensor:
        """Bool […], True where nothing is wrong."""
        return tf.equal(self.fault, 0)

    def at(self, index: tf.Tensor) -> "Finding":
        """The finding of one item of [N], or of several, by int32 […]."""
        return Finding(tf.gather(self.fault, index), tf.gather(self.detail, index))

    def of_rows(self) -> "Finding":
        """A row's finding [B]: the first fault of its K slots, from [B, K]; K may be 0."""
        fault, detail = tf.pad(self.fault, [[0, 0], [0, 1]]), tf.pad(self.detail, [[0, 0], [0, 1], [0, 0]])
        slot = tf.argmax(tf.not_equal(fault, 0), axis=1, output_type=tf.int32)
        return Finding(tf.gather(fault, slot, batch_dims=1), tf.gather(detail, slot, batch_dims=1))


def check(condition: tf.Tensor, fault: Fault, first: tf.Tensor | int, second: tf.Tensor | int) -> Finding:
    """`fault` with its two numbers where `condition` bool […] holds, `Fault.NONE` elsewhere."""
    zeros = tf.zeros_like(condition, tf.int32)
    detail = tf.stack([zeros + first, zeros + second], axis=-1)
    return Finding(tf.where(condition, int(fault), zeros), tf.where(condition[..., tf.newaxis], detail, 0))


def first_finding(*findings: Finding) -> Finding:
    """For each item the first of several findings that is a fault."""
    fault, detail = findings[0]
    for later in findings[1:]:
        clean = tf.equal(fault, 0)
        fault = tf.where(clean, later.fault, fault)
        detail = tf.where(clean[..., tf.newaxis], later.detail, detail)
    return Finding(fault, detail)


def status_messages(finding: Finding) -> tf.Tensor:
    """The sentence of each row's fault, "" for a good row: string [B]."""
    good = tf.zeros_like(finding.fault, tf.string)
    return tf.cond(tf.reduce_any(tf.not_equal(finding.fault, 0)), lambda: _sentences(finding), lambda: good)


def raise_findings(finding: Finding, item: str) -> None:
    """Raises what is wrong with any of B items: `ValueError` eagerly, an assertion in a graph.

    Raises:
        ValueError: quotes each faulty item's index and sentence.
    """
    if tf.executing_eagerly():
        if not finding.fault.numpy().any():
            return
        messages = status_messages(finding)
        faulty = [(index, message) for index, message in enumerate(messages.numpy()) if message]
        lines = [f"{item} {index}: {message.decode()}" for index, message in faulty[:MOST_QUOTED]]
        if len(faulty) > MOST_QUOTED:
            lines.append(f"and {len(faulty) - MOST_QUOTED:,} more")
        if faulty:
            raise ValueError("\n".join(lines))
    else:
        messages = status_messages(finding)
        tf.debugging.Assert(tf.reduce_all(finding.is_clean), [messages], summarize=MOST_QUOTED)


def sentence(fault: Fault, first: int, second: int) -> str:
    """The sentence of one fault with its two numbers."""
    numbers = tf.constant([[first, second]], tf.int32)
    return status_messages(Finding(tf.constant([int(fault)]), numbers)).numpy()[0].decode()


def _sentences(finding: Finding) -> tf.Tensor:
    """A sentence is text, a field, text, … text: both come from constant tables by code, and what the fields
    say of a row is put together once for all sentences.
    """
    texts, fields = _TABLES
    columns = [tf.zeros_like(finding.fault, tf.string)]
    for number, form in _FIELDS:
        detail = finding.detail[:, number]
        columns.append(_WORDS[form](detail) if form else tf.strings.as_string(detail))
    said = tf.gather(tf.stack(columns, axis=1), tf.gather(fields, finding.fault), batch_dims=1)
    parts = tf.stack([tf.gather(texts, finding.fault), said], axis=2)
    return tf.strings.reduce_join(tf.reshape(parts, [-1, 2 * texts.shape[1]]), axis=1)


def _tables() -> tuple[np.ndarray, np.ndarray]:
    """Texts string [codes, parts] and what follows each of them, int32 [codes, parts]: 1 + an index of
    `_FIELDS`, or 0 for nothing.
    """
    parsed = {code: list(string.Formatter().parse(sentence)) for code, sentence in SENTENCES.items()}
    shape = max(Fault) + 1, max(map(len, parsed.values()))
    texts, fields = np.full(shape, b"", object), np.zeros(shape, np.int32)
    for code, parts in parsed.items():
        for place, (text, field, form, _) in enumerate(parts):
            texts[code, place] = text.encode()
            if field is not None:
                fields[code, place] = 1 + _FIELDS.index((int(field), form))
    return texts, fields


def _listed(words: Sequence[str]) -> Callable[[tf.Tensor], tf.Tensor]:
    """The word with a number int32 [B]; what is no number of a word gets the first."""
    return lambda numbers: tf.gather(words, tf.where((numbers > 0) & (numbers < len(words)), numbers, 0))


def _codec(tags: tf.Tensor) -> tf.Tensor:
    place = tf.reduce_max(tf.where(tf.equal(tags[:, tf.newaxis], list(WAV_CODECS)), _PLACES, 0), axis=1)
    return tf.gather([UNKNOWN_CODEC, *WAV_CODECS.values()], place)


def _of_fault(words: Sequence[str]) -> Callable[[tf.Tensor], tf.Tensor]:
    """The word of the fault with a code int32 [B] among those of `FRAME_RULES`; the first for another."""
    codes = [int(fault) for fault in FRAME_RULES]

    def word(faults: tf.Tensor) -> tf.Tensor:
        return tf.gather(words, tf.argmax(tf.equal(faults[:, tf.newaxis], codes), axis=1))

    return word


_PLACES = tuple(range(1, len(WAV_CODECS) + 1))
_WORDS: Mapping[str, Callable[[tf.Tensor], tf.Tensor]] = {
    "file_type": _listed([kind.name for kind in FILE_TYPES]),
    "remedy": _listed([kind.remedy for kind in FILE_TYPES]),
    "codec": _codec,
    "frame_rule": _of_fault([rule for rule, _ in FRAME_RULES.values()]),
    "frame_remedy": _of_fault([remedy for _, remedy in FRAME_RULES.values()]),
}
"""What a sentence may say in place of a number: numbers int32 [B] to words string [B]."""
_FIELDS = ((0, ""), (1, ""), *((0, form) for form in _WORDS))
"""What a sentence may name: `{0}`, `{1}`, and the first number as a word."""
_TABLES = _tables()
