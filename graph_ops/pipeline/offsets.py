"""Ids of texts with their places: `graph_ops.text.offsets` for batches of strings and for a row of bytes."""

from typing import NamedTuple

import tensorflow as tf

from graph_ops.faults import Finding, first_finding
from graph_ops.pipeline.litert import Text, engine_of, length_finding
from graph_ops.pipeline.served import id_finding
from graph_ops.settings import Settings
from graph_ops.text.bpe import strings, utf8
from graph_ops.text.offsets import Spans, characters_of, spans
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
        vocabulary = tokenizer.vocabulary
        characters = characters_of(rows.token_ids, vocabulary)
        return Located(rows, spans(rows, characters, stream.codes, stream.ends, vocabulary=vocabulary))


def byte_offsets(text: Text, rows: TokenRows, settings: Settings) -> tuple[Spans, Finding]:
    """The spans of one text's ids for devices, which have them from `tokenize`.

    Args:
        text: one text.
        rows: its ids int32 [1, L] and their number int32 [1].
        settings: tokenizer, with the engine "builtin".

    Returns:
        [1, L, 2] each, 0 past the length and throughout for a text with a finding.
    """
    given = tf.shape(rows.token_ids)[1]
    wrong = length_finding(text.length, tf.size(text.codes))
    finding = first_finding(wrong, length_finding(rows.lengths, given))
    is_token = tf.sequence_mask(rows.lengths, given)
    finding = first_finding(finding, id_finding(rows.token_ids, is_token, settings.tokenizer))
    length = tf.where(finding.is_clean, text.length, 0)
    with tf.name_scope("offsets"):
        ids = tf.where(is_token & finding.is_clean[:, tf.newaxis], rows.token_ids, 0)
        characters = engine_of(settings).characters_of(ids[0])[tf.newaxis]
        stream = tf.where(
            tf.range(tf.size(text.codes)) < length, tf.cast(text.codes, tf.int32), utf8.SEPARATOR
        )
        stream = tf.concat([stream, [utf8.SEPARATOR]], axis=0)
        kept = TokenRows(ids, tf.where(finding.is_clean, rows.lengths, 0))
        return spans(kept, characters, stream, length, vocabulary=settings.tokenizer.vocabulary), finding
