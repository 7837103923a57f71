"""What commands print, as tables for people and as plain rows for scripts."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from rich.table import Table
from rich.text import Text

from export.artifact import Requirements, TensorRow
from export.litert.signatures import INPUTS as DEVICE_INPUTS
from export.litert.signatures import OUTPUTS as DEVICE_OUTPUTS
from export.outputs import TENSOR_COLUMNS, runs, soft_token_counts
from export.saved_model.signatures import ARRAY_INPUTS, INPUTS, PLAIN_OUTPUTS
from graph_ops.features import BY_NAME

_ORDER = list(
    dict.fromkeys([*INPUTS, *ARRAY_INPUTS, *DEVICE_INPUTS, *BY_NAME, *PLAIN_OUTPUTS, *DEVICE_OUTPUTS])
)


def in_order(rows: list[TensorRow]) -> list[TensorRow]:
    """Signatures as they come, the tensors of each side of one in the order of the tables."""
    sides = {(row.signature, row.direction): place for place, row in reversed(list(enumerate(rows)))}
    return sorted(rows, key=lambda row: (sides[row.signature, row.direction], _place(row.name)))


def signature_table(rows: list[TensorRow]) -> Table:
    """The rows, a signature's name shown once."""
    table = Table("signature", "", "name", "dtype", "shape", box=None, pad_edge=False)
    previous = ("", "")
    for row in rows:
        current = (row.signature, row.direction)
        is_new = current[0] != previous[0]
        if is_new and previous[0]:
            table.add_row()
        side = {"input": "in", "output": "out"}[row.direction] if current != previous else ""
        table.add_row(row.signature if is_new else "", side, row.name, row.dtype, _shape(row.shape))
        previous = current
    return table


def requirement_lines(needs: Requirements) -> Text:
    """Versions, the ops that a runtime does not bring, and every op's version where ops have versions."""
    text = Text("needs: ")
    text.append(", ".join(f"{name} {value}" for name, value in needs.facts.items()))
    text.append(f"\nops: {len(needs.ops)} kinds, ")
    text.append(f"beyond the runtime's own: {', '.join(needs.foreign) or 'none'}")
    versioned = [op for op in needs.ops if op.version is not None]
    if versioned:
        text.append("\nversions of ops: ")
        text.append(", ".join(f"{op.name} {op.version}" for op in versioned))
    return text


def tensor_table(outputs: dict[str, np.ndarray]) -> Table:
    """Name, dtype, shape and range of each tensor."""
    table = Table(*TENSOR_COLUMNS, box=None, pad_edge=False)
    for cells in tensor_cells(outputs):
        table.add_row(*cells)
    return table


def tensor_cells(outputs: dict[str, np.ndarray]) -> Iterator[tuple[str, ...]]:
    """What `TENSOR_COLUMNS` name, of each tensor."""
    for name, value in _ordered(outputs):
        numbers = value.size and value.dtype != object
        low, high = (f"{value.min():.4g}", f"{value.max():.4g}") if numbers else ("", "")
        dtype = "string" if value.dtype == object else value.dtype.name
        yield name, dtype, _shape(value.shape), low, high


class Row(NamedTuple):
    """Ids of a row, and the piece of each id."""

    ids: np.ndarray
    pieces: Sequence[str] | Mapping[int, str]


def answer_parts(outputs: dict[str, np.ndarray], row: Row | None) -> Iterator[Any]:
    """What came out of a request to print, part by part: ids with their pieces, soft tokens of each medium,
    the table of tensors.
    """
    for text in outputs.get("text", ()):
        yield Text(f"text: {text.decode('utf-8', 'replace')}")
    if row:
        yield token_lines(*row)
        for medium, lengths in soft_token_counts(*row).items():
            if lengths:
                yield f"soft tokens per {medium}: {', '.join(map(str, lengths))}"
    yield tensor_table(outputs)


def answer_json(outputs: dict[str, np.ndarray], row: Row | None) -> dict[str, Any]:
    """The same as plain values."""
    document: dict[str, Any] = {}
    if "text" in outputs:
        document["text"] = [text.decode("utf-8", "replace") for text in outputs["text"]]
    if row:
        document |= {
            "token_ids": row.ids.tolist(),
            "pieces": [row.pieces[token] for token in row.ids.tolist()],
        }
        document["soft_tokens"] = soft_token_counts(*row)
    return document | {
        "tensors": {
            name: {"dtype": str(value.dtype), "shape": value.shape} for name, value in _ordered(outputs)
        }
    }


def token_lines(ids: np.ndarray, pieces: Sequence[str] | Mapping[int, str]) -> Text:
    """Ids with their pieces, runs of one id as `id piece ×n`."""
    text = Text("tokens: ")
    for start, end in runs(ids):
        piece = pieces[ids[start]].replace("\n", "\\n")
        text.append(f"{ids[start]}", style="dim").append(f" {piece}", style="bold")
        text.append(f" ×{end - start}  " if end - start > 1 else "  ")
    return text


def parity_table(results: list[Any]) -> Table:
    """One line a step and runtime: how much was compared, how much differs, the largest difference, and the
    verdict.
    """
    table = Table(
        "step", "in", "reference", "compared", "differing", "largest", "allowed", "", box=None, pad_edge=False
    )
    for column in table.columns[3:7]:
        column.justify = "right"
    for result in results:
        if result.skipped:
            table.add_row(
                result.step, "", result.reference, result.skipped, "", "", "", Text("not run", style="yellow")
            )
            continue
        verdict = Text("ok", style="green") if result.passed else Text("FAR", style="red")
        table.add_row(
            result.step,
            result.runtime,
            result.reference,
            f"{result.compared:,}",
            f"{result.differing:,}",
            f"{result.largest:.2g}",
            f"{result.allowed:.2g}",
            verdict,
        )
    return table


_PLACES = {name: place for place, name in enumerate(_ORDER)}


def _place(name: str) -> float:
    """In the order of the tables; what a model returns, with names of its own, before the status."""
    return _PLACES.get(name, _PLACES["status"] - 0.5)


def _ordered(outputs: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return sorted(outputs.items(), key=lambda item: _place(item[0]))


def _shape(shape: Any) -> str:
    return "[" + ", ".join("?" if size is None else str(size) for size in shape) + "]"
