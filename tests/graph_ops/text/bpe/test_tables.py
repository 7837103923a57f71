"""What a vocabulary's constant tables hold."""

import numpy as np
import pytest

from graph_ops.text.bpe import tables, utf8
from graph_ops.text.bpe.cache import load_tables
from graph_ops.text.bpe.tables import PAGE
from tests.graph_ops.text.bpe.test_piece_texts import piece_text
from tests.twins.vocabularies import small_vocabulary

PIECES = ("ab", "\u2581a", "a", "b", "\u2581", "é", "\ufffd")


@pytest.fixture(scope="module")
def vocabulary():
    return small_vocabulary(PIECES, ("<x>", "\n\n", "<", "x", ">", "\n"))


@pytest.fixture(scope="module")
def built(vocabulary, tmp_path_factory):
    return load_tables(vocabulary, folder=tmp_path_factory.mktemp("cache"))


def test_characters_lead_to_their_pieces(vocabulary, built):
    for letter in "ab\u2581é\ufffd":
        page = built.characters.pages[ord(letter) // PAGE]
        number = built.characters.numbers[page + ord(letter) % PAGE]
        assert built.characters.ids[number] == vocabulary.find(letter)
    for letter in "z\U0010ffff":
        page = built.characters.pages[ord(letter) // PAGE]
        assert built.characters.numbers[page + ord(letter) % PAGE] == 0
    assert built.characters.ids[0] == -1


def test_a_space_is_the_same_character_as_its_mark(built):
    numbers = [
        built.characters.numbers[built.characters.pages[ord(letter) // PAGE] + ord(letter) % PAGE]
        for letter in " \u2581"
    ]
    assert numbers[0] == numbers[1] > 0


def test_each_piece_has_the_bytes_that_it_stands_for(vocabulary, built):
    texts = [piece_text(built.piece_texts, index) for index in range(len(vocabulary) + 1)]
    assert texts[:3] == [b"", b"", b""]
    assert texts[3] == " \u2047 ".encode()
    assert texts[vocabulary.find("<0x41>")] == b"A"
    assert texts[vocabulary.find("\u2581a")] == b" a"
    assert texts[vocabulary.find("é")] == "é".encode()
    assert texts[-1] == b""


def test_bytes_lead_to_their_pieces(vocabulary, built):
    assert [vocabulary.pieces[index] for index in built.byte_ids[[0, 255]]] == ["<0x00>", "<0xFF>"]


def test_separators_are_cut_off_from_bytes_but_not_from_each_other(built):
    cuts = built.cuts.reshape(utf8.SEPARATOR + 1, utf8.SEPARATOR + 1)
    assert cuts[-1, :-1].all()
    assert cuts[:-1, -1].all()
    assert not cuts[-1, -1]
    assert not cuts[ord("a"), ord("b")]
    assert cuts[ord("b"), ord("a")]


def test_a_vocabulary_without_the_replacement_character_may_need_three_ids_for_a_byte(built, tmp_path):
    assert built.ids_of_a_byte == 1
    assert load_tables(small_vocabulary(("ab", "a", "b", "\u2581")), folder=tmp_path).ids_of_a_byte == 3


def test_tables_survive_being_flattened(built):
    flat = tables.flatten(built)
    again = tables.unflatten(flat)
    assert tables.flatten(again).keys() == flat.keys()
    assert all(np.array_equal(part, flat[name]) for name, part in tables.flatten(again).items())
    assert isinstance(again.ids_of_a_byte, int)
