"""Which tokens of a guess are shown to be right: those that part from the tokens on either side.

For the terms, and for why tokens of which each two in succession part are the only ones, see `chart`. Since a
piece is made of one pair only (see `merge_table`), a token's tree is what merging its characters alone gives.
Whether two tokens are neighbours then follows by taking their last merges apart, the highest rank first:

```
▁the | re     re was whole first, then ▁ and the: is the | re such a pair, its rank not better than ▁the's?
 the | re     then th and e:                      is   e | re one, its rank not better than the's?
   e | re     then r and e:                       is   e | r  one, its rank not better than re's?
```

So it takes no more steps than two tokens hold merges.
"""

from typing import NamedTuple

import tensorflow as tf

from graph_ops.text.bpe import pair_table
from graph_ops.text.bpe.arrays import earlier, places, taken
from graph_ops.text.bpe.pair_table import NONE, PairTable
from graph_ops.text.bpe.rounds import Guess, Trees


class _Pairs(NamedTuple):
    """Pairs that are to be looked at, int32 [n] each, the tokens [m] that do not part, and the steps so far.

    Attributes:
        starts: where the first of the two tokens begins.
        lefts: number of what is left of it in the guess's trees.
        rights: of what is left of the second.
        wrong: where tokens begin that do not part from the one after them.
        steps: int32 [].
    """

    starts: tf.Tensor
    lefts: tf.Tensor
    rights: tf.Tensor
    wrong: tf.Tensor
    steps: tf.Tensor


def wrong_tokens(guess: Guess, table: PairTable) -> tuple[tf.Tensor, tf.Tensor]:
    """The tokens that are not shown to part from the one after them.

    Args:
        guess: tokens.
        table: (left id, right id) to the merged piece's id.

    Returns:
        Where they begin, int32 [m] in any order, and the steps that it took, int32 [].
    """
    roots, following = guess.roots, earlier(guess.roots, by=1, fill=0)
    is_inside = tf.equal(guess.segments, earlier(guess.segments, by=1, fill=-1))
    is_merged = tf.maximum(taken(guess.trees.worst, roots), taken(guess.trees.worst, following)) > 0
    tokens = places(is_inside & is_merged & (guess.ranks >= NONE))
    unfinished = taken(guess.starts, places(guess.ranks < NONE))
    starts, lefts, rights = (taken(part, tokens) for part in (guess.starts, roots, following))
    flat, scalar = tf.TensorShape([None]), tf.TensorShape([])
    end = tf.while_loop(
        lambda now: tf.size(now.starts) > 0,
        lambda now: (_step(now, guess.trees, table),),
        (_Pairs(starts, lefts, rights, unfinished, tf.constant(0)),),
        shape_invariants=(_Pairs(flat, flat, flat, flat, scalar),),
    )[0]
    return end.wrong, end.steps


def _step(now: _Pairs, trees: Trees, table: PairTable) -> _Pairs:
    """Takes the last merge of each pair apart."""
    left, right = taken(trees.worst, now.lefts), taken(trees.worst, now.rights)
    is_left_last = left > right
    last, worst = tf.where(is_left_last, now.lefts, now.rights), tf.maximum(left, right)
    lefts = tf.where(is_left_last, taken(trees.rights, last), now.lefts)
    rights = tf.where(is_left_last, now.rights, taken(trees.lefts, last))
    rank, left_bound = taken(trees.ids, last), taken(trees.left_bounds, last)
    # of a right part that is whole later than a left one, the right bound is that of its worst merge
    right_bound = tf.where(tf.equal(left_bound, rank), worst, rank + 1)
    _, between = pair_table.look_up(table, taken(trees.ids, lefts), taken(trees.ids, rights))
    merges_first = between < tf.where(is_left_last, left_bound, right_bound)
    is_left = tf.maximum(taken(trees.worst, lefts), taken(trees.worst, rights)) > 0
    kept = places(is_left & ~merges_first)
    wrong = tf.concat([now.wrong, taken(now.starts, places(merges_first))], axis=0)
    starts, lefts, rights = (taken(part, kept) for part in (now.starts, lefts, rights))
    return _Pairs(starts, lefts, rights, wrong, now.steps + 1)
