"""Branches as functions that are called, so that one which is not taken costs nothing.

TensorFlow otherwise lowers a conditional into its surrounding graph, both branches with it. Then the first
request prepares every decoder of every file type, though it may bring a JPEG alone, and each later request
sends a token of "not taken" through every node of the branches that it does not take. Called as functions,
branches are prepared when they are first taken.
"""

import pathlib

from export.tensorflow_formats import SavedModel

_CONDITIONALS = frozenset({"If", "StatelessIf", "Case", "StatelessCase"})
_LOWERED = "_lower_using_switch_merge"


def call_branches(folder: pathlib.Path) -> None:
    """Marks the conditionals of a SavedModel's functions, in place."""
    path = folder / "saved_model.pb"
    saved = SavedModel.FromString(path.read_bytes())
    for graph in saved.meta_graphs:
        for function in graph.graph_def.library.function:
            for node in function.node_def:
                if node.op in _CONDITIONALS:
                    node.attr[_LOWERED].b = False
    path.write_bytes(saved.SerializeToString(deterministic=True))
