"""Outputs of one runtime beside those of another, byte for byte, and the table of it."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table

from tools.compatibility.bare import unpack
from tools.write_docs import markdown_table

Packed = Mapping[str, Mapping[str, list[Any]]]
"""Arrays by label and name, each as `pack` writes it."""


class Comparison(NamedTuple):
    """How one runtime's outputs stand to another's.

    Attributes:
        equal: number of outputs with the same bytes.
        total: number of outputs.
        differences: by label and output, the largest absolute difference, or what differs besides.
    """

    equal: int
    total: int
    differences: dict[str, float | str]


class Row(NamedTuple):
    """One artifact in one runtime.

    Attributes:
        artifact: what was loaded.
        runtime: what loaded it, with its version.
        versions: of that environment, by package.
        comparison: with this environment's own outputs.
        errors: what did not load or run, by label.
    """

    artifact: str
    runtime: str
    versions: Mapping[str, str]
    comparison: Comparison
    errors: Mapping[str, str]

    @property
    def is_good(self) -> bool:
        """Whether it ran, and nothing but log-mel differs, which is sums of floats."""
        return not self.errors and all(name.endswith("audio_mel") for name in self.comparison.differences)


def compare(found: Packed, expected: Packed) -> Comparison:
    """Every output of `found` beside the same of `expected`, byte for byte."""
    pairs = {
        f"{label}: {name}": (found.get(label, {}).get(name), packed)
        for label, outputs in expected.items()
        for name, packed in outputs.items()
    }
    differences = {label: _difference(one, other) for label, (one, other) in pairs.items() if one != other}
    return Comparison(len(pairs) - len(differences), len(pairs), differences)


def _difference(found: list[Any] | None, expected: list[Any]) -> float | str:
    if found is None:
        return "missing"
    one, other = unpack(found), unpack(expected)
    if (one.dtype, one.shape) != (other.dtype, other.shape):
        return f"{found[0]} {found[2]} beside {expected[0]} {expected[2]}"
    if other.dtype == object:
        return f"{np.sum(one != other)} of {other.size} strings"
    return float(np.max(np.abs(one.astype(np.float64) - other.astype(np.float64))))


def summary(row: Row) -> str:
    """What differs, a tensor at a time, or why nothing ran."""
    if row.errors:
        label, error = next(iter(row.errors.items()))
        where = "does not load" if label == "load" else f"{len(row.errors)} calls fail, the first {label}"
        return f"{where}: {error}"
    by_name: dict[str, list[float | str]] = {}
    for label, difference in row.comparison.differences.items():
        by_name.setdefault(label.rpartition(": ")[2], []).append(difference)
    return "; ".join(f"{name} {_largest(found)}" for name, found in by_name.items()) or "none"


def _largest(differences: Sequence[float | str]) -> str:
    words = [each for each in differences if isinstance(each, str)]
    return words[0] if words else f"≤ {max(map(float, differences)):.1e}"


HEADER = ("artifact", "runtime", "equal outputs", "differences")


def cells(row: Row) -> tuple[str, ...]:
    """What HEADER names."""
    equal = f"{row.comparison.equal} of {row.comparison.total}"
    return row.artifact, row.runtime, equal, re.sub(r"\s+", " ", summary(row))


def show(rows: Iterable[Row], *, as_json: bool, as_markdown: bool) -> int:
    """Prints a table for people, for a page, or all of it for a script; 1 if a row is not good."""
    rows = list(rows)
    if as_json:
        print(
            json.dumps([row._asdict() | {"comparison": row.comparison._asdict()} for row in rows], indent=2)
        )
    elif as_markdown:
        print(markdown_table(HEADER, map(cells, rows)))
    else:
        table = Table(*HEADER)
        for row in rows:
            table.add_row(*cells(row))
        Console().print(table)
    return int(not all(row.is_good for row in rows))
