"""Ids of texts with their places: `graph_ops.text.offsets` for batches of strings and for a row of bytes."""

from typing import NamedTuple

import tensorflow as tf

from graph_ops.faults import Finding
from graph_ops.pipeline.litert import Text, tokenize
from graph_ops.settings import Settings
from graph_ops.text.bpe import strings, utf8
from graph_ops.text.offsets import Spans, spans
from graph_ops.text.reading import Reading
from graph_ops.text.tokens import Tokenizer, TokenRows


class Located(NamedTuple):
    """Tokens of B texts and where they stand.

    Attributes:
        rows: ids int32 [B, L] and lengths int32 [B].
        spans: int32 [B, L, 2] each, in bytes and in characters.
    """

    rows: TokenRows
    spans: Spans


def tokenize_with_offsets(
    texts: tf.Tensor, tokenizer: Tokenizer, *, reading: Reading = Reading.TRAINED
) -> Located:
    """Ids and spans of strings [B]; `reading` as for `tokenize_rows`."""
    rows = tokenizer.tokenize_rows(texts, reading=reading)
    with tf.name_scope("offsets"):
        stream = strings.to_stream(texts)
        return Located(rows, spans(rows, stream.codes, stream.ends, vocabulary=tokenizer.vocabulary))


def tokenize_bytes_with_offsets(text: Text, settings: Settings) -> tuple[Located, Finding]:
    """The same of one text for devices: [1, N + 1], 0 past the length; none for a text with a finding."""
    rows, finding = tokenize(text, settings)
    length = tf.where(finding.is_clean, text.length, 0)
    with tf.name_scope("offsets"):
        is_text = tf.range(tf.size(text.codes)) < length
        stream = tf.where(is_text, tf.cast(text.codes, tf.int32), utf8.SEPARATOR)
        stream = tf.concat([stream, [utf8.SEPARATOR]], axis=0)
        return Located(rows, spans(rows, stream, length, vocabulary=settings.tokenizer.vocabulary)), finding
