"""Spans of tokens against a slow twin and against `tokenizers`."""

import numpy as np
import pytest
import tensorflow as tf

import graph_ops
from export.verify import samples
from graph_ops.config import RowConfig
from graph_ops.faults import Fault
from graph_ops.pipeline.litert import Text
from graph_ops.pipeline.offsets import tokenize_bytes_with_offsets, tokenize_with_offsets
from graph_ops.settings import make_settings
from graph_ops.text.reading import Reading
from tests.data import DEMONSTRATION, needs_corpus, needs_real
from tests.twins.spans import spans_of

HOSTILE = 5_000
TEXTS = [
    "",
    " ",
    "e\u0301 \u00e9",
    "\U0001f469\u200d\U0001f680 \U0001f98a",
    "\u2581a \u2581",
    "<bos>a<|turn>",
]


@pytest.fixture(scope="module", params=["sentencepiece", "builtin"])
def both_engines(request, vocabulary_file):
    return graph_ops.Gemma4Tokenizer(vocabulary_file, engine=request.param)


def rows_of(tokenizer, texts, reading=Reading.TRAINED):
    """Ids, byte spans and character spans of each text."""
    rows, spans = tokenize_with_offsets(tf.constant(texts), tokenizer, reading=reading)
    parts = [part.numpy() for part in (rows.token_ids, *spans)]
    return [
        [part[row, :length].tolist() for part in parts] for row, length in enumerate(rows.lengths.numpy())
    ]


@pytest.mark.parametrize("reading", [Reading.TRAINED, Reading.CONTROL])
def test_spans_of_hostile_texts_are_those_of_a_walk(both_engines, reading):
    vocabulary = both_engines.vocabulary
    texts = [text.encode() for text in TEXTS] + samples.hostile_texts(HOSTILE, pieces=vocabulary.pieces)
    for text, (ids, *found) in zip(texts, rows_of(both_engines, texts, reading), strict=True):
        assert found == list(spans_of(text, ids, vocabulary)), text


@needs_corpus
def test_spans_of_the_corpus_are_those_of_a_walk(both_engines, corpus):
    texts = [text.encode() for text in corpus]
    for text, (ids, *found) in zip(texts, rows_of(both_engines, texts), strict=True):
        assert found == list(spans_of(text, ids, both_engines.vocabulary)), text


@needs_real
@needs_corpus
def test_spans_are_those_of_tokenizers(real_tokenizer, huggingface_tokenizer, corpus):
    """Wherever the ids are the same, which a literal ▁ beside an added token prevents. For texts that are not
    UTF-8 it has no spans, and in bytes neither: those follow from the walk of the other tests.
    """
    pieces = real_tokenizer.vocabulary.pieces
    hostile = samples.hostile_texts(HOSTILE, pieces=pieces, invalid_utf8=False)
    texts = [*TEXTS, *(text.decode() for text in hostile), *corpus]
    theirs = huggingface_tokenizer.encode_batch(texts, add_special_tokens=False)
    compared = 0
    for text, (ids, _, spans), encoded in zip(
        texts, rows_of(real_tokenizer, texts, Reading.CONTROL), theirs, strict=True
    ):
        if ids == encoded.ids:
            assert [tuple(span) for span in spans] == encoded.offsets, text
            compared += 1
        else:
            assert "\u2581" in text
    assert compared > len(texts) * 0.98


def test_a_device_gives_the_same_whatever_lies_behind_the_text():
    tokenizer = graph_ops.Gemma4Tokenizer(DEMONSTRATION, engine="builtin")
    settings = make_settings(tokenizer, RowConfig(sequence_length=16), {})
    for text in [each.encode() for each in TEXTS] + samples.hostile_texts(
        40, pieces=tokenizer.vocabulary.pieces
    ):
        codes = tf.constant(np.frombuffer(text + b"\xc3a ", np.uint8))
        (rows, spans), finding = tokenize_bytes_with_offsets(Text(codes, tf.constant([len(text)])), settings)
        count = int(rows.lengths[0])
        parts = [part.numpy()[0] for part in (rows.token_ids, *spans)]
        assert [part[:count].tolist() for part in parts] == rows_of(tokenizer, [text])[0]
        assert not any(part[count:].any() for part in parts)
        assert finding.fault.numpy().tolist() == [0]
    (rows, spans), finding = tokenize_bytes_with_offsets(Text(codes, tf.constant([99_999])), settings)
    assert (rows.lengths.numpy().tolist(), finding.fault.numpy().tolist()) == ([0], [Fault.TEXT_LENGTH])
    assert not spans.byte_spans.numpy().any()
