"""One signature of an artifact: its inputs and outputs, the function that computes them, and its trace."""

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

Tensors = dict[str, tf.Tensor]
"""Tensors by name."""


class Input(NamedTuple):
    """One input of a signature.

    Attributes:
        dtype: of the tensor.
        shape: None where a dim varies.
        meaning: for readers.
    """

    dtype: tf.DType
    shape: tuple[int | None, ...]
    meaning: str


class Signature(NamedTuple):
    """One signature.

    Attributes:
        inputs: by name.
        outputs: names, in order.
        function: from the inputs to all of the outputs.
        meaning: for readers.
    """

    inputs: dict[str, Input]
    outputs: tuple[str, ...]
    function: Callable[[Tensors], Tensors]
    meaning: str


def input_specs(signature: Signature) -> dict[str, tf.TensorSpec]:
    """What a signature is traced with: dtype and shape of each input, under its name."""
    return {
        name: tf.TensorSpec(given.shape, given.dtype, name=name) for name, given in signature.inputs.items()
    }


def traced(signature: Signature) -> Any:
    """The signature's function as a concrete one, which takes its inputs as keywords."""

    def function(**inputs: tf.Tensor) -> Tensors:
        return signature.function(inputs)

    return tf.function(function, autograph=False).get_concrete_function(**input_specs(signature))


def trace_signatures(table: dict[str, Signature], report: Callable[[str], None]) -> dict[str, Any]:
    """A concrete function for each signature of the table; signatures of one function share it.

    Args:
        table: by name.
        report: called with a line before each signature.
    """
    functions: dict[int, Any] = {}
    for name, signature in table.items():
        report(f"tracing {name}")
        if id(signature.function) not in functions:
            functions[id(signature.function)] = traced(signature)
    return {name: functions[id(signature.function)] for name, signature in table.items()}


def variables_used(functions: dict[str, Any]) -> list[tf.Variable]:
    """Each variable of the concrete functions, once."""
    return list(
        {
            id(variable): variable for function in functions.values() for variable in function.graph.variables
        }.values()
    )
