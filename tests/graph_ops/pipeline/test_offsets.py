"""Spans of tokens against a slow twin and against `tokenizers`."""

import numpy as np
import pytest
import tensorflow as tf

import graph_ops
from export.verify import samples
from graph_ops.config import RowConfig
from graph_ops.faults import Fault
from graph_ops.pipeline.litert import Text
from graph_ops.pipeline.offsets import byte_offsets, tokenize_with_offsets
from graph_ops.settings import make_settings
from graph_ops.text.reading import Reading
from graph_ops.text.tokens import TokenRows
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
    texts = [text[:700].encode() for text in corpus]
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
    texts = [*TEXTS, *(text.decode() for text in hostile), *(text[:2000] for text in corpus)]
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


@pytest.fixture(scope="module")
def device():
    tokenizer = graph_ops.Gemma4Tokenizer(DEMONSTRATION, engine="builtin")
    return make_settings(tokenizer, RowConfig(sequence_length=16), {})


@pytest.mark.parametrize("reading", [Reading.TRAINED, Reading.CONTROL])
def test_a_device_gives_the_same_whatever_lies_behind_the_text(device, reading):
    hostile = samples.hostile_texts(60, pieces=device.tokenizer.vocabulary.pieces)
    for text in [each.encode() for each in TEXTS] + hostile:
        ids, *expected = rows_of(device.tokenizer, [text], reading)[0]
        codes = tf.constant(np.frombuffer(text + b"\xc3a ", np.uint8))
        rows = TokenRows(tf.constant([[*ids, 7, 300]]), tf.constant([len(ids)]))
        spans, finding = byte_offsets(Text(codes, tf.constant([len(text)])), rows, device)
        assert [part[0, : len(ids)].numpy().tolist() for part in spans] == expected
        assert not any(part[0, len(ids) :].numpy().any() for part in spans)
        assert finding.fault.numpy().tolist() == [0]


@pytest.mark.parametrize(
    ("length", "ids", "count", "fault"),
    [
        (4, [300], 1, Fault.TEXT_LENGTH),
        (3, [300], 2, Fault.TEXT_LENGTH),
        (3, [4_096], 1, Fault.TOKEN_ID_OUT_OF_RANGE),
        (3, [300] * 9, 9, Fault.NONE),
    ],
)
def test_wrong_lengths_and_ids_are_findings_and_ids_of_another_text_do_no_harm(
    device, length, ids, count, fault
):
    text = Text(tf.constant([97, 98, 99], tf.uint8), tf.constant([length]))
    spans, finding = byte_offsets(text, TokenRows(tf.constant([ids]), tf.constant([count])), device)
    assert finding.fault.numpy().tolist() == [fault]
    assert all(int(tf.reduce_max(part)) >= 0 for part in spans)
    assert fault == Fault.NONE or not any(part.numpy().any() for part in spans)
