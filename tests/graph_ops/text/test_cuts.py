"""Places of a text that no token lies across."""

import itertools

from hypothesis import given

from graph_ops.text.cuts import byte_cuts, pieces_in_text
from graph_ops.text.vocabulary.vocabulary import load_vocabulary
from tests.data import DEMONSTRATION
from tests.twins import bpe
from tests.twins.vocabularies import REPEATABLE, small_vocabulary, vocabularies, words


def test_bytes_of_neighbours_in_a_piece_are_no_cut():
    cuts = byte_cuts(small_vocabulary(("aé", "a\u2581", "a", "é", "\u2581", "b")))
    assert not cuts[ord("a"), "é".encode()[0]]
    assert cuts[ord("b"), "é".encode()[0]]
    assert not cuts[ord("a"), ord(" ")]  # a space is read as its mark
    assert not cuts[ord("a"), "\u2581".encode()[0]]
    assert cuts[ord("b"), ord(" ")]


def test_no_cut_is_before_a_byte_that_continues_a_character():
    cuts = byte_cuts(load_vocabulary(DEMONSTRATION))
    assert not cuts[:, 0x80:0xC0].any()


def test_what_may_be_read_as_a_replacement_is_treated_as_one():
    cuts = byte_cuts(small_vocabulary(("a\ufffd", "a", "\ufffd")))
    assert not cuts[ord("a"), 0x80:].any()


def test_only_pieces_of_texts_count():
    assert set(pieces_in_text(small_vocabulary(("ab", "a", "b"), ("<x>",)))) == {"ab", "a", "b", "<x>"}


@REPEATABLE
@given(vocabularies(), words("ab ", 0, 24))
def test_ids_of_a_text_are_those_of_its_segments(vocabulary, text):
    cuts, encode, data = byte_cuts(vocabulary), bpe.Encoder(vocabulary), text.encode()
    places = [place for place in range(1, len(data)) if cuts[data[place - 1], data[place]]]
    bounds = [0, *places, len(data)]
    parts = [data[start:end] for start, end in itertools.pairwise(bounds)]
    assert encode(data) == [index for part in parts for index in encode(part)]
