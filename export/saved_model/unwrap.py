"""Signatures that are the functions which they call.

`tf.saved_model.save` puts a function around each signature that calls the traced one and hands on its
outputs. Python's loader makes a graph of each function and copies into it every function that is called
there, or by what is called there: around signatures with decoders of all media these copies are a fifth of an
export's memory.
"""

import pathlib
from collections.abc import Mapping
from typing import Any

from export.tensorflow_formats import FunctionDef, SavedModel

_CALLS = frozenset({"PartitionedCall", "StatefulPartitionedCall"})


def unwrap_signatures(folder: pathlib.Path) -> None:
    """Leaves out, in place, the functions of a SavedModel that do no more than call another."""
    path = folder / "saved_model.pb"
    saved = SavedModel.FromString(path.read_bytes())
    for graph in saved.meta_graphs:
        library, objects = graph.graph_def.library, graph.object_graph_def
        functions = {function.signature.name: function for function in library.function}
        tensors, whole = _holding_tensors(objects), _called_from_python(objects)
        called = {
            name: target
            for name in objects.concrete_functions
            if (target := handed_to(functions[name], functions))
            and target not in whole
            and tensors.isdisjoint((name, target))
        }
        for node in graph.graph_def.node:
            for value in node.attr.values():
                if value.func.name in called:
                    value.func.name = called[value.func.name]
        _rename(objects, called)
        kept = [function for name, function in functions.items() if name not in called]
        del library.function[:]
        library.function.extend(kept)
    path.write_bytes(saved.SerializeToString(deterministic=True))


def handed_to(function: FunctionDef, functions: Mapping[str, FunctionDef]) -> str | None:
    """The name of the function that another calls with its own arguments and of which it returns all
    outputs, both in order, if it does nothing else.
    """
    calls = [node for node in function.node_def if node.op in _CALLS]
    if len(calls) != 1 or any(node.op not in _CALLS | {"Identity", "NoOp"} for node in function.node_def):
        return None
    (call,) = calls
    target = functions[call.attr["f"].func.name]
    inputs = [each for each in call.input if not each.startswith("^")]
    sources = {node.name: node.input[0] for node in function.node_def if node.op == "Identity"}
    returned = [function.ret[each.name].split(":")[0] for each in function.signature.output_arg]
    handed = [f"{call.name}:output:{place}" for place in range(len(target.signature.output_arg))]
    is_same = (
        inputs == [each.name for each in function.signature.input_arg]
        and [sources.get(each) for each in returned] == handed
    )
    return target.signature.name if is_same else None


def _holding_tensors(objects: Any) -> set[str]:
    """Names of the functions of which a tensor inside is an object."""
    return {node.captured_tensor.concrete_function for node in objects.nodes}


def _called_from_python(objects: Any) -> set[str]:
    """Names of the traces of Python's functions, which are found by their arguments."""
    return {name for node in objects.nodes for name in node.function.concrete_functions}


def _rename(objects: Any, called: Mapping[str, str]) -> None:
    """Objects that are a function that calls become the one that is called, with the names of the former's
    arguments, and so does whatever was the latter.
    """
    named = {}
    for node in objects.nodes:
        traces = node.function.concrete_functions
        if any(each in called for each in traces):
            traces[:] = [called.get(each, each) for each in traces]
    for each in _bare(objects):
        if each.concrete_function_name in called:
            each.concrete_function_name = called[each.concrete_function_name]
            named[each.concrete_function_name] = each
    for each in _bare(objects):
        each.CopyFrom(named.get(each.concrete_function_name, each))
    for name, target in called.items():
        objects.concrete_functions[target].CopyFrom(objects.concrete_functions[name])
        del objects.concrete_functions[name]


def _bare(objects: Any) -> list[Any]:
    """The objects that are a function without Python's arguments."""
    return [
        node.bare_concrete_function
        for node in objects.nodes
        if node.WhichOneof("kind") == "bare_concrete_function"
    ]
