r"""A cut that two bytes do not show: behind several spaces, where each run of them is a user-defined symbol.

```
\n ␣ ␣ ␣ ␣ i f    the four spaces are one symbol, so that nothing joins the last of them and what follows
```

User-defined symbols are put in before anything merges, from left to right, the longest first. Let 2 … L
spaces each be one, and no other symbol hold a space. Then a run of 2 … L spaces is one symbol, and a token
ends where the run does. A longer run is taken L at a time, and a single space may be left over; there no cut
is made. A `▁` in the text is a space too, so a byte that could be one's is taken for one.
"""

from collections.abc import Collection

import tensorflow as tf

from graph_ops.text.bpe.arrays import later
from graph_ops.text.vocabulary.sentencepiece_model import SPACE

_SPACE_BYTES = (0x20, *SPACE.encode())
_MOST = 32
"""Elements that are looked back at. Ours: longer runs are rare, and each doubling takes three more steps."""


def longest(user_defined: Collection[str]) -> int:
    """The longest run of spaces up to which each of two or more is a user-defined symbol; 0 where there is
    none, or another symbol holds a space.
    """
    with_spaces = {symbol for symbol in user_defined if SPACE in symbol}
    length = 1
    while SPACE * (length + 1) in with_spaces:
        length += 1
    only_runs = all(set(symbol) == {SPACE} for symbol in with_spaces)
    return length if length > 1 and only_runs and SPACE not in with_spaces else 0


def ends(stream: tf.Tensor, following: tf.Tensor, *, longest: int) -> tf.Tensor:
    """Bool [N]: which elements end a run of 2 … `longest` spaces in front of a visible ASCII character.

    Args:
        stream: int32 [N]; bytes and separators.
        following: int32 [N]; the element after each.
        longest: see the function of that name.
    """
    is_space = tf.equal(stream, _SPACE_BYTES[0])
    is_run = is_space & later(is_space, by=1, fill=False)
    is_end = is_run & (following > _SPACE_BYTES[0]) & (following < 0x80)
    bounds_run = tf.reduce_all([tf.not_equal(stream, byte) for byte in _SPACE_BYTES], axis=0)
    reach = 1  # whether one of so many elements, the last of them this one, bounds a run
    while reach < min(longest + 1, _MOST):
        step = min(reach, min(longest + 1, _MOST) - reach)
        bounds_run |= later(bounds_run, by=step, fill=True)
        reach += step
    return is_end & bounds_run
