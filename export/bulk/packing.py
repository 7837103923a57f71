"""Several samples in one row, and back.

sample a   <bos> a a <eos>   sample b  <bos> b <eos>
row        <bos> a a <eos> <bos> b <eos> <pad> …
segment    1     1 1 1     2     2 2     0
position   0     1 2 3     0     1 2     0
"""

import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from export.bulk.schema import COUNT, Tensor
from export.outputs import Arrays
from graph_ops.features import BY_NAME
from graph_ops.media.medium import Medium

SEGMENTS = "segment_ids"
"""Feature that is 1, 2, … on the samples of a row, and 0 on padding."""
_OPEN = 16
"""Rows that wait for more samples; they are in memory."""


class Packed(NamedTuple):
    """A row that holds several samples.

    Attributes:
        key: JSON list of the samples' keys.
        row: tensors by name.
    """

    key: str
    row: Arrays


def packed_tensors(tensors: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """The tensors of packed rows, from those of rows of one sample."""
    (ids,) = (tensor for tensor in tensors if tensor.name == "token_ids")
    segments = Tensor(SEGMENTS, "int32", ids.shape, 0, "int32")
    kept = (dataclasses.replace(each, padding=0) if each.padding == COUNT else each for each in tensors)
    return (*kept, segments)


@dataclasses.dataclass
class _Open:
    """A row that has room."""

    keys: list[str]
    rows: list[Arrays]
    used: int
    slots: dict[str, int]


class Packer:
    """Puts each sample into the first open row that has room for its tokens and media.

    Rows depend on the samples and their order alone.
    """

    def __init__(self, tensors: Sequence[Tensor], media: Sequence[Medium]) -> None:
        self._tensors = {tensor.name: tensor for tensor in tensors}
        self._media = media
        self._length = self._tensors["token_ids"].shape[0]
        self._open: list[_Open] = []

    def add(self, key: str, row: Arrays) -> Iterator[Packed]:
        """Takes a sample's row; gives the rows that are full."""
        length = int(np.count_nonzero(row["padding_mask"]))
        items = {medium.name: _items(row, medium) for medium in self._media}
        place = next((each for each in self._open if self._fits(each, length, items)), None)
        if place is None:
            if len(self._open) == _OPEN:
                fullest = max(self._open, key=lambda each: each.used)
                self._open.remove(fullest)
                yield self._joined(fullest)
            place = _Open([], [], 0, dict.fromkeys(items, 0))
            self._open.append(place)
        place.keys.append(key)
        place.rows.append(row)
        place.used += length
        place.slots = {name: place.slots[name] + number for name, number in items.items()}
        if place.used == self._length:
            self._open.remove(place)
            yield self._joined(place)

    def finish(self) -> Iterator[Packed]:
        """The rows that are left, in the order in which they were opened."""
        for each in self._open:
            yield self._joined(each)
        self._open = []

    def _fits(self, place: _Open, length: int, items: Mapping[str, int]) -> bool:
        slots = {medium.name: self._tensors[medium.values].shape[0] for medium in self._media}
        return place.used + length <= self._length and all(
            place.slots[name] + number <= slots[name] for name, number in items.items()
        )

    def _joined(self, place: _Open) -> Packed:
        packed = {
            tensor.name: tensor.pad()
            if tensor.name != "position_ids"
            else np.zeros(tensor.shape, tensor.dtype)
            for tensor in self._tensors.values()
        }
        for name, tensor in self._tensors.items():
            if tensor.stored != tensor.dtype:  # a compact export's pixels
                given = [row[name].dtype for row in place.rows if name in row]
                packed[name] = packed[name].astype(given[0] if given else tensor.stored)
        packed[SEGMENTS] = np.zeros(self._length, np.int32)
        begin, slots = 0, dict.fromkeys(place.slots, 0)
        for number, row in enumerate(place.rows, 1):
            end = begin + int(np.count_nonzero(row["padding_mask"]))
            for name in packed.keys() & row.keys():
                if BY_NAME[name].dims == ("B", "S"):
                    packed[name][begin:end] = row[name][: end - begin]
            packed[SEGMENTS][begin:end] = number
            for medium in self._media:
                slots[medium.name] += _move(row, packed, medium, begin, slots[medium.name])
            begin = end
        return Packed(json.dumps(place.keys), packed)


def unpack(row: Arrays, tensors: Sequence[Tensor], media: Sequence[Medium]) -> list[Arrays]:
    """The rows of a packed row's samples, each as it was before.

    Args:
        row: packed, as the class has its tensors.
        tensors: of rows of one sample.
        media: that rows hold.
    """
    rows = []
    for number in range(1, int(row[SEGMENTS].max(initial=0)) + 1):
        (places,) = np.nonzero(row[SEGMENTS] == number)
        begin, end = int(places[0]), int(places[-1]) + 1
        single = {tensor.name: tensor.pad() for tensor in tensors}
        for name in single:
            if BY_NAME[name].dims == ("B", "S"):
                single[name][: end - begin] = row[name][begin:end]
        for medium in media:
            _take(row, single, medium, begin, end)
        rows.append(single)
    return rows


def _items(row: Arrays, medium: Medium) -> int:
    """How many items a row has: slots with soft tokens."""
    if medium.indices not in row:
        return 0
    return int(_blocks(row, medium).any(axis=1).sum())


def _blocks(row: Arrays, medium: Medium) -> np.ndarray:
    """The positions of soft tokens, [slots, tokens]."""
    slots = row[medium.values].shape[0]
    return row[medium.indices].reshape(slots, -1)


def _move(row: Arrays, packed: Arrays, medium: Medium, begin: int, slot: int) -> int:
    """Copies a sample's items into the slots from `slot` on; returns how many."""
    number = _items(row, medium)
    if number:
        block = _blocks(row, medium)[:number]
        _blocks(packed, medium)[slot : slot + number] = np.where(block > 0, block + begin, 0)
        for name in (medium.values, medium.marks):
            packed[name][slot : slot + number] = row[name][:number]
    return number


def _take(row: Arrays, single: Arrays, medium: Medium, begin: int, end: int) -> None:
    """Copies the items of the soft tokens from `begin` to `end` into a sample's row."""
    block = _blocks(row, medium)
    first = block.max(axis=1)
    (mine,) = np.nonzero((first > begin) & (first < end))
    number = len(mine)
    _blocks(single, medium)[:number] = np.where(block[mine] > 0, block[mine] - begin, 0)
    for name in (medium.values, medium.marks):
        single[name][:number] = row[name][mine]
