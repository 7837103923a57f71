"""Whatever the parts that ids come in, the parts of the text are the whole text."""

import random

import numpy as np
import pytest
import tensorflow as tf

import graph_ops
from graph_ops.config import RowConfig
from graph_ops.faults import Fault
from graph_ops.pipeline.streaming import stream, stream_bytes
from graph_ops.settings import make_settings
from tests.data import DEMONSTRATION, needs_corpus
from tests.twins.streams import hostile_ids, parted

PARTS, ROWS = 5, 3_000
SPECS = (([None, None], tf.int32), ([None], tf.int32), ([None, 3], tf.int32), ([None], tf.bool))


@pytest.fixture(scope="module", params=["sentencepiece", "builtin"])
def both_engines(request, vocabulary_file):
    return graph_ops.Gemma4Tokenizer(vocabulary_file, engine=request.param)


@pytest.fixture(scope="module")
def settings():
    tokenizer = graph_ops.Gemma4Tokenizer(DEMONSTRATION, engine="builtin")
    return make_settings(tokenizer, RowConfig(sequence_length=16), {})


def padded(rows):
    """Rows of ids [B, L + 1] with garbage in the padding, and their lengths."""
    ids = np.full((len(rows), max(map(len, rows)) + 1), 7, np.int32)
    for place, row in enumerate(rows):
        ids[place, : len(row)] = row
    return tf.constant(ids), tf.constant([len(row) for row in rows])


def streamed(tokenizer, rows):
    """Texts of rows of parts of ids."""

    def step(ids, lengths, pending, is_last):
        return stream(ids, lengths, pending, is_last, tokenizer)

    specs = [tf.TensorSpec(*spec) for spec in SPECS]
    graph = tf.function(step, input_signature=specs, autograph=False)
    pending, texts = tf.zeros([len(rows), 3], tf.int32), [b""] * len(rows)
    for place in range(PARTS):
        is_last = tf.fill([len(rows)], place == PARTS - 1)
        found = graph(*padded([row[place] for row in rows]), pending, is_last)
        assert not found.finding.fault.numpy().any()
        pending = found.pending
        texts = [text + more for text, more in zip(texts, found.text.numpy(), strict=True)]
    assert not pending.numpy().any()
    return texts


def test_the_parts_of_hostile_ids_are_the_whole(both_engines):
    rng = random.Random(1)
    rows = [hostile_ids(rng, both_engines.vocabulary) for _ in range(ROWS)]
    whole = both_engines.detokenize(tf.ragged.constant(rows, dtype=tf.int32)).numpy().tolist()
    assert streamed(both_engines, [parted(rng, row, PARTS) for row in rows]) == whole


@needs_corpus
def test_the_parts_of_the_corpus_are_the_whole(both_engines, corpus):
    rng = random.Random(2)
    rows = [ids[:300] for ids in both_engines.tokenize(corpus).to_list()]
    whole = both_engines.detokenize(tf.ragged.constant(rows, dtype=tf.int32)).numpy().tolist()
    assert streamed(both_engines, [parted(rng, row, PARTS) for row in rows]) == whole


def test_a_faulty_row_is_empty_and_leaves_its_neighbours_alone(settings):
    ids, lengths = tf.constant([[300, 301], [300, 9_999], [300, 301]]), tf.constant([2, 2, 3])
    byte = settings.tokenizer.vocabulary.find("<0xF0>")
    pending = tf.constant([[0, 0, byte]] * 3)
    found = stream(ids, lengths, pending, tf.zeros([3], tf.bool), settings.tokenizer)
    expected = [Fault.NONE, Fault.TOKEN_ID_OUT_OF_RANGE, Fault.TEXT_LENGTH]
    assert found.finding.fault.numpy().tolist() == expected
    good = settings.tokenizer.detokenize([byte, 300, 301]).numpy()
    assert found.text.numpy().tolist() == [good, b"", b""]
    assert not found.pending.numpy().any()


@pytest.mark.parametrize("capacity", [512, pytest.param(None, marks=pytest.mark.slow)])
def test_a_device_gives_the_same_bytes(settings, capacity):
    rng, tokenizer = random.Random(3), settings.tokenizer
    for _ in range(40):
        pending = [tf.zeros([1, 3], tf.int32)] * 2
        parts = parted(rng, hostile_ids(rng, tokenizer.vocabulary), 3)
        for place, part in enumerate(parts):
            (ids, lengths), is_last = padded([part]), place == 2
            served = stream(ids, lengths, pending[0], tf.constant([is_last]), tokenizer)
            flag = tf.constant([int(is_last)])
            device = stream_bytes(ids, lengths, pending[1], flag, settings, capacity=capacity)
            text = bytes(device.text.codes.numpy()[: int(device.text.length[0])])
            assert text == served.text.numpy()[0]
            pending = [served.pending, device.pending]
            assert pending[0].numpy().tolist() == pending[1].numpy().tolist()
