"""User-defined symbols: leftmost, the longest at each place, without overlap."""

import itertools

import tensorflow as tf
from hypothesis import example, given
from hypothesis import strategies as st

from graph_ops.text.bpe import user_defined
from tests.twins.vocabularies import REPEATABLE, words

ALPHABET = "abc"
NUMBERS = {letter: number for number, letter in enumerate(ALPHABET, 1)}


def slow(text, symbols):
    """Ids of a text's characters and symbols; a character's is 100 and its number."""
    found = []
    while text:
        longest = max((symbol for symbol in symbols if text.startswith(symbol)), key=len, default=None)
        found.append(symbols[longest] if longest else 100 + NUMBERS.get(text[0], 0))
        text = text[len(longest) if longest else 1 :]
    return found


def found_in(text, symbols):
    characters = [*(NUMBERS.get(letter, 0) for letter in text), 0]
    ids = tf.constant([100 + number for number in characters])
    put = user_defined.put_in(tf.constant(characters), ids, user_defined.build(symbols, NUMBERS))
    return tf.boolean_mask(put.ids, put.is_kept).numpy().tolist()[:-1]


@REPEATABLE
@given(st.lists(words(ALPHABET, 1, 5), max_size=6, unique=True), words(ALPHABET + "z", 0, 40))
@example(["aba", "bab", "ab"], "ababababa")
@example(["a", "aa", "aaaa"], "a" * 15)
@example([], "abc")
def test_matching_is_leftmost_and_longest(pieces, text):
    symbols = {piece: index for index, piece in enumerate(pieces)}
    assert found_in(text, symbols) == slow(text, symbols)


def test_a_symbol_whose_beginning_is_no_symbol_is_found_only_whole():
    assert found_in("abcab", {"abc": 7}) == [7, 101, 102]


def test_a_trie_is_the_one_of_its_docstring():
    trie = user_defined.build({"ab": 7, "ac": 8, "b": 9}, NUMBERS)
    assert trie.classes.tolist() == [0, 1, 2, 3]
    assert trie.bases[:6].tolist() == [1, 0, 2, 0, 0, 0]
    assert trie.parents[:6].tolist() == [-1, -1, 0, 0, 2, 2]
    assert trie.ids[:6].tolist() == [-1, -1, -1, 9, 7, 8]
    assert set(trie.parents[6:]) == {-1}


def test_each_node_and_class_lead_to_a_slot():
    symbols = {"".join(letters): place for place, letters in enumerate(itertools.product("abc", repeat=4))}
    trie = user_defined.build(symbols, {letter: number for number, letter in enumerate("abcdef", 1)})
    assert trie.bases.max() + trie.classes.max() < len(trie.parents)
    assert (trie.parents >= 0).sum() == sum(3**size for size in range(1, 5))
