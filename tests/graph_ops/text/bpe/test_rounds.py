"""Rounds of merging, on vocabularies made on the spot: what they guess, and how many they take."""

import pytest
import tensorflow as tf

from graph_ops.text.bpe import pair_table, rounds
from graph_ops.text.bpe.arrays import earlier
from graph_ops.text.bpe.cache import load_tables
from tests.twins.vocabularies import small_vocabulary


def guessed(vocabulary, text, folder):
    """The guess of a text, and the pieces of its tokens."""
    table = load_tables(vocabulary, folder=folder).merges
    symbols = tf.constant([vocabulary.find(letter) for letter in text])
    is_joined, ranks = pair_table.look_up(table, symbols, earlier(symbols, by=1, fill=-1))
    segments = tf.cumsum(1 - tf.cast(is_joined, tf.int32), exclusive=True)
    guess = rounds.merge(symbols, segments, ranks, table)
    order = tf.argsort(guess.starts)
    ids = tf.gather(tf.gather(guess.trees.ids, guess.roots), order)
    return guess, [vocabulary.pieces[index] for index in ids]


@pytest.mark.parametrize(
    ("pieces", "text", "tokens", "count"),
    [
        ("ab a b", "ab", ["ab"], 1),
        ("ab a b c", "cab", ["c", "ab"], 1),
        ("ab bc a b c", "abc", ["ab", "c"], 1),
        ("bc ab a b c", "abc", ["a", "bc"], 1),
        ("ab cd abcd a b c d", "abcd", ["abcd"], 3),  # cd waits for ab, which is two pairs away and better
        ("ab cd a b c d x", "abxcd", ["ab", "x", "cd"], 1),
        ("ab a b", "abababab", ["ab"] * 4, 1),  # the same two symbols again
        ("aa a", "aaaaa", ["aa", "aa", "a"], 1),
        ("aba ab a b", "ababab", ["aba", "b", "ab"], 3),  # aba is better than ab: one at a time
        ("a b", "abab", ["a", "b", "a", "b"], 0),
    ],
)
def test_what_merges_in_a_round(pieces, text, tokens, count, tmp_path):
    guess, found = guessed(small_vocabulary(tuple(pieces.split())), text, tmp_path)
    assert found == tokens
    assert int(guess.rounds) == count
    assert (guess.ranks.numpy() >= pair_table.NONE).all()


def test_trees_hold_the_parts_of_every_symbol(tmp_path):
    vocabulary = small_vocabulary(("bc", "abc", "a", "b", "c"))
    guess, _ = guessed(vocabulary, "abc", tmp_path)
    bc, abc = vocabulary.find("bc"), vocabulary.find("abc")
    assert [part.numpy().tolist() for part in guess.trees] == [
        [vocabulary.find("a"), vocabulary.find("b"), vocabulary.find("c"), bc, abc],
        [0, 0, 0, 1, 0],
        [0, 0, 0, 2, 3],
        [0, 0, 0, bc + 1, abc + 1],
        [0, 0, 0, bc, abc],
    ]
    assert guess.roots.numpy().tolist() == [4]
    assert guess.starts.numpy().tolist() == [0]


def test_a_guess_can_be_wrong(tmp_path):
    """`a b` is better than the pairs beside it, but `c d e` sends for its `b` first."""
    vocabulary = small_vocabulary(("de", "cde", "bcde", "ab", *"abcde"))
    assert guessed(vocabulary, "abcde", tmp_path)[1] == ["ab", "cde"]


def test_rounds_end_where_they_would_take_too_much(tmp_path, monkeypatch):
    monkeypatch.setattr(rounds, "MAX_ROUNDS", 2)
    guess, found = guessed(small_vocabulary(("ab", "abc", "abcd", "abcde", *"abcde")), "abcde", tmp_path)
    assert found == ["abc", "d", "e"]
    assert int(guess.work) == 5 + 4
    assert guess.ranks.numpy()[0] < pair_table.NONE
