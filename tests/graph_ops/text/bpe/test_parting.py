"""Which tokens part, against merging what two of them spell."""

import functools
import itertools

import pytest
import tensorflow as tf

from graph_ops.text.bpe import pair_table, rounds
from graph_ops.text.bpe.arrays import earlier
from graph_ops.text.bpe.cache import load_tables
from graph_ops.text.bpe.parting import wrong_tokens
from tests.graph_ops.text.bpe.test_rounds import guessed
from tests.twins import bpe
from tests.twins.vocabularies import small_vocabulary


def joined(vocabulary, text, folder):
    symbols = tf.constant([vocabulary.find(letter) for letter in text])
    table = load_tables(vocabulary, folder=folder).merges
    return pair_table.look_up(table, symbols, earlier(symbols, by=1, fill=-1))[0], table


def wrong(vocabulary, text, folder):
    guess, _ = guessed(vocabulary, text, folder)
    found, steps = wrong_tokens(guess, *joined(vocabulary, text, folder))
    return sorted(found.numpy().tolist()), int(steps)


def test_a_wrong_guess_is_found(tmp_path):
    """`ab` and `cde` are no tokens of `abcde`, which are `a` and `bcde`."""
    vocabulary = small_vocabulary(("de", "cde", "bcde", "ab", *"abcdex"))
    assert wrong(vocabulary, "abcde", tmp_path) == ([0], 1)
    assert wrong(vocabulary, "abxabcde", tmp_path)[0] == [2]  # of ab x ab cde
    assert wrong(vocabulary, "abcd", tmp_path)[0] == []


def test_tokens_that_still_merge_are_wrong(tmp_path, monkeypatch):
    monkeypatch.setattr(rounds, "MAX_ROUNDS", 1)
    vocabulary = small_vocabulary(("ab", "abc", *"abc"))
    assert wrong(vocabulary, "abc", tmp_path)[0] == [0]


def test_nothing_is_looked_at_across_a_cut(tmp_path):
    vocabulary = small_vocabulary(("ab", "cd", *"abcd"))
    assert wrong(vocabulary, "abcd", tmp_path) == ([], 0)


@pytest.mark.parametrize("order", list(itertools.permutations(("ab", "bc", "abc", "ca")))[::3])
def test_tokens_part_exactly_if_merging_both_leaves_them(order, tmp_path):
    vocabulary = small_vocabulary((*order, *"abcx"))
    text = "x".join("".join(letters) for letters in itertools.product("abc", repeat=6))
    guess, pieces = guessed(vocabulary, text, tmp_path)
    found, _ = wrong_tokens(guess, *joined(vocabulary, text, tmp_path))
    slow = functools.cache(bpe.Encoder(vocabulary))
    expected = [
        place
        for place, pair in enumerate(itertools.pairwise(pieces))
        if slow("".join(pair).encode()) != [vocabulary.find(piece) for piece in pair]
    ]
    assert sorted(found.numpy().tolist()) == expected
