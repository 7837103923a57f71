"""Blocks of a model that do the same with other weights, as one function of the graph.

A model of 35 blocks holds most of its ops 35 times, and TensorFlow a copy of them for each signature, while a
SavedModel is traced, written, read and run. Here blocks that trace to the same ops call one function, each
with its own weights. The ops that run, and their order, are the same.
"""

import contextlib
import functools
import hashlib
from collections.abc import Callable, Iterator
from typing import Any

import keras
import tensorflow as tf

from export.fusing.replacing import replaced

LEAST = 2
"""Blocks that make it worth while."""
_NAME = "_user_specified_name"
"""Attribute of a node that only names it."""


@contextlib.contextmanager
def shared_blocks(model: Any) -> Iterator[None]:
    """While it lasts, the repeated blocks of the model trace to functions that they share, in this thread."""
    known: dict[bytes, Any] = {}
    with contextlib.ExitStack() as stack:
        for block in repeated_blocks(model):
            make = functools.partial(_shared, block, known=known)
            stack.enter_context(replaced(block, "call", make))
        yield


def repeated_blocks(model: Any) -> list[keras.layers.Layer]:
    """The layers that a model, or a layer in it, holds in lists of one class; not those inside of such."""
    found: dict[int, Any] = {}
    seen: dict[int, Any] = {}
    waiting = [model]
    while waiting:
        layer = waiting.pop()
        if not _is_layer(layer) or id(layer) in found | seen:
            continue
        seen[id(layer)] = layer
        waiting += layer.layers if isinstance(layer, keras.Model) else []
        for name, held in vars(layer).items():
            waiting.append(held)
            if not name.startswith("_") and _is_of_one_class(held):
                found |= {id(block): block for block in held}
    return list(found.values())


def same_ops(graph: Any) -> bytes:
    """A digest that graphs of functions have in common if their ops, constants and outputs are the same,
    whatever their names.
    """
    digest, places = hashlib.sha256(), {}
    for place, node in enumerate(graph.as_graph_def().node):
        places[node.name] = str(place)
        keys = sorted(node.attr.keys() - {_NAME})
        values = [(key, node.attr[key].SerializeToString(deterministic=True)) for key in keys]
        digest.update(repr((node.op, values, [_source(name, places) for name in node.input])).encode())
    outputs = tf.nest.map_structure(
        lambda output: _source(output.name, places) if tf.is_tensor(output) else output,
        graph.structured_outputs,
    )
    digest.update(repr(outputs).encode())
    return digest.digest()


def _is_of_one_class(held: Any) -> bool:
    is_list = isinstance(held, list) and len(held) >= LEAST
    return is_list and all(map(_is_layer, held)) and len(set(map(type, held))) == 1


def _is_layer(held: Any) -> bool:
    return isinstance(held, keras.layers.Layer)


def _source(name: str, places: dict[str, str]) -> str:
    """An input of a node, with the place of the node that it is of instead of its name."""
    node, *port = name.removeprefix("^").split(":")
    return ":".join([name[: name.startswith("^")], places[node], *port])


def _shared(
    block: keras.layers.Layer, call: Callable[..., Any], *, known: dict[bytes, Any]
) -> Callable[..., Any]:
    """A block's call, through the first function among `known` that does the same with weights. A block that
    reads or changes anything but its arguments and weights is called as it is.
    """

    def called(*args: Any, **kwargs: Any) -> Any:
        given = tf.nest.flatten((args, kwargs))
        tensors = [leaf for leaf in given if isinstance(leaf, tf.Tensor)]
        variables, updated = block.variables, []

        def function(weights: list[tf.Tensor], tensors: list[tf.Tensor]) -> Any:
            rest = iter(tensors)
            leaves = [next(rest) if isinstance(leaf, tf.Tensor) else leaf for leaf in given]
            own_args, own_kwargs = tf.nest.pack_sequence_as((args, kwargs), leaves)
            scope = keras.StatelessScope(state_mapping=list(zip(variables, weights, strict=True)))
            before = dict(scope.state_mapping)
            with scope:
                outputs = call(*own_args, **own_kwargs)
            updated.append(any(scope.state_mapping[key] is not value for key, value in before.items()))
            return outputs

        weights = [tf.convert_to_tensor(variable.value) for variable in variables]
        specs = tf.nest.map_structure(lambda part: tf.TensorSpec(part.shape, part.dtype), [weights, tensors])
        traced = tf.function(function, autograph=False).get_concrete_function(*specs)
        if traced.captured_inputs or any(updated):
            return call(*args, **kwargs)
        return known.setdefault(same_ops(traced.graph), traced)(weights, tensors)

    return called
