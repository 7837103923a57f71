"""Branches as functions that are called, so that one which is not taken costs nothing.

TensorFlow otherwise lowers a conditional into its surrounding graph, both branches with it. Then the first
request prepares every decoder of every file type, though it may bring a JPEG alone, and each later request
sends a token of "not taken" through every node of the branches that it does not take. Called as functions,
branches are prepared when they are first taken.

Lowered they stay where an error is to be dropped: in what a dataset maps. Where a called branch raises, it
cancels what else the function runs, and a branch that was about to be called beside it may report
"cancelled" first, which `ignore_errors` does not drop: one damaged file would end the whole request. In one
graph without calls the first error is the one that is reported.
"""

import pathlib
from collections.abc import Iterator, Mapping

from export.tensorflow_formats import FunctionDef, SavedModel

_CONDITIONALS = frozenset({"If", "StatelessIf", "Case", "StatelessCase"})
_LOWERED = "_lower_using_switch_merge"
_MAPS = "MapDataset"


def call_branches(folder: pathlib.Path) -> None:
    """Marks the conditionals of a SavedModel's functions, in place."""
    path = folder / "saved_model.pb"
    saved = SavedModel.FromString(path.read_bytes())
    for graph in saved.meta_graphs:
        functions = {function.signature.name: function for function in graph.graph_def.library.function}
        mapped = _mapped(functions)
        for name, function in functions.items():
            for node in function.node_def:
                if node.op in _CONDITIONALS:
                    node.attr[_LOWERED].b = name in mapped
    path.write_bytes(saved.SerializeToString(deterministic=True))


def _mapped(functions: Mapping[str, FunctionDef]) -> set[str]:
    """Names of the functions that datasets map, and of those that these call."""
    found: set[str] = set()
    waiting = [
        node.attr["f"].func.name
        for function in functions.values()
        for node in function.node_def
        if node.op == _MAPS
    ]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _called(functions[name])
    return found


def _called(function: FunctionDef) -> Iterator[str]:
    """Names of the functions that a function's nodes have as attributes."""
    for node in function.node_def:
        for value in node.attr.values():
            yield from (each.name for each in [value.func, *value.list.func] if each.name)
