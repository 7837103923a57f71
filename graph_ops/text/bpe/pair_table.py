"""A map from pairs of small integers to small integers as constant tensors, looked up with a dozen ops.

A **two-level perfect hash**: a pair falls into a bucket, the bucket's displacement moves the pair to a slot
of its own, and the slot holds the pair and its value. The pair that is looked up is compared with the one in
the slot, so that a miss is exact.

```
bucket = (7919 left + right) mod buckets          one displacement a bucket, chosen when the table is built
slot   = (left + 4099 right + displacement[bucket]) mod slots
slots[slot, 0] = left  + 2**18 × (value mod 2**13)    18 bits and 13 bits: never negative
slots[slot, 1] = right + 2**18 × (value div 2**13)
```

Members of a pair are below 2**18, so no product or sum reaches 2**31. Subtracting `left` from
`slots[slot, 0]` leaves a multiple of 2**18 exactly if the slot holds `left`.
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from graph_ops.text.bpe.arrays import columns, taken

BITS = 18
"""Binary logarithm of the bound of a pair's members and of a value."""
NONE = 2**BITS - 1
"""The value of a pair that is not in a table; no pair of a table holds it as a member."""

_LOW_BITS = 13
_FACTOR, _STEP = 7919, 4099  # primes; 7919 × 2**18 + 2**18 is below 2**31
_LOAD = 0.95
_KEYS_IN_A_BUCKET = 3
_ATTEMPTS = 4_000  # to place the buckets of one size; tables of a quarter of a million keys need some 1,000


class PairTable(NamedTuple):
    """A map of pairs.

    Attributes:
        displacements: int32 [buckets].
        slots: int32 [slots, 2]; the left member and the low bits of the value, the right one and the high
            bits.
    """

    displacements: np.ndarray
    slots: np.ndarray


def build(left: np.ndarray, right: np.ndarray, values: np.ndarray) -> PairTable:
    """The table that maps (left, right) to a value.

    Args:
        left: int [n], 0 … `NONE` - 1.
        right: int [n], likewise; pairs are distinct.
        values: int [n], 0 … `NONE`; `NONE` makes a pair that is there, without a value.

    Raises:
        ValueError: a number is out of range.
    """
    left, right, values = (np.asarray(part, np.int64) for part in (left, right, values))
    for name, part, largest in (
        ("left", left, NONE - 1),
        ("right", right, NONE - 1),
        ("values", values, NONE),
    ):
        if len(part) and not 0 <= part.min() <= part.max() <= largest:
            raise ValueError(
                f"`{name}`: must be in [0, {largest}]; got {part.min()} … {part.max()}. Use a smaller "
                f"vocabulary."
            )
    if not len(left):  # tensors need an element; this one is never asked for
        return build(np.array([NONE - 1]), np.array([NONE - 1]), np.array([NONE]))
    buckets = next_prime(len(left) // _KEYS_IN_A_BUCKET + 1)
    displacements, slot, slots = displace((_FACTOR * left + right) % buckets, left + _STEP * right, buckets)
    source = np.zeros(slots, np.int64)  # of an empty slot: the first pair, so that what a slot holds is true
    source[slot] = np.arange(len(left))
    first = left + (values % 2**_LOW_BITS << BITS)
    second = right + (values >> _LOW_BITS << BITS)
    return PairTable(displacements, np.stack([first, second], axis=1)[source].astype(np.int32))


def look_up(table: PairTable, left: tf.Tensor, right: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Whether each pair is in the table, bool [n], and its value, int32 [n], `NONE` where it is not.

    Args:
        table: arrays or tensors.
        left: int32 [n], -1 … `NONE`; -1 and `NONE` are in no pair.
        right: int32 [n], likewise.
    """
    buckets, slots = (int(part.shape[0]) for part in table)
    bucket = tf.math.floormod(_FACTOR * left + right, buckets)
    slot = tf.math.floormod(left + _STEP * right + taken(table.displacements, bucket), slots)
    first, second = columns(taken(table.slots, slot))
    low, is_left = _value_bits(first - left)
    high, is_right = _value_bits(second - right)
    is_found = is_left & is_right
    return is_found, tf.where(is_found, low + high * 2**_LOW_BITS, NONE)


def _value_bits(difference: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The bits above the 18th, and whether the 18 below are zero."""
    bits = tf.bitwise.right_shift(difference, BITS)
    return bits, tf.equal(bits * 2**BITS, difference)


def displace(
    bucket: np.ndarray, position: np.ndarray, buckets: int, *, at_least: int = 16
) -> tuple[np.ndarray, np.ndarray, int]:
    """Displacements that give each key a slot of its own.

    Args:
        bucket: int64 [n]; bucket of each key.
        position: int64 [n], below 2**30; slot of a key before displacement and modulus.
        buckets: number of buckets.
        at_least: fewest slots.

    Returns:
        displacements int32 [buckets], slot int64 [n] of each key, and the number of slots.
    """
    slots = next_prime(max(int(len(bucket) / _LOAD), at_least))
    while (displacements := _displacements(bucket, position, buckets, slots)) is None:
        slots = next_prime(slots + slots // 16 + 1)
    return displacements.astype(np.int32), (position + displacements[bucket]) % slots, slots


def _displacements(bucket: np.ndarray, position: np.ndarray, buckets: int, slots: int) -> np.ndarray | None:
    """Displacements int64 [buckets], or None if they are not to be found with so many slots. Large buckets
    choose first.
    """
    if len(np.unique(bucket << 32 | position % slots)) < len(bucket):
        return None  # two keys of a bucket are at one position, and no displacement parts them
    sizes = np.bincount(bucket, minlength=buckets)
    order = np.argsort(bucket, kind="stable")
    starts = np.cumsum(sizes) - sizes
    is_free, displacements = np.ones(slots, bool), np.zeros(buckets, np.int64)
    for size in range(int(np.max(sizes)), 1, -1):
        chosen = np.flatnonzero(sizes == size)
        placed = _place(position[order[starts[chosen][:, np.newaxis] + np.arange(size)]], is_free)
        if placed is None:
            return None
        displacements[chosen] = placed
    single = np.flatnonzero(sizes == 1)
    displacements[single] = (np.flatnonzero(is_free)[: len(single)] - position[order[starts[single]]]) % slots
    return displacements


def _place(members: np.ndarray, is_free: np.ndarray) -> np.ndarray | None:
    """Displacements int64 [n] that move members [n, size] to free slots, which are then taken."""
    slots, draw = len(is_free), np.random.default_rng(0)
    found, owner, waiting = np.zeros(len(members), np.int64), np.full(slots, -1), np.arange(len(members))
    for _ in range(_ATTEMPTS):
        if not len(waiting):
            return found
        tried = draw.integers(0, slots, len(waiting))
        target = (members[waiting] + tried[:, np.newaxis]) % slots
        fits = is_free[target].all(axis=1)
        owner[target[fits]] = waiting[fits, np.newaxis]  # of those that want the same slot, the last
        fits &= (owner[target] == waiting[:, np.newaxis]).all(axis=1)
        is_free[target[fits]] = False
        found[waiting[fits]] = tried[fits]
        waiting = waiting[~fits]
    return None


def next_prime(at_least: int) -> int:
    """The smallest prime that is not smaller."""

    def is_prime(number: int) -> bool:
        return all(number % factor for factor in range(2, int(number**0.5) + 1))

    return next(number for number in range(max(at_least, 2), 2 * at_least + 4) if is_prime(number))
