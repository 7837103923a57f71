"""One preprocessor in a place where it runs, behind one interface, so that `verify` asks all of them the same
questions.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from export.outputs import Arrays

Media = Mapping[str, Sequence[np.ndarray]]
"""Items by the medium's name: pixels uint8 [H, W, 3], samples float32 [T]."""

Files = Mapping[str, Sequence[bytes]]
"""Encoded files by the medium's name."""


class Runtime(Protocol):
    """What can be asked of a preprocessor, whatever runs it."""

    name: str

    def tokenize(self, texts: list[bytes]) -> list[np.ndarray]:
        """The ids of each text."""

    def detokenize(self, rows: np.ndarray) -> list[bytes]:
        """The text of each row of ids int32 [R, L]."""

    def postprocess(self, token_ids: np.ndarray, padding_mask: np.ndarray) -> bytes:
        """The text of a generated row, int32 [1, S] and bool [1, S]."""

    def row(self, prompt: str, media: Media) -> Arrays:
        """The features of one prompt with its media."""

    def row_of_files(self, prompt: str, files: Files) -> Arrays:
        """The same from files."""


def cut(rows: np.ndarray, lengths: np.ndarray) -> list[np.ndarray]:
    """The rows of an array, each without what comes after its length."""
    return [row[:length] for row, length in zip(rows, lengths, strict=True)]
