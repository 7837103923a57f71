"""Samples that become vectors: what a job asks of an artifact that embeds, and what a row then holds."""

from typing import NamedTuple

import numpy as np

from export.bulk.schema import Tensor
from export.outputs import Arrays

SIGNATURE = "embed"
VECTOR = "embeddings"
"""Output of the signature, and the one tensor of a row."""


class Embedding(NamedTuple):
    """How the samples of a job are embedded.

    Attributes:
        task: name of what the vectors are for, "" for none.
        size: numbers that are kept of each; 0 for all.
    """

    task: str
    size: int

    def inputs(self, prompts: np.ndarray) -> dict[str, np.ndarray]:
        """Inputs of the signature, besides media, for texts, object [B]."""
        rows = len(prompts)
        return {
            "texts": prompts,
            "tasks": np.full(rows, self.task.encode(), object),
            "truncate_dim": np.full(rows, self.size, np.int32),
        }

    def row(self, outputs: Arrays) -> Arrays:
        """The row of a sample: as much of its vector, float32 [D], as is kept."""
        return {VECTOR: outputs[VECTOR][: self.size or None]}

    def tensors(self, row: Arrays) -> tuple[Tensor, ...]:
        """The tensors of rows such as this one."""
        vector = row[VECTOR]
        return (Tensor(VECTOR, vector.dtype.name, vector.shape, 0.0, vector.dtype.name),)


def check_embedding(columns: tuple[str, ...], *, labels: bool, pack: bool) -> None:
    """Whether samples can be embedded.

    Args:
        columns: texts that every row has.
        labels: whether rows are to have labels.
        pack: whether several samples are to share a row.

    Raises:
        ValueError: they cannot.
    """
    if columns != ("prompts",):
        raise ValueError(
            f"`input`: rows to embed must have prompts alone; they have {' and '.join(columns)}. Rename or "
            "drop the others."
        )
    for name, wanted in (("labels", labels), ("pack", pack)):
        if wanted:
            raise ValueError(f"`{name}`: must be left out for a model that embeds. Leave it out.")
