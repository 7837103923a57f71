"""What there is to know of a medium: one value each, from which everything else is derived."""

import dataclasses
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from graph_ops.config import MEDIUM_CONFIGS, RowConfig, converter_argument
from graph_ops.faults import Fault


@dataclasses.dataclass(frozen=True)
class Option:
    """An input that says something of items, and may be left out."""

    name: str
    dtype: tf.DType
    shape: tuple[int | None, ...]
    """Of one item's."""
    unknown: int
    """What stands where nothing is said."""
    meaning: str
    """For readers."""


@dataclasses.dataclass(frozen=True)
class Medium:
    """One kind of thing, besides text, that a prompt may hold."""

    name: str
    """Of one item; `preprocess_<name>`, `<name>_converter` and `<name>_soft_tokens` are called after it."""
    argument: str
    """Key of the items in what a caller passes, and name of the input in signatures."""
    sizes: str
    """The same for the true sizes of items that are arrays."""
    group: str
    """Of its features in the table of features; `<group>_indices` and `<group>_mask` are called after it."""
    values: str
    """Feature that the model's encoder computes on."""
    marks: str
    """Feature that tells what of the values is there and what is padding."""
    item_shape: tuple[int | None, ...]
    """Of one item as an array; None for the axes that vary from item to item, which come first."""
    dtype: tf.DType
    """Of an item as an array."""
    item: str
    """What a caller may pass as an item, for error messages."""
    array: str
    """What an array of items is, for readers of a signature."""
    size: str
    """What an item's true size is, for readers of a signature."""
    files: str
    """What kinds of files are decoded, for readers."""
    slots: str
    """Field of `RowConfig` that says how many items a row may hold."""
    count_fault: Fault
    """A row with more or fewer placeholders than items."""
    limit_fault: Fault
    """A row with more items than slots."""
    encode_files: Callable[..., Any]
    """(files string [N], *, config, parity) -> values, marks, soft tokens and findings of N items."""
    encode_arrays: Callable[..., Any]
    """(arrays [N, …], sizes int32 [N(, axes)], *, config, parity, target) -> the same."""
    count_sizes: Callable[..., Any]
    """(sizes int32 [N(, axes)], *, config, parity, target) -> soft tokens int32 [N] of items of these sizes,
    and their findings; with frames, what follows these in what `encode_files` returns.
    """
    decode_on_host: Callable[[bytes], bytes]
    """A file of another kind, as one that is decoded, if libraries of the host can; else the file itself."""
    count: Callable[[tf.Tensor, Any], tf.Tensor]
    """(marks [B, K, …], config) -> soft tokens int32 [B, K] of items that were converted before; 0 for
    none.
    """
    fixed_soft_tokens: Callable[[RowConfig], int | None]
    """Soft tokens that every item takes in a row, or None if each takes as many as it has."""
    block: Callable[[RowConfig, Any], int]
    """Most soft tokens of an item: the width of its block in the indices."""
    dims: Callable[[RowConfig, Any], dict[str, int]]
    """Sizes of the letters of `features.DIMS` that its features use."""
    is_trimmed: bool
    """Whether KerasHub's class makes its tensors only as wide as the batch needs."""
    budget: str | None = None
    """Key and input that choose, for each item, most soft tokens below the preprocessor's own; its functions
    then take `budgets`, int32 [N], behind the items. None where an item has no such choice.
    """
    frames_per_soft_token: Callable[[Any], int] | None = None
    """Entries of an item's values that one soft token is made of, where they are trimmed with it."""
    frames: Callable[[Any], int] | None = None
    """Frames that an item is made of, each of which has its own place in a row; None for a medium without."""
    options: tuple[Option, ...] = ()
    """What may be said of items besides their sizes."""

    @property
    def config(self) -> type:
        """Its frozen configuration, which has `max_soft_tokens`."""
        return MEDIUM_CONFIGS[self.name]

    @property
    def converter(self) -> str:
        """Argument of the preprocessor that says how items are converted."""
        return converter_argument(self.name)

    @property
    def soft_tokens(self) -> str:
        """Input that takes the soft tokens of items that were converted before."""
        return f"{self.name}_soft_tokens"

    @property
    def indices(self) -> str:
        """Feature with the positions of soft tokens."""
        return f"{self.group}_indices"

    @property
    def mask(self) -> str:
        """Feature that is True on soft tokens."""
        return f"{self.group}_mask"

    @property
    def file_shape(self) -> tuple[None, ...]:
        """Of an item that is files: none for one file, an axis where each frame has its own."""
        return (None,) if self.frames else ()

    @property
    def varying(self) -> int:
        """How many axes of an item vary: the numbers of its size."""
        return self.item_shape.count(None)

    def is_filled(self, sizes: tf.Tensor) -> tf.Tensor:
        """Bool [B, K]: which slots hold an item, from sizes int32 [B, K(, axes)]."""
        return sizes > 0 if self.varying == 1 else tf.reduce_any(tf.not_equal(sizes, 0), axis=-1)

    def has_files(self, files: tf.Tensor) -> tf.Tensor:
        """Bool [B, K]: which slots hold an item, from files string [B, K, *file_shape]."""
        filled = tf.not_equal(files, "")
        return tf.reduce_any(filled, axis=2) if self.frames else filled

    def num_slots(self, row: RowConfig) -> int:
        """Items that a row may hold."""
        return getattr(row, self.slots)
