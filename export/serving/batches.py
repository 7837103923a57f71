"""Rows of several requests as one batch, and its outputs as theirs: by the rules and with the sentences of TF
Serving's batching_session.cc.
"""

from collections.abc import Mapping, Sequence

import grpc
import numpy as np

from export.serving.refusals import Refusal, invalid

Arrays = Mapping[str, np.ndarray]
"""Tensors of one request by name, each [rows, …]."""


def merge(requests: Sequence[Arrays], *, size: int, pad: bool) -> dict[str, np.ndarray]:
    """The rows of some requests, one below the other, filled up with the first row of the last request.

    Args:
        requests: inputs of each, all of one signature.
        size: rows that come out: at least those of the requests.
        pad: whether narrow rows are made as wide as the widest, each with its tensor's first element.

    Raises:
        Refusal: the rows differ in width, or have no element to be padded with.
    """
    merged = {}
    for key in requests[0]:
        tensors = [request[key] for request in requests]
        if len({tensor.shape[1:] for tensor in tensors}) > 1:
            if not pad:
                raise Refusal(grpc.StatusCode.FAILED_PRECONDITION, _different(key))
            widest = np.max([tensor.shape[1:] for tensor in tensors], axis=0)
            tensors = [_padded(tensor, widest) for tensor in tensors]
        missing = size - sum(map(len, tensors))
        merged[key] = np.concatenate([*tensors, np.repeat(tensors[-1][:1], missing, axis=0)])
    return merged


def split(outputs: Arrays, rows: Sequence[int], *, size: int) -> list[dict[str, np.ndarray]]:
    """The outputs of each request.

    Args:
        outputs: of the batch.
        rows: of each request, in order.
        size: rows of the batch.

    Raises:
        Refusal: an output does not have a row for each of the batch's.
    """
    for array in outputs.values():
        if not array.ndim:
            raise Refusal(grpc.StatusCode.FAILED_PRECONDITION, "Batched output tensor has 0 dimensions")
        if len(array) != size:
            raise Refusal(
                grpc.StatusCode.FAILED_PRECONDITION,
                "Batched output tensor's 0th dimension does not equal the sum of the 0th dimension sizes of "
                "the input tensors",
            )
    ends = np.cumsum(rows)
    return [
        {key: array[end - count : end] for key, array in outputs.items()}
        for end, count in zip(ends, rows, strict=True)
    ]


def _different(key: str) -> str:
    return (
        f"Tensors with name '{key}' from different tasks have different shapes and padding is turned off."
        "Set pad_variable_length_inputs to true, or ensure that all tensors with the same name"
        "have equal dimensions starting with the first dim."
    )


def _padded(tensor: np.ndarray, widest: np.ndarray) -> np.ndarray:
    short = widest - tensor.shape[1:]
    if not short.any():
        return tensor
    if not tensor.size:
        raise invalid("Got empty tensor in batch of non-empty tensors.")
    return np.pad(tensor, [(0, 0), *((0, each) for each in short)], constant_values=tensor.flat[0])
