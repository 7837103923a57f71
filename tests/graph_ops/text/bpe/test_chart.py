"""Merging by chart, against one merge at a time: everything goes through the chart here."""

import pytest
import sentencepiece
import tensorflow as tf
from hypothesis import example, given, settings
from hypothesis import strategies as st

from graph_ops.text.bpe import chart, merge, rounds
from graph_ops.text.bpe.engine import BuiltinEngine
from tests.twins import bpe
from tests.twins.vocabularies import REPEATABLE, small_vocabulary, vocabularies, words

SOME = settings(REPEATABLE, max_examples=12)  # each builds tables and runs some 2,000 ops
TEXTS = st.lists(words("ab ", 0, 60), min_size=8, max_size=8)


@pytest.fixture(autouse=True, params=[0, pytest.param(2, marks=pytest.mark.release)])
def _rounds(request, tmp_path, monkeypatch):
    """A chart after no round, or after a few."""
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda _: str(tmp_path))
    monkeypatch.setattr(rounds, "MAX_ROUNDS", request.param)
    monkeypatch.setattr(merge, "SHORT", 0)


def assert_exact(vocabulary, texts):
    theirs = sentencepiece.SentencePieceProcessor(model_proto=vocabulary.proto)
    ids = BuiltinEngine(vocabulary).encode(tf.constant(texts, tf.string, [len(texts)]))
    ours = tf.RaggedTensor.from_row_splits(ids.values, ids.row_splits).to_list()
    assert ours == [theirs.encode(text) for text in texts]
    assert ours == list(map(bpe.Encoder(vocabulary), (text.encode() for text in texts)))


@SOME
@given(vocabularies(), TEXTS)
@example(small_vocabulary(("aa", "aaa", "a", "b")), ["a" * length for length in range(40)])
@example(small_vocabulary(("ab", "bc", "abc", "ca", "a", "b", "c")), ["abc" * 20, "cab" * 7, "acb" * 9])
def test_ids_are_those_of_one_merge_at_a_time(vocabulary, texts):
    assert_exact(vocabulary, texts)


@SOME
@given(st.permutations([word for size in (2, 3, 4) for word in bpe.all_words("ab", size)]), TEXTS)
def test_ids_are_exact_if_better_ranks_have_worse_parts(pieces, texts):
    assert_exact(small_vocabulary([*pieces, "a", "b", "\u2581"]), texts)


@pytest.mark.slow
@SOME
@given(st.permutations([(a + b) for a in "abcdefgh" for b in "abcdefgh" if a != b]), st.data())
def test_chains_of_ranks_that_only_rise_or_fall(pairs, data):
    """Each pair is better, or each worse, than the one before: a choice at one end decides the other end."""
    vocabulary = small_vocabulary([*pairs, *"abcdefgh"])
    texts = []
    for _ in range(4):
        ranks = {pair: place for place, pair in enumerate(pairs)}
        text = data.draw(st.sampled_from("abcdefgh"))
        sign, rank = data.draw(st.sampled_from([1, -1])), None
        for _ in range(60):
            ahead = [
                pair
                for pair in pairs
                if pair[0] == text[-1] and (rank is None or sign * ranks[pair] > sign * rank)
            ]
            if not ahead:
                break
            best = min(ahead, key=lambda pair: sign * ranks[pair])
            rank, text = ranks[best], text + best[1]
        texts.append(text * data.draw(st.integers(1, 3)))
    assert_exact(vocabulary, texts)


@pytest.mark.parametrize("longest", [1, 2, 27, chart.LONGEST_PIECE, chart.LONGEST_PIECE + 1, 40])
def test_vocabularies_with_short_and_with_long_pieces(longest):
    pieces = ["a" * length for length in range(2, longest + 1)]
    assert_exact(small_vocabulary([*pieces, "a", "b"]), ["a" * length for length in (1, 5, 40, 100, 333)])
