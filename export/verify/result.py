"""Lines of the parity table: how far one step in one runtime is from one reference."""

from typing import Any, NamedTuple

import numpy as np

from export.runtime import Runtime
from graph_ops.family import GEMMA4
from graph_ops.media.medium import Medium
from graph_ops.text.vocabulary.vocabulary import Vocabulary


class Result(NamedTuple):
    """One line of the parity table.

    Attributes:
        step: what was computed.
        runtime: where.
        reference: what it is compared with.
        compared: number of values.
        differing: how many of them are off by more than is allowed.
        largest: the largest difference.
        allowed: the largest that is allowed.
        skipped: why the step was not run, or "".
    """

    step: str
    runtime: str
    reference: str
    compared: int = 0
    differing: int = 0
    largest: float = 0.0
    allowed: float = 0.0
    skipped: str = ""

    @property
    def passed(self) -> bool:
        """Whether nothing differs, or nothing was run."""
        return self.differing == 0


class Subject(NamedTuple):
    """What is compared.

    Attributes:
        runtimes: where it runs.
        vocabulary: the pieces of its ids.
        config: what `get_config` of its preprocessor said.
        num_texts: random texts to compare.
    """

    runtimes: list[Runtime]
    vocabulary: Vocabulary
    config: dict[str, Any]
    num_texts: int

    @property
    def parity(self) -> str:
        """Which reference the rows equal."""
        return self.config["parity"]

    @property
    def family(self) -> str:
        """The name of its model's family."""
        return self.config.get("family", GEMMA4.name)

    def config_of(self, medium: Medium) -> Any:
        """The configuration of a medium's converter, or None without one."""
        return (self.config[medium.converter] or {}).get("config")


def compare(
    step: str, runtime: str, reference: str, ours: Any, theirs: Any, *, allowed: float = 0.0
) -> Result:
    """Counts the values of two arrays, or of two lists of them, that differ by more than is allowed."""
    pairs = [(np.asarray(a), np.asarray(b)) for a, b in zip(ours, theirs, strict=True)]
    compared = differing = 0
    largest = 0.0
    for a, b in pairs:
        compared += b.size
        if a.shape != b.shape:
            differing += max(a.size, b.size, 1)
        elif a.dtype.kind in "fiub" and b.size:
            distance = np.abs(a.astype(np.float64) - b.astype(np.float64))
            largest, differing = (
                max(largest, float(distance.max())),
                differing + int((distance > allowed).sum()),
            )
        else:
            differing += int((a != b).sum())
    return Result(step, runtime, reference, compared, differing, largest, allowed)


def skipped(step: str, reference: str, why: str) -> Result:
    """A step that was not run."""
    return Result(step, "", reference, skipped=why)
