"""Gathers in the form that LiteRT runs fast.

The steps take elements of a tensor by `tf.gather_nd`, of which TensorFlow makes one loop over memory. LiteRT
has its loop in GATHER, which there takes a third of GATHER_ND's time, while TensorFlow's calls a function for
each element. Both give the same: the index [n, 1] of a place is the place [n].
"""

import pathlib

import numpy as np
import tensorflow as tf

from export.tensorflow_formats import FunctionDef, NodeDef, SavedModel

_AXIS = "gathers/axis"


def use_gather(folder: pathlib.Path) -> None:
    """Rewrites a SavedModel in place: GatherV2 for each GatherNd of places along the first dim."""
    path = folder / "saved_model.pb"
    saved = SavedModel.FromString(path.read_bytes())
    for graph in saved.meta_graphs:
        for function in graph.graph_def.library.function:
            _rewrite(function)
    path.write_bytes(saved.SerializeToString(deterministic=True))


def _rewrite(function: FunctionDef) -> None:
    nodes = {node.name: node for node in function.node_def}
    gathers = [node for node in function.node_def if node.op == "GatherNd"]
    found = [(node, places) for node in gathers if (places := _places(node, nodes))]
    if found:
        function.node_def.append(_axis())
    for node, places in found:
        node.op = "GatherV2"
        node.input[:] = [node.input[0], places, f"{_AXIS}:output:0", *node.input[2:]]
        node.attr["Taxis"].type = tf.int32.as_datatype_enum
        node.attr["batch_dims"].i = 0
        node.attr.pop("bad_indices_policy", None)


def _places(gather: NodeDef, nodes: dict[str, NodeDef]) -> str | None:
    """The reference to the places [n] of which a gather's indices [n, 1] are made; None of other indices."""
    indices = nodes.get(gather.input[1].split(":")[0])
    if indices is None or indices.op != "ExpandDims":
        return None
    axis = nodes.get(indices.input[1].split(":")[0])
    is_last = axis is not None and axis.op == "Const" and tf.make_ndarray(axis.attr["value"].tensor) == -1
    return indices.input[0] if is_last else None


def _axis() -> NodeDef:
    node = NodeDef(name=_AXIS, op="Const")
    node.attr["dtype"].type = tf.int32.as_datatype_enum
    node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(np.int32(0)))
    return node
