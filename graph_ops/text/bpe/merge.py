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
(see `chart`), and `parting` tells which do. Where two do not, a window around them is merged by `chart`, whose
number of steps does not depend on a text's length; it does ten times as much for a symbol as guessing does.

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

_WIDER = 4
_INSIDE = -2
"""In the place of an id: no token begins here."""


class Effort(NamedTuple):
    """What merging took, int32 [] each: `rounds` that dealt with `work` symbols in all, `steps` of checking, and
    `windows` how often they were merged anew, with `redone` symbols in all.
    """

    rounds: tf.Tensor
    work: tf.Tensor
    steps: tf.Tensor
    windows: tf.Tensor
    redone: tf.Tensor


class _Text(NamedTuple):
    """Characters, [K] each: their ids int32, the numbers of their segments int32, whether they begin one bool,
    and their ranks with the next int32.
    """

    symbols: tf.Tensor
    segments: tf.Tensor
    is_start: tf.Tensor
    ranks: tf.Tensor


class _Tokens(NamedTuple):
    """Tokens in a slot for each character.

    Attributes:
        ids: int32 [K]; of the token that begins there, or `_INSIDE`.
        is_wrong: int32 [K]; 1 where a token begins that may not part from the one before it.
        reach: int32 []; tokens of a window on either side of these two.
        windows: int32 []; how often windows were merged.
        redone: int32 []; their symbols.
    """

    ids: tf.Tensor
    is_wrong: tf.Tensor
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
        symbols and places, int32 [T] each, in the order of the text.
    """
    return merge_with_effort(symbols, places, table, longest_piece=longest_piece)[:2]


def merge_with_effort(
    symbols: tf.Tensor, places: tf.Tensor, table: PairTable, *, longest_piece: int
) -> tuple[tf.Tensor, tf.Tensor, Effort]:
    """The same as `merge`, symbols and places int32 [T], and what it took."""
    is_joined, ranks = pair_table.look_up(table, symbols, earlier(symbols, by=1, fill=-1))
    guess = rounds.merge(symbols, ranks, table)
    wrong, steps = wrong_tokens(guess, is_joined, table)
    ids, zero = taken(guess.trees.ids, guess.roots), tf.constant(0)

    def corrected() -> tuple[tf.Tensor, ...]:
        size, second = tf.size(symbols), taken(guess.starts, wrong + 1)
        slots = tf.math.unsorted_segment_sum(ids - _INSIDE, guess.starts, size) + _INSIDE
        is_wrong = tf.math.unsorted_segment_sum(tf.ones_like(second), second, size)
        is_start = ~later(is_joined, by=1, fill=False)
        text = _Text(symbols, tf.cumsum(tf.cast(is_start, tf.int32)) - 1, is_start, ranks)
        start = _Tokens(slots, is_wrong, tf.constant(REACH), zero, zero)
        end = _corrected(start, text, table, longest_piece)
        starts = _starts(end.ids)
        return starts, taken(end.ids, starts), end.windows, end.redone

    starts, ids, windows, redone = tf.cond(
        tf.size(wrong) > 0, corrected, lambda: (guess.starts, ids, zero, zero)
    )
    return ids, taken(places, starts), Effort(guess.rounds, guess.work, steps, windows, redone)


def _corrected(tokens: _Tokens, text: _Text, table: PairTable, longest_piece: int) -> _Tokens:
    """The tokens of which each two part."""
    return tf.while_loop(
        lambda now: tf.reduce_max(now.is_wrong) > 0,
        lambda now: (_window_corrected(now, text, table, longest_piece),),
        (tokens,),
    )[0]


def _window_corrected(now: _Tokens, text: _Text, table: PairTable, longest_piece: int) -> _Tokens:
    """The tokens with those near wrong ones merged anew, and whether they still part at the windows' ends."""
    starts, size = _starts(now.ids), tf.size(now.ids)
    in_window = _near(now, starts, text)
    of_symbol = taken(in_window, tf.cumsum(tf.cast(tf.not_equal(now.ids, _INSIDE), tf.int32)) - 1) > 0
    at = places(of_symbol)
    new_starts, new_ids = _merged(text, of_symbol, at, table, longest_piece)
    added = tf.math.unsorted_segment_sum(new_ids - _INSIDE, taken(at, new_starts), size) + _INSIDE
    ids = tf.where(of_symbol, added, now.ids)
    # an end of a window lies before a token of the window, or after one: that token must be the same as before
    before = later(in_window, by=1, fill=0)
    inner = tf.maximum(tf.range(tf.size(starts)) - before * (1 - in_window), 0)
    is_other = tf.not_equal(taken(ids, taken(starts, inner)), taken(now.ids, taken(starts, inner)))
    is_end = tf.not_equal(before, in_window) & ~taken(text.is_start, starts)
    is_wrong = tf.math.unsorted_segment_sum(tf.cast(is_end & is_other, tf.int32), starts, size)
    return _Tokens(ids, is_wrong, now.reach * _WIDER, now.windows + 1, now.redone + tf.size(at))


def _near(now: _Tokens, starts: tf.Tensor, text: _Text) -> tf.Tensor:
    """Int32 [T]: 1 for tokens within reach of a wrong one, in its segment."""
    segments = taken(text.segments, starts)
    wrong = taken(now.is_wrong, starts)
    of_segment = tf.math.unsorted_segment_max(wrong, segments, tf.reduce_max(segments) + 1)
    count, index = tf.concat([[0], tf.cumsum(wrong)], axis=0), tf.range(tf.size(starts))
    first = tf.maximum(index + 1 - now.reach, 0)
    last = tf.minimum(index + 1 + now.reach, tf.size(starts))
    near = taken(count, last) - taken(count, first)
    return tf.cast((near > 0) & (taken(of_segment, segments) > 0), tf.int32)


def _merged(
    text: _Text, in_window: tf.Tensor, at: tf.Tensor, table: PairTable, longest_piece: int
) -> tuple[tf.Tensor, tf.Tensor]:
    """Tokens of all windows: indices into `at` of their first symbols, and ids, int32 [n] each."""
    is_bound = text.is_start | ~later(in_window, by=1, fill=False)
    segments = taken(tf.cumsum(tf.cast(is_bound, tf.int32)), at)
    symbols, is_last = taken(text.symbols, at), tf.not_equal(segments, earlier(segments, by=1, fill=-1))
    ranks = tf.where(is_last, NONE, taken(text.ranks, at))
    if longest_piece > chart.LONGEST_PIECE:
        ids, starts = one_by_one.merge(symbols, segments, ranks, table)
        return starts, ids
    merged = chart.merge(symbols, segments, ranks, table, longest_piece=max(longest_piece, 2))
    return merged.starts, merged.symbols


def _starts(ids: tf.Tensor) -> tf.Tensor:
    return places(tf.not_equal(ids, _INSIDE))
