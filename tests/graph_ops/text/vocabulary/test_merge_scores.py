"""Scores from ranks of merges: SentencePiece then merges as the list of merges says."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph_ops.text.vocabulary.merge_scores import check_merges, check_space_runs, scores
from tests.twins.vocabularies import REPEATABLE, words

SPACE = "\u2581"


def merged_by_rank(text, ranks):
    tokens = list(text)
    while len(tokens) > 1:
        rank, place = min(
            (ranks.get(pair, len(ranks)), place) for place, pair in enumerate(itertools.pairwise(tokens))
        )
        if rank == len(ranks):
            break
        tokens[place : place + 2] = [tokens[place] + tokens[place + 1]]
    return tokens


def merged_by_score(text, ids, found):
    tokens = list(text)
    while len(tokens) > 1:
        score, place = max(
            (found[ids[a + b]] if a + b in ids else -np.inf, -place)
            for place, (a, b) in enumerate(itertools.pairwise(tokens))
        )
        if score == -np.inf:
            break
        tokens[-place : 2 - place] = [tokens[-place] + tokens[1 - place]]
    return tokens


@st.composite
def trained(draw):
    """Merges as training adds them: of two tokens that are neighbours in a text, a new piece each time."""
    text, ranks = [draw(words("abc", 4, 40))], {}
    for _ in range(draw(st.integers(1, 12))):
        pairs = sorted(set(itertools.pairwise(merged_by_rank(text[0], ranks))))
        known = {a + b for a, b in ranks}
        pairs = [pair for pair in pairs if "".join(pair) not in known]
        if not pairs:
            break
        ranks[draw(st.sampled_from(pairs))] = len(ranks)
    return ranks


@REPEATABLE
@given(trained(), st.lists(words("abc", 0, 30), min_size=5, max_size=5))
def test_merging_by_score_is_merging_by_rank(ranks, texts):
    pieces = [*"abc", *("".join(pair) for pair in ranks)]
    ids = {piece: index for index, piece in enumerate(pieces)}
    try:
        found = scores(ids, ranks, mergeable=pieces)
    except ValueError:
        return  # SentencePiece would merge differently, and it says so
    for text in texts:
        assert merged_by_score(text, ids, found) == merged_by_rank(text, ranks)


def test_a_score_is_minus_the_rank_and_zero_for_what_is_not_merged():
    ids = {piece: index for index, piece in enumerate(["a", "b", "ab", "abb"])}
    found = scores(ids, {("a", "b"): 0, ("ab", "b"): 1}, mergeable=list(ids))
    assert found.tolist() == [0, 0, 0, -1]


@pytest.mark.parametrize(
    ("ranks", "pieces", "rule"),
    [
        ({("a", "b"): 0}, ["a", "ab"], "each character of a piece must be a piece too"),
        ({("a", "b"): 0}, ["a", "b", "ab", "ba"], "two pieces that merging leaves of a third one's text"),
    ],
)
def test_lists_that_sentencepiece_would_read_differently_are_refused(ranks, pieces, rule):
    with pytest.raises(ValueError, match=rule):
        scores({piece: index for index, piece in enumerate(pieces)}, ranks, mergeable=pieces)


def test_merges_of_what_is_no_piece_or_a_byte_are_refused():
    with pytest.raises(ValueError, match=r"must be pieces of `model\.vocab`, and no byte pieces; got .*'b'"):
        check_merges({"a": 0, "ab": 1}, {("a", "b"): 0})
    check_merges({"a": 0, "b": 1, "ab": 2}, {("a", "b"): 0})


def test_runs_of_spaces_must_be_merged_first_and_in_order():
    runs = {SPACE * 2, SPACE * 3}
    good = {(SPACE * 2, SPACE): 0, (SPACE, SPACE): 1, ("a", "b"): 2}
    check_space_runs(runs, good, added=runs)
    late = {("a", "b"): 0, (SPACE * 2, SPACE): 1, (SPACE, SPACE): 2}
    with pytest.raises(ValueError, match="longest run of ▁"):
        check_space_runs(runs, late, added=runs)
    with pytest.raises(ValueError, match="all the runs of 2, 3, … ▁"):
        check_space_runs({SPACE * 3}, good, added=runs)
