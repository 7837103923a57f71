"""Hugging Face's merges -> SentencePiece's scores, so that both make the same tokens of every text.

Both begin with the characters of a text and merge two adjacent tokens at a time. Hugging Face lists pairs:
the listed pair of the lowest rank is next, the leftmost on ties. SentencePiece scores pieces: of the adjacent
pairs that together are a piece, the one of the piece with the highest score is next, the leftmost on
ties.

Let tokens l and r stand side by side somewhere in the course of Hugging Face's merging, and l + r be the
piece P. No merge so far reached over P's ends. So what was done between them is what is done with P as the
whole text, and its last two tokens are thus l and r: P has **one split** that ever occurs, whatever else is
listed. Hence, if

1. the split of each piece that merging can make is listed, and the scores sort the pieces as the ranks of
  their splits do, and
2. of no other piece's text merging leaves two tokens (SentencePiece would merge these),

then at each step both see the same candidates in the same order, and do the same.

It is not necessary to merge the text of each piece. If every division of P into two pieces is listed, so is
its split; and if only P's merges are listed from the first of P's to the last of P's, the first one's rank
sorts P as any of them does. Gemma's merges are all so. Other pieces are merged on trial.
"""

import itertools
from collections.abc import Container, Mapping, Sequence, Set

import numpy as np

from graph_ops.text.vocabulary.sentencepiece_model import BYTE_PIECES, SPACE

Pair = tuple[str, str]


def scores(ids: Mapping[str, int], ranks: Mapping[Pair, int], *, mergeable: Sequence[str]) -> np.ndarray:
    """float32 [V]: minus the rank of a merge that makes each piece, 0 for those that are not made by merging.

    Args:
        ids: of all the model's pieces, 0 to V - 1.
        ranks: of the merges, 0 to M - 1 in this order; exact for M up to 2**24. Parts and results are pieces.
        mergeable: the pieces that are neither bytes nor added tokens.

    Raises:
        ValueError: SentencePiece would merge differently; tells where.
    """
    mergeable = [piece for piece in mergeable if len(piece) > 1]
    _check_characters(ids, mergeable)
    made = np.fromiter(map(ids.__getitem__, map("".join, ranks)), np.int64, len(ranks))
    listed, first, last = np.bincount(made, minlength=len(ids)), *_first_and_last(made, len(ids))
    whole = np.where(
        last - first + 1 == listed, listed, -1
    ).tolist()  # how many merges make a piece, if only its own lie between
    found = np.where(listed > 0, -first, 0).astype(np.float32)
    for piece in mergeable:
        divisions = _divisions(piece, ids)
        if divisions and divisions != whole[ids[piece]]:
            found[ids[piece]] = _score_on_trial(piece, ranks)
    return found


def check_space_runs(runs: Set[str], ranks: Mapping[Pair, int], *, added: Set[str]) -> None:
    """Checks that merging joins spaces as SentencePiece matches user-defined runs of `▁`: from left to right,
    each as long as can be.

    It does if the runs are all those of 2 to K spaces and are made before anything else, a begun run grows by
    one space before the next begins, and a run is no part of another piece.

    Args:
        runs: added tokens with `▁` in them, which Hugging Face reads only where a text holds a literal `▁`.
        ranks: of the merges.
        added: all added tokens; what makes those is no matter.

    Raises:
        ValueError: it may join them otherwise.
    """
    if not runs:
        return
    longest = max(map(len, runs))
    growth = [ranks.get((SPACE * length, SPACE), len(ranks)) for length in range(1, longest)]
    others = (rank for (left, right), rank in ranks.items() if left + right not in added)
    _require(
        runs == {SPACE * length for length in range(2, longest + 1)},
        "added tokens with ▁ in them and `normalized` false must be all the runs of 2, 3, … ▁",
        min(runs, key=lambda run: (run.strip(SPACE) == "", len(run))),
    )
    _require(
        max(growth[1:], default=-1) < growth[0] < min(others, default=len(ranks)),
        "merges must make the longest run of ▁ that is an added token first, and nothing else before",
        f"(▁, ▁) at rank {ranks.get((SPACE, SPACE))}",
    )
    parts = (pair for pair in ranks if not runs.isdisjoint(pair) and pair[0] + pair[1] not in runs)
    part = next(parts, None)
    _require(part is None, "no merge may use an added run of ▁ as part of another piece", part)


def check_merges(ids: Mapping[str, int], ranks: Mapping[Pair, int]) -> None:
    """Checks that all parts and results are pieces, and none a byte.

    Raises:
        ValueError: one is not.
    """
    used = set(itertools.chain.from_iterable(ranks)).union(map("".join, ranks))
    foreign = (used - ids.keys()) | used.intersection(BYTE_PIECES)
    wrong = (
        next((pair for pair in ranks if not foreign.isdisjoint((*pair, "".join(pair)))), None)
        if foreign
        else None
    )
    _require(
        wrong is None,
        "the parts and the result of each merge must be pieces of `model.vocab`, and no byte pieces",
        wrong,
    )


def _check_characters(ids: Mapping[str, int], pieces: Sequence[str]) -> None:
    missing = set("".join(pieces)) - ids.keys()
    piece = next((piece for piece in pieces if not missing.isdisjoint(piece)), None) if missing else None
    _require(piece is None, "each character of a piece must be a piece too", piece)


def _divisions(piece: str, ids: Container[str]) -> int:
    """In how many ways a piece can be divided into two."""
    count = 0
    for end in range(1, len(piece)):
        if piece[end:] in ids and piece[:end] in ids:
            count += 1
    return count


def _first_and_last(made: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """int64 [count] each: at which places of `made` a number is met first and last; 0 if never."""
    first, last, places = np.zeros(count, np.int64), np.zeros(count, np.int64), np.arange(len(made))
    first[made[::-1]] = places[::-1]  # of equal indices the last is written
    last[made] = places
    return first, last


def _score_on_trial(piece: str, ranks: Mapping[Pair, int]) -> float:
    tokens, rank = list(piece), 0
    while len(tokens) > 1:
        candidates = [ranks.get(pair, len(ranks)) for pair in itertools.pairwise(tokens)]
        rank = min(candidates)
        if rank == len(ranks):
            _require(
                len(tokens) > 2,
                "two pieces that merging leaves of a third one's text must be a merge",
                tuple(tokens),
            )
            return 0.0
        at = candidates.index(rank)
        tokens[at : at + 2] = [tokens[at] + tokens[at + 1]]
    return -float(rank)


def _require(holds: bool, rule: str, got: object) -> None:
    if not holds:
        raise ValueError(f"{rule}; got {got!r}")
