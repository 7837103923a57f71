"""A SavedModel's functions without what they hold twice: less to read, to load and to keep in memory.

Tracing writes each constant, and each computation on the same tensors, as often as Python asks for it, and a
branch or a loop's body as often as it is traced. Loading takes time and memory for each node. So here

* of equal nodes of one function only the first stays, where it has no state and hence the same value;
* a node that hands on its input is left out;
* a node that nothing needs goes;
* of equal functions only the first stays.

What is computed does not change: the nodes that stay are those that there were, on the same values.
"""

import graphlib
import pathlib
from collections.abc import Iterator, Mapping

import tensorflow as tf

from export.tensorflow_formats import (
    FunctionDef,
    GraphDef,
    NodeDef,
    SavedModel,
    is_stateful,
    write_fingerprint,
)

_SHAPES = "_output_shapes"
"""An attribute that is needed where a function ends; elsewhere shape inference finds what it says."""
_HANDLES = (tf.resource.as_datatype_enum, tf.variant.as_datatype_enum)


def fold_saved_model(folder: pathlib.Path) -> None:
    """Folds the functions of a SavedModel in place."""
    path = folder / "saved_model.pb"
    saved = SavedModel.FromString(path.read_bytes())
    for graph in saved.meta_graphs:
        objects = graph.object_graph_def
        captured = [node.captured_tensor for node in objects.nodes if node.HasField("captured_tensor")]
        pinned: dict[str, set[str]] = {name: set() for name in objects.concrete_functions}
        for tensor in captured:
            pinned.setdefault(tensor.concrete_function, set()).add(_node_of(tensor.name))
        fold_functions(graph.graph_def, pinned=pinned)
    path.write_bytes(saved.SerializeToString(deterministic=True))
    write_fingerprint(str(folder))


def fold_functions(graph: GraphDef, *, pinned: Mapping[str, set[str]]) -> None:
    """Folds the functions of a graph's library, in place. Those named in `pinned` stay under their names, and
    in each the nodes that are named there.
    """
    functions = {function.signature.name: function for function in graph.library.function}
    names: dict[str, str] = {}
    first: dict[bytes, str] = {}
    for name in _callees_first(functions, pinned):
        function = functions[name]
        for node in function.node_def:
            _rename_callees(node, names)
        _fold_nodes(function, pinned.get(name, set()))
        names[name] = first.setdefault(_without_names(function), name)
    for node in graph.node:
        _rename_callees(node, names)
    used = {*pinned, *names.values()}
    folded = [functions[name] for name in functions if name in used]
    del graph.library.function[:]
    graph.library.function.extend(folded)


def _callees_first(functions: dict[str, FunctionDef], pinned: Mapping[str, set[str]]) -> Iterator[str]:
    """Names of functions; of those that may be equal the pinned ones first, which stay in any case."""
    calls = {
        name: {callee for node in function.node_def for callee in _callees(node) if callee in functions}
        for name, function in functions.items()
    }
    sorter = graphlib.TopologicalSorter(calls)
    sorter.prepare()
    while sorter.is_active():
        ready = sorted(sorter.get_ready(), key=lambda name: name not in pinned)
        yield from ready
        sorter.done(*ready)


def _callees(node: NodeDef) -> Iterator[str]:
    for value in node.attr.values():
        yield from (each.name for each in (value.func, *value.list.func) if each.name)


def _rename_callees(node: NodeDef, names: dict[str, str]) -> None:
    for value in node.attr.values():
        if value.HasField("func"):
            value.func.name = names.get(value.func.name, value.func.name)
        for each in value.list.func:
            each.name = names.get(each.name, each.name)


def _fold_nodes(function: FunctionDef, pinned: set[str]) -> None:
    """Leaves out what a function's body holds twice or for nothing, but for the pinned nodes."""
    nodes = {node.name: node for node in function.node_def}
    renamed: dict[str, str] = {}
    first: dict[bytes, str] = {}
    folded = []
    for name in _producers_first(nodes):
        node = nodes[name]
        node.ClearField("experimental_debug_info")
        node.input[:] = [_resolved(reference, renamed) for reference in node.input]
        if name in pinned:
            folded.append(node)
        elif _hands_on(node, nodes):
            renamed[name] = node.input[0]
        elif not is_stateful(node.op) and (original := first.setdefault(_value(node), name)) != name:
            renamed[name] = original
        else:
            folded.append(node)
    for outputs in (function.ret, function.control_ret):
        for key, reference in list(outputs.items()):
            outputs[key] = _resolved(reference, renamed)
    _keep_needed(function, folded, pinned)


def _producers_first(nodes: dict[str, NodeDef]) -> Iterator[str]:
    inputs = {
        name: {producer for reference in node.input if (producer := _node_of(reference)) in nodes}
        for name, node in nodes.items()
    }
    return iter(graphlib.TopologicalSorter(inputs).static_order())


def _node_of(reference: str) -> str:
    """The node's or the argument's name in `name`, `name:output:0` or `^name`."""
    return reference.removeprefix("^").split(":")[0]


def _resolved(reference: str, renamed: dict[str, str]) -> str:
    """A reference by what stands now for its node: another node's name, or one of its outputs."""
    name = _node_of(reference)
    if name not in renamed:
        return reference
    target = renamed[name]
    if reference.startswith("^"):
        return f"^{_node_of(target)}"
    if ":" in target or ":" not in reference:
        return target
    return target + reference[len(name) :]


def _hands_on(node: NodeDef, nodes: dict[str, NodeDef]) -> bool:
    """Whether a node does no more than repeat an output of another node, of which as much is known."""
    if node.op != "Identity" or len(node.input) > 1 or node.attr["T"].type in _HANDLES:
        return False
    name, *output = node.input[0].split(":")
    if name not in nodes:  # an argument; a function may not return one as it is
        return False
    known = nodes[name].attr[_SHAPES].list.shape
    place = 0 if len(known) == 1 else int(output[1]) if output[0] == "output" else len(known)
    return place < len(known) and [known[place]] == list(node.attr[_SHAPES].list.shape)


def _value(node: NodeDef) -> bytes:
    """What makes two stateless nodes of a function equal."""
    copy = NodeDef()
    copy.CopyFrom(node)
    copy.name = ""
    return copy.SerializeToString(deterministic=True)


def _keep_needed(function: FunctionDef, nodes: list[NodeDef], pinned: set[str]) -> None:
    """Puts the nodes into a function, without those on which no output and no state depends."""
    ends = {_node_of(reference) for reference in (*function.ret.values(), *function.control_ret.values())}
    ends |= pinned
    needed = set(ends)
    for node in reversed(nodes):
        if node.name in needed or is_stateful(node.op):
            needed |= {node.name, *map(_node_of, node.input)}
    del function.node_def[:]
    for node in nodes:
        if node.name in needed:
            if node.name not in ends:
                node.attr.pop(_SHAPES, None)
            function.node_def.append(node)


def _without_names(function: FunctionDef) -> bytes:
    """What makes two functions equal: everything but the names of the function, its arguments and nodes."""
    copy = FunctionDef()
    copy.CopyFrom(function)
    copy.signature.name = ""
    places: dict[str, str] = {}
    for argument in (*copy.signature.input_arg, *copy.node_def):
        argument.name = places.setdefault(argument.name, f"n{len(places)}")
    for attributes in copy.arg_attr.values():
        attributes.attr.pop("_user_specified_name", None)
    for node in copy.node_def:
        node.input[:] = [_resolved(reference, places) for reference in node.input]
    returned = [copy.ret[argument.name] for argument in copy.signature.output_arg]
    after = [copy.control_ret[name] for name in copy.signature.control_output]
    for place, argument in enumerate(copy.signature.output_arg):
        argument.name = f"o{place}"
    del copy.signature.control_output[:]
    copy.ClearField("ret")
    copy.ClearField("control_ret")
    ends = [_resolved(reference, places) for reference in (*returned, *sorted(after))]
    return copy.SerializeToString(deterministic=True) + "\n".join(ends).encode()
