"""An inference request, whichever way it came: checked as a prediction is, and run."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from export.saved_model.signatures import DEFAULT
from export.serving.observing import Call
from export.serving.prediction import Limits, check_inputs, run
from export.serving.refusals import invalid
from export.serving.store import Servable
from export.serving.v2.datatypes import Datatype, datatype_of

SIGNATURE = "signature_name"
"""Parameter of a request, and of an answer: the protocol itself knows one signature a model."""

MOST_TENSORS = 1000
"""Inputs, and wanted outputs, of a request. Ours: far more than a signature has, and soon refused."""
MOST_DIMS = 254
"""Axes of a tensor. Source: TensorFlow's `TensorShape`."""


class SentTensor(NamedTuple):
    """An input as it was sent.

    Attributes:
        name: of the tensor.
        datatype: of its elements.
        shape: as claimed; nothing is allocated for it.
        read: the array, once type and shape are known to be right.
    """

    name: str
    datatype: Datatype
    shape: tuple[int, ...]
    read: Callable[[], np.ndarray]


class Inference(NamedTuple):
    """A request.

    Attributes:
        id: the client's, to be given back; "" for none.
        signature: to run; "" for the default one.
        inputs: its tensors.
        outputs: names of those that are wanted; empty for all.
    """

    id: str
    signature: str
    inputs: list[SentTensor]
    outputs: list[str]


class Output(NamedTuple):
    """A tensor of an answer."""

    name: str
    datatype: Datatype
    array: np.ndarray


def infer(servable: Servable, inference: Inference, call: Call, limits: Limits) -> list[Output]:
    """Runs a signature.

    Raises:
        Refusal: the request does not fit the signature or the limits, or the graph fails.
    """
    name = call.signature = signature_of(servable, inference.signature)
    given: dict[str, Any] = {}
    for tensor in inference.inputs:
        if tensor.name in given:
            raise invalid(f"`inputs`: each tensor must come once; got {tensor.name!r} twice. Leave one out.")
        given[tensor.name] = (tensor.datatype.number, tensor.shape)
    check_inputs(servable, name, given, inference.outputs, limits)
    arrays = {tensor.name: tensor.read() for tensor in inference.inputs}
    infos = servable.signature_defs[name].outputs
    outputs = run(servable, name, arrays, inference.outputs, is_awaited=call.is_awaited)
    return [Output(key, datatype_of(infos[key].dtype), array) for key, array in outputs.items()]


def check_count(key: str, count: int, *, most: int = MOST_TENSORS) -> None:
    """Refuses lists that no signature has, before their items are looked at.

    Raises:
        Refusal: more than `most`.
    """
    if count > most:
        raise invalid(
            f"`{key}`: must have at most {most:,} entries; got {count:,}. Send what the signature has."
        )


def signature_of(servable: Servable, name: str) -> str:
    """The signature that a request means.

    Raises:
        Refusal: there is none of that name.
    """
    if name and name not in servable.functions:
        raise invalid(
            f"`{SIGNATURE}`: must be one of {', '.join(sorted(servable.functions))}; got {name[:100]!r}. "
            f"Name one of them, or none for {DEFAULT}."
        )
    return name or DEFAULT


def tensors_metadata(infos: Mapping[str, Any]) -> Iterator[tuple[str, str, list[int]]]:
    """Name, datatype and shape (-1 where it varies) of a signature's inputs or outputs."""
    for key, info in sorted(infos.items()):
        yield key, datatype_of(info.dtype).name, [dim.size for dim in info.tensor_shape.dim]
