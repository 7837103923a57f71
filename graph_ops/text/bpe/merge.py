"""Byte-pair merging of all segments of a text at once.

Terms:

* A **symbol** is a character's piece, a merged piece, a user-defined symbol or -1 (no piece).
* The **rank** of two neighbours is the id of the piece that they merge into; the lower the better, `NONE` if
  they do not.
* A **cut** is a place between two characters that stand side by side in no piece: no merge ever reaches
  across it. A **segment** is what lies between two cuts; segments do not interact.

SentencePiece merges the best pair of a text, the leftmost among equals, again and again. That takes as many
steps as there are merges, where a graph wants few steps over much. So tokens are first guessed, in a few
`rounds` over everything, and then checked: tokens of which each two in succession **part** are the only ones
(see `chart`), and `parting` tells which do. Where two do not, a window around them is merged by `chart`. It
takes a number of steps that does not depend on the text's length, and ten times guessing's work for a symbol.

```
TH ES ect ion erv berg      guessed; ect | ion do not part
   ES ection erv            the window merged anew: at both ends stand the tokens that stood there
TH ES ection erv berg       so that these part from those beyond it, as they did before
```

If other tokens stand at an end of the window, it is made four times as large: at last it is the segment.
Guessing is bounded by a multiple of the symbols, and what it does not finish counts as wrong. So all of it
takes time proportional to the symbols, but for the logarithm in `chart`'s pointer doubling.
"""

from typing import NamedTuple

import tensorflow as tf

from graph_ops.text.bpe import chart, one_by_one, pair_table, rounds
from graph_ops.text.bpe.arrays import earlier, later, places, taken
from graph_ops.text.bpe.pair_table import NONE, PairTable
from graph_ops.text.bpe.parting import wrong_tokens

REACH = 8
"""Tokens on either side of two that do not part, in the first window."""

SHORT = 64
"""Symbols of a window that is merged by `one_by_one`, which then takes fewer steps than `chart`."""

_WIDER = 4
_FILLED = 2
"""Added to an id, -1 too, so that a slot without one holds less."""


class Effort(NamedTuple):
    """What merging took, int32 [] each: `rounds` that dealt with `work` symbols in all, `steps` of checking,
    and how often `windows` were merged anew, with `redone` symbols in all.
    """

    rounds: tf.Tensor
    work: tf.Tensor
    steps: tf.Tensor
    windows: tf.Tensor
    redone: tf.Tensor


class _Text(NamedTuple):
    """Characters, int32 [K] each: ids, numbers of their segments, whether they begin one (1 or 0), and ranks
    with the next.
    """

    symbols: tf.Tensor
    segments: tf.Tensor
    is_start: tf.Tensor
    ranks: tf.Tensor


class _Tokens(NamedTuple):
    """Tokens, in any order.

    Attributes:
        ids: int32 [T].
        starts: int32 [T]; index of the first character.
        wrong: int32 [n]; where those begin that may not part from the one after them.
        reach: int32 []; tokens of a window on either side of these two.
        windows: int32 []; how often windows were merged.
        redone: int32 []; their symbols.
    """

    ids: tf.Tensor
    starts: tf.Tensor
    wrong: tf.Tensor
    reach: tf.Tensor
    windows: tf.Tensor
    redone: tf.Tensor


def merge(
    symbols: tf.Tensor, places: tf.Tensor, table: PairTable, *, longest_piece: int
) -> tuple[tf.Tensor, tf.Tensor]:
    """What is left when nothing merges any more.

    Args:
        symbols: int32 [K], K at least 1; ids, -1 where there is none.
        places: int32 [K]; index of each one's first character.
        table: (left id, right id) to the merged piece's id, with pairs of characters that stand side by side.
        longest_piece: most characters of a normal piece.

    Returns:
        symbols and places, int32 [T] each, in any order.
    """
    return merge_with_effort(symbols, places, table, longest_piece=longest_piece)[:2]


def merge_with_effort(
    symbols: tf.Tensor, places: tf.Tensor, table: PairTable, *, longest_piece: int
) -> tuple[tf.Tensor, tf.Tensor, Effort]:
    """The same as `merge`, symbols and places int32 [T], and what it took."""
    is_joined, ranks = pair_table.look_up(table, symbols, earlier(symbols, by=1, fill=-1))
    is_start = 1 - tf.cast(later(is_joined, by=1, fill=False), tf.int32)
    text = _Text(symbols, tf.cumsum(is_start) - 1, is_start, ranks)
    guess = rounds.merge(symbols, text.segments, ranks, table)
    wrong, steps = wrong_tokens(guess, table)
    zero, flat, scalar = tf.constant(0), tf.TensorShape([None]), tf.TensorShape([])
    end = tf.while_loop(
        lambda now: tf.size(now.wrong) > 0,
        lambda now: (_corrected(now, text, table, longest_piece),),
        (_Tokens(taken(guess.trees.ids, guess.roots), guess.starts, wrong, tf.constant(REACH), zero, zero),),
        shape_invariants=(_Tokens(*[flat] * 3, *[scalar] * 3),),
    )[0]
    effort = Effort(guess.rounds, guess.work, steps, end.windows, end.redone)
    return end.ids, taken(places, end.starts), effort


def _corrected(now: _Tokens, text: _Text, table: PairTable, longest_piece: int) -> _Tokens:
    """The tokens with windows around the wrong ones merged anew, and those wrong at the windows' ends."""
    starts, ids, token_of = _in_order(now.starts, now.ids, text)
    in_window = _near(taken(token_of, now.wrong), now.reach, taken(text.segments, starts))
    at = places(taken(in_window, token_of) > 0)
    new_starts, new_ids = _merged(text, at, table, longest_piece)
    kept = places(in_window < 1)
    all_starts = tf.concat([taken(starts, kept), taken(at, new_starts)], axis=0)
    all_ids = tf.concat([taken(ids, kept), new_ids], axis=0)
    found = tf.math.unsorted_segment_sum(all_ids + _FILLED, all_starts, tf.size(text.symbols))
    # an end of a window lies before a token of it, or after one: that one must be the same as it was
    before = later(in_window, by=1, fill=0)
    inner = tf.maximum(tf.range(tf.size(ids)) - before * (1 - in_window), 0)
    is_other = tf.not_equal(taken(found, taken(starts, inner)), taken(ids, inner) + _FILLED)
    is_end = tf.not_equal(in_window, before) & (taken(text.is_start, starts) < 1)
    ends = taken(starts, places(is_end & is_other))
    new_starts, _, token_of = _in_order(all_starts, all_ids, text)
    wrong = taken(new_starts, taken(token_of, ends - 1))
    redone = now.redone + tf.size(at)
    return _Tokens(all_ids, all_starts, wrong, now.reach * _WIDER, now.windows + 1, redone)


def _in_order(starts: tf.Tensor, ids: tf.Tensor, text: _Text) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Starts and ids int32 [T] in the order of the text, and the token of each character, int32 [K]."""
    slots = tf.math.unsorted_segment_sum(ids + _FILLED, starts, tf.size(text.symbols))
    starts = places(slots > 0)
    return starts, taken(slots, starts) - _FILLED, tf.cumsum(tf.cast(slots > 0, tf.int32)) - 1


def _near(wrong: tf.Tensor, reach: tf.Tensor, segments: tf.Tensor) -> tf.Tensor:
    """Int32 [T]: 1 for tokens within reach of one of those that are `wrong` [n], in its segment."""
    count, one = tf.size(segments), tf.ones_like(wrong)
    of_segment = tf.math.unsorted_segment_sum(one, taken(segments, wrong), segments[-1] + 1)
    is_wrong = tf.math.unsorted_segment_sum(one, wrong, count)
    up_to, index = tf.concat([[0], tf.cumsum(is_wrong)], axis=0), tf.range(count)
    near = taken(up_to, tf.minimum(index + reach, count)) - taken(up_to, tf.maximum(index - reach, 0))
    return tf.cast((near > 0) & (taken(of_segment, segments) > 0), tf.int32)


def _merged(text: _Text, at: tf.Tensor, table: PairTable, longest_piece: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Tokens of the symbols `at` int32 [n], in windows: indices into `at` of their first symbols, and ids,
    int32 [m] each.
    """
    is_bound = tf.cast(tf.not_equal(later(at, by=1, fill=-2) + 1, at), tf.int32)
    segments = tf.cumsum(tf.maximum(is_bound, taken(text.is_start, at))) - 1
    symbols, is_last = taken(text.symbols, at), tf.not_equal(segments, earlier(segments, by=1, fill=-1))
    ranks = tf.where(is_last, NONE, taken(text.ranks, at))

    def by_chart() -> tuple[tf.Tensor, tf.Tensor]:
        merged = chart.merge(symbols, segments, ranks, table, longest_piece=max(longest_piece, 2))
        return merged.starts, merged.symbols

    def in_turn() -> tuple[tf.Tensor, tf.Tensor]:
        return one_by_one.merge(symbols, segments, ranks, table)

    if longest_piece > chart.LONGEST_PIECE:
        return in_turn()
    longest = tf.reduce_max(tf.math.unsorted_segment_sum(tf.ones_like(at), segments, tf.size(at)))
    return tf.cond(longest <= SHORT, in_turn, by_chart)
