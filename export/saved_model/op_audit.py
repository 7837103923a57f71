"""Which ops an artifact holds, and whether its runtime has them."""

from collections import Counter
from collections.abc import Iterable

from export.tensorflow_formats import GraphDef

SENTENCEPIECE_OPS = frozenset(
    {
        "SentencepieceOp",
        "SentencepieceTokenizeOp",
        "SentencepieceDetokenizeOp",
        "SentencepieceIdToStringOp",
    }
)
"""tensorflow-text's ops that stock TF Serving links in."""
PYTHON_OPS = frozenset({"PyFunc", "PyFuncStateless", "EagerPyFunc"})
"""Ops that call back into a Python process, which a server does not have."""


def count_ops(graphs: Iterable[GraphDef]) -> Counter[str]:
    """How often each op stands in the graphs, their function libraries included."""
    counts: Counter[str] = Counter()
    for graph in graphs:
        counts.update(node.op for node in graph.node)
        for function in graph.library.function:
            counts.update(node.op for node in function.node_def)
    return counts


def foreign_ops(counts: Counter[str], core_ops: frozenset[str]) -> list[str]:
    """Ops that are neither TensorFlow's own nor SentencePiece's, or that need Python."""
    return sorted(
        op for op in counts if op in PYTHON_OPS or (op not in core_ops and op not in SENTENCEPIECE_OPS)
    )
