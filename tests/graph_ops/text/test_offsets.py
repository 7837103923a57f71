"""Spans of the ids of a stream."""

import dataclasses

import pytest
import tensorflow as tf

from graph_ops.text.bpe import strings
from graph_ops.text.bpe.engine import BuiltinEngine
from graph_ops.text.offsets import characters_of, has_offsets, require_offsets, spans
from graph_ops.text.tokens import TokenRows
from tests.twins.spans import spans_of
from tests.twins.vocabularies import small_vocabulary

VOCABULARY = small_vocabulary(["\u2581", "fox", "\u2581fox", "\ufffd"], ["\n\n"])
BARE = small_vocabulary(["a"])  # a space and a U+FFFD have no piece


def found(texts, pieces, vocabulary):
    ids = [[vocabulary.find(piece) for piece in row] for row in pieces]
    width = max(map(len, ids)) + 2
    padded = tf.constant([row + [3] * (width - len(row)) for row in ids])
    stream = strings.to_stream(tf.constant(texts))
    rows = TokenRows(padded, tf.constant([len(row) for row in ids]))
    characters = characters_of(padded, vocabulary)
    result = spans(rows, characters, stream.codes, stream.ends, vocabulary=vocabulary)
    for part in result:
        is_padding = ~tf.sequence_mask(rows.lengths, width)
        assert not tf.boolean_mask(part, is_padding).numpy().any()
    cut = [[part[row, : len(ids[row])].numpy().tolist() for part in result] for row in range(len(ids))]
    assert cut == [list(spans_of(text, row, vocabulary)) for text, row in zip(texts, ids, strict=True)]
    return cut


def of_bytes(character):
    return [f"<0x{byte:02X}>" for byte in character.encode()]


def test_pieces_are_whole_characters_and_bytes_are_parts_of_one():
    texts = ["\u00e9 fox\n\n\U0001f98a".encode(), b"", "\u2581fox fox".encode()]
    pieces = [
        [*of_bytes("\u00e9"), "\u2581fox", "\n\n", *of_bytes("\U0001f98a")],
        [],
        ["\u2581fox", "\u2581", "fox"],
    ]
    first, _, last = found(texts, pieces, VOCABULARY)
    assert first[0] == [[0, 1], [1, 2], [2, 6], [6, 8], [8, 9], [9, 10], [10, 11], [11, 12]]
    assert first[1] == [[0, 1], [0, 1], [1, 5], [5, 7], *[[7, 8]] * 4]
    assert last == [[[0, 6], [6, 7], [7, 10]], [[0, 4], [4, 5], [5, 8]]]


def test_what_is_not_utf8_is_a_character_of_one_byte():
    byte, character = found([b"\xff\xc3 fox"], [["\ufffd", "\ufffd", "\u2581fox"]], VOCABULARY)[0]
    assert byte == character == [[0, 1], [1, 2], [2, 6]]


def test_three_bytes_that_one_byte_stands_for_have_its_span():
    pieces = [[*of_bytes("\u2581"), "a", *of_bytes("\ufffd"), *of_bytes("\u2581")]]
    byte, character = found([b" a\xfe" + "\u2581".encode()], pieces, BARE)[0]
    assert byte == [[0, 1]] * 3 + [[1, 2]] + [[2, 3]] * 3 + [[3, 4], [4, 5], [5, 6]]
    assert character == [[0, 1]] * 3 + [[1, 2]] + [[2, 3]] * 3 + [[3, 4]] * 3


@pytest.mark.parametrize("without", ["keeps_text", "has_byte_fallback"])
def test_a_vocabulary_with_texts_of_its_own_is_refused(without):
    require_offsets(VOCABULARY)
    altered = dataclasses.replace(VOCABULARY, **{without: False})
    assert not has_offsets(altered)
    with pytest.raises(ValueError, match="`tokenizer`: offsets need a vocabulary that takes texts as they"):
        require_offsets(altered)


def test_the_engine_of_core_ops_counts_the_characters_of_every_id_alike(vocabulary):
    ids = tf.range(len(vocabulary))
    expected = characters_of(ids, vocabulary).numpy().tolist()
    assert BuiltinEngine(vocabulary).characters_of(ids).numpy().tolist() == expected
    assert characters_of(ids[tf.newaxis, :2], vocabulary).shape == (1, 2)
