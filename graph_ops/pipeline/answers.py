"""Ids or texts of answers -> what is in them; see `graph_ops.chat.answers`."""

import re
from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from graph_ops.chat.answers import (
    Answers,
    Segments,
    assembled,
    beginnings,
    finish_reasons,
    kinds,
    marker_numbers,
    markers,
    stops,
)
from graph_ops.chat.text import as_utf8
from graph_ops.family import Family
from graph_ops.faults import Fault, Finding, check, first_finding
from graph_ops.pipeline.served import id_finding, kept_ids
from graph_ops.settings import Settings
from graph_ops.text.vocabulary.vocabulary import Vocabulary

_NOT_UTF8 = b"\xff"


class Parsed(NamedTuple):
    """Answers taken apart, and what is wrong with each row, [B]. One with SPELLED_QUOTE has no calls, one
    with another finding is empty.
    """

    answers: Answers
    finding: Finding


def has_answers(vocabulary: Vocabulary, family: Family) -> bool:
    """Whether a vocabulary has the tokens that answers are parted by."""
    if family.template is None:
        return False
    return None not in map(vocabulary.find, (*markers(family), *stops(family), family.chat.quote))


def _any_of(names: Sequence[str]) -> str:
    return "|".join(map(re.escape, names))


def parse_ids(
    token_ids: tf.Tensor,
    lengths: tf.Tensor,
    in_thought: tf.Tensor,
    settings: Settings,
    *,
    cuts: tf.Tensor | None = None,
) -> Parsed:
    """B answers of ids. Markers are told by their ids: what ordinary pieces spell is text.

    Args:
        token_ids: int32 [B, L]; what the model emitted, its last token included.
        lengths: int32 [B], 0 … L.
        in_thought: bool [B]; whether the prompt ended inside a thought.
        settings: tokenizer and family.
        cuts: int32 [B]; bytes that an answer keeps of its last segment, -1 for all; None for all of each.
    """
    size = tf.shape(token_ids)[1]
    finding = check((lengths < 0) | (lengths > size), Fault.TEXT_LENGTH, lengths, size)
    given = tf.sequence_mask(lengths, size)
    finding = first_finding(finding, id_finding(token_ids, given, settings.tokenizer))
    given &= finding.is_clean[:, tf.newaxis]
    with tf.name_scope("answers"):
        stop = tf.where(given, _index(token_ids, stops(settings.family), settings), -1)
        stops_before = tf.cumsum(tf.cast(stop >= 0, tf.int32), axis=1)
        last = tf.reduce_max(tf.where(tf.equal(stops_before, 1), stop, -1), axis=1)
        segments, spelled = _segments(token_ids, given & tf.equal(stops_before, 0), in_thought, settings)
        if cuts is not None:
            segments = _cut(segments, cuts)
        answers = assembled(segments, finish_reasons(last, family=settings.family), family=settings.family)
        told = answers._replace(
            calls=tf.where((finding.is_clean & spelled.is_clean)[:, tf.newaxis], answers.calls, "")
        )
        return Parsed(told, first_finding(finding, spelled))


def parse_texts(texts: tf.Tensor, in_thought: tf.Tensor, *, family: Family) -> Answers:
    """B answers of strings in UTF-8. Whatever spells a marker is one: a text does not say otherwise.

    Args:
        texts: string [B].
        in_thought: bool [B]; whether the prompt ended inside a thought.
        family: names of the markers.
    """
    given = as_utf8(texts)
    kept = tf.strings.regex_replace(given, rf"(?:{_any_of(stops(family))})\C*\z", "")
    behind = tf.strings.substr(given, tf.strings.length(kept), tf.strings.length(given))
    parted = tf.strings.regex_replace(kept, f"({_any_of(markers(family))})", _NOT_UTF8 + rb"\1")
    split = tf.raw_ops.StringSplitV2(input=parted, sep=_NOT_UTF8, maxsplit=-1)
    rows, place = split.indices[:, 0], split.indices[:, 1]
    marker = _begun_by(split.values, markers(family))
    lengths = tf.gather([0, *map(len, markers(family))], marker + 1)
    text = tf.strings.substr(split.values, lengths, tf.strings.length(split.values))
    first = tf.gather(beginnings(in_thought), rows)
    segments = Segments(text, tf.where(tf.equal(place, 0), first, marker_numbers(marker)), rows)
    return assembled(segments, finish_reasons(_begun_by(behind, stops(family)), family=family), family=family)


def _index(token_ids: tf.Tensor, names: Sequence[str], settings: Settings) -> tf.Tensor:
    """Which of the tokens each id int32 […] is: int32 […], -1 for none."""
    ids = settings.tokenizer.vocabulary.require(names, needed_for="answers")
    return _last_true([tf.equal(token_ids, index) for index in ids])


def _begun_by(texts: tf.Tensor, names: Sequence[str]) -> tf.Tensor:
    """Which of the names each text string […] begins with: int32 […], -1 for none."""
    return _last_true([tf.equal(tf.strings.substr(texts, 0, len(name)), name) for name in names])


def _last_true(conditions: Sequence[tf.Tensor]) -> tf.Tensor:
    """Index of the one that is true, int32 […]; -1 where none is."""
    return tf.reduce_max(tf.stack([tf.where(one, place, -1) for place, one in enumerate(conditions)]), axis=0)


def _segments(
    token_ids: tf.Tensor, is_read: tf.Tensor, in_thought: tf.Tensor, settings: Settings
) -> tuple[Segments, Finding]:
    """The segments of the ids where `is_read` bool [B, L]; SPELLED_QUOTE for the rows where a call has one.

    A column in front of the ids begins each answer.
    """
    marker = tf.where(is_read, _index(token_ids, markers(settings.family), settings), -1)
    begins = tf.where(marker >= 0, marker_numbers(marker), -1)
    begins = tf.concat([beginnings(in_thought)[:, tf.newaxis], begins], axis=1)
    is_begin = begins >= 0
    number = tf.cumsum(tf.cast(tf.reshape(is_begin, [-1]), tf.int32)) - 1
    number = tf.reshape(number, tf.shape(begins))[:, 1:]
    keep = kept_ids(token_ids, is_read & (marker < 0), settings)
    ids, segment_of = tf.boolean_mask(token_ids, keep), tf.boolean_mask(number, keep)
    kind, rows = tf.boolean_mask(begins, is_begin), tf.where(is_begin)[:, 0]
    counts = tf.math.unsorted_segment_sum(tf.ones_like(ids, tf.int64), segment_of, tf.size(kind))
    texts = settings.tokenizer.detokenize_flat(ids, counts)
    segments = Segments(texts, kind, rows)
    is_quote = tf.equal(_index(ids, [settings.family.chat.quote], settings), 0)
    quotes = tf.math.unsorted_segment_sum(tf.cast(is_quote, tf.int32), segment_of, tf.size(kind))
    return segments, _quote_finding(segments, quotes, tf.shape(token_ids)[0], settings.family.chat.quote)


def _cut(segments: Segments, cuts: tf.Tensor) -> Segments:
    """With the last segment of each answer cut to as many bytes as `cuts` int32 [B] says, -1 for all."""
    is_last = tf.concat([tf.not_equal(segments.rows[1:], segments.rows[:-1]), [True]], axis=0)
    kept, sizes = tf.gather(cuts, segments.rows), tf.strings.length(segments.texts)
    kept = tf.where(is_last & (kept >= 0), tf.minimum(kept, sizes), sizes)
    return segments._replace(texts=tf.strings.substr(segments.texts, tf.zeros_like(kept), kept))


def _quote_finding(segments: Segments, quotes: tf.Tensor, rows: tf.Tensor, quote: str) -> Finding:
    """SPELLED_QUOTE for the rows [B] where the text of a call has more quotes than are tokens, int32 [S]."""
    without = tf.strings.regex_replace(segments.texts, re.escape(quote), "")
    spelled = (tf.strings.length(segments.texts) - tf.strings.length(without)) // len(quote)
    is_call = tf.cast(kinds(segments.markers)[1], tf.int32)
    found, tokens = (
        tf.math.unsorted_segment_sum(count * is_call, segments.rows, rows) for count in (spelled, quotes)
    )
    return check(found > tokens, Fault.SPELLED_QUOTE, found, tokens)
