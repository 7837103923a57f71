"""Which tokens part, against merging what two of them spell."""

import functools
import itertools

import pytest

from graph_ops.text.bpe import rounds
from graph_ops.text.bpe.cache import load_tables
from graph_ops.text.bpe.parting import wrong_tokens
from tests.graph_ops.text.bpe.test_rounds import guessed
from tests.twins import bpe
from tests.twins.vocabularies import small_vocabulary


def wrong(vocabulary, text, folder):
    guess, pieces = guessed(vocabulary, text, folder)
    found, steps = wrong_tokens(guess, load_tables(vocabulary, folder=folder).merges)
    starts = [0, *itertools.accumulate(map(len, pieces))]
    return sorted(starts.index(start) for start in found.numpy()), int(steps)


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


@pytest.mark.parametrize("order", list(itertools.permutations(("ab", "bc", "abc", "ca")))[::6])
def test_tokens_part_exactly_if_merging_both_leaves_them(order, tmp_path):
    vocabulary = small_vocabulary((*order, *"abcx"))
    text = "x".join("".join(letters) for letters in itertools.product("abc", repeat=6))
    _, pieces = guessed(vocabulary, text, tmp_path)
    slow = functools.cache(bpe.Encoder(vocabulary))
    expected = [
        place
        for place, pair in enumerate(itertools.pairwise(pieces))
        if slow("".join(pair).encode()) != [vocabulary.find(piece) for piece in pair]
    ]
    assert wrong(vocabulary, text, tmp_path)[0] == expected
