"""One request to one signature, for both protocols: checked against the signature first, then run."""

import contextlib
import functools
import math
import pathlib
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2

from export.saved_model import run as running
from export.saved_model.signatures import DEFAULT
from export.saved_model.warmup import read_warmup_requests
from export.serving import tensor_protos
from export.serving.batching import Batcher, Scheduler
from export.serving.refusals import Refusal, from_tensorflow, invalid
from export.serving.store import Servable
from export.tensorflow_formats import SavedModel, types_pb2

MEBIBYTE = 1 << 20


@dataclass(frozen=True)
class Limits:
    """What a request may ask for. TF Serving itself has none of them.

    Attributes:
        rows: rows in a batch.
        request_bytes: size of a request, in bytes on the wire; two 10 MB photographs in base64 fit.
        answer_bytes: size of the answer's tensors, in bytes; a row with two image slots and a clip is 17 MB.
        held_bytes: size of all requests of a protocol together that are being read or are under way.
    """

    rows: int = 128
    request_bytes: int = 32 * MEBIBYTE
    answer_bytes: int = 256 * MEBIBYTE
    held_bytes: int = 1024 * MEBIBYTE


Spec = tuple[int, tuple[int, ...]]
"""Number of the type in types.proto, and dims."""


def _always() -> bool:
    return True


def load_servable(version: int, folder: pathlib.Path, *, warm: bool = True) -> Servable:
    """Loads a version folder and, if `warm`, replays its warmup requests."""
    loaded = running.load(folder)
    (graph,) = SavedModel.FromString((folder / "saved_model.pb").read_bytes()).meta_graphs
    cold = {name: threading.Lock() for name in loaded.signatures}
    servable = Servable(version, loaded.signatures, dict(graph.signature_def), loaded.module, cold)
    for request in read_warmup_requests(folder) if warm else ():
        run_request(servable, request, Limits())
    return servable


def predict(
    servable: Servable,
    request: predict_pb2.PredictRequest,
    limits: Limits,
    *,
    is_awaited: Callable[[], bool] = _always,
) -> predict_pb2.PredictResponse:
    """TF Serving's Predict, on a servable that was chosen already.

    Raises:
        Refusal: the request does not fit the signature or the limits, or the graph fails.
    """
    name, outputs = run_request(servable, request, limits, is_awaited=is_awaited)
    response = predict_pb2.PredictResponse()
    response.model_spec.name = request.model_spec.name
    response.model_spec.signature_name = name
    response.model_spec.version.value = servable.version
    for key, array in outputs.items():
        tensor_protos.fill(response.outputs[key], array, servable.signature_defs[name].outputs[key].dtype)
    return response


def run_request(
    servable: Servable,
    request: predict_pb2.PredictRequest,
    limits: Limits,
    *,
    is_awaited: Callable[[], bool] = _always,
) -> tuple[str, dict[str, np.ndarray]]:
    """The name of a request's signature, and its outputs.

    Raises:
        Refusal: as `predict`.
    """
    name = request.model_spec.signature_name or DEFAULT
    if name not in servable.functions:
        raise Refusal(grpc.StatusCode.FAILED_PRECONDITION, f'Serving signature key "{name}" not found.')
    given = {key: (proto.dtype, tensor_protos.shape_of(proto)) for key, proto in request.inputs.items()}
    check_inputs(servable, name, given, request.output_filter, limits)
    arrays = {
        key: tensor_protos.to_array(key, proto, max_bytes=limits.request_bytes)
        for key, proto in request.inputs.items()
    }
    return name, run(servable, name, arrays, request.output_filter, is_awaited=is_awaited)


def check_inputs(
    servable: Servable, name: str, given: Mapping[str, Spec], output_filter: Iterable[str], limits: Limits
) -> None:
    """Checks a request's inputs, by type and dims, and the outputs that it wants, before anything is computed
    or allocated.

    Raises:
        Refusal: with TF Serving's sentence where it has one.
    """
    signature = servable.signature_defs[name]
    _check_names(signature.inputs, given)
    for index, (key, info) in enumerate(sorted(signature.inputs.items())):
        _check_spec(index, key, info, *given[key])
    rows = {key: shape[0] for key, (_, shape) in sorted(given.items())}
    if len(set(rows.values())) > 1:
        raise invalid(
            f"all inputs must have the same number of rows; got {rows}. Send each input once a row."
        )
    wanted = _wanted_outputs(signature.outputs, list(output_filter))
    _check_size(next(iter(rows.values())), wanted, limits)


def run(
    servable: Servable,
    name: str,
    arrays: Mapping[str, np.ndarray],
    output_filter: Iterable[str] = (),
    *,
    is_awaited: Callable[[], bool] = _always,
) -> dict[str, np.ndarray]:
    """The outputs of a signature, or those of them that the filter names; in a batch with other requests, if
    the servable has a batcher.

    Args:
        servable: has the signature.
        name: of the signature.
        arrays: its inputs, which fit it.
        output_filter: names of the outputs that are wanted; empty for all.
        is_awaited: whether the client still waits; a batch leaves out those that do not.

    Raises:
        Refusal: the graph failed, or the batcher refuses.
    """
    wanted = list(output_filter) or sorted(servable.signature_defs[name].outputs)
    if servable.batcher is None:
        return compute(servable, name, arrays, wanted)
    outputs = servable.batcher.run(name, arrays, is_awaited)
    return {key: outputs[key] for key in wanted}


def batched(servable: Servable, scheduler: Scheduler) -> Servable:
    """The servable with a batcher, which runs rows of several requests together."""
    return servable._replace(batcher=Batcher(scheduler, functools.partial(compute, servable)))


def compute(
    servable: Servable, name: str, arrays: Mapping[str, np.ndarray], wanted: Iterable[str] = ()
) -> dict[str, np.ndarray]:
    """Calls a signature once.

    Raises:
        Refusal: the graph failed.
    """
    infos = servable.signature_defs[name].inputs
    try:
        tensors = {key: tf.constant(array, tf.as_dtype(infos[key].dtype)) for key, array in arrays.items()}
        with servable.cold.get(name, contextlib.nullcontext()):
            started = time.perf_counter()
            outputs = servable.functions[name](**tensors)
            servable.ran(time.perf_counter() - started)
        servable.cold.pop(name, None)
    except tf.errors.OpError as error:
        raise from_tensorflow(error.error_code, error.message) from error
    return {key: np.asarray(outputs[key].numpy()) for key in list(wanted) or sorted(outputs)}


def _check_names(inputs: Mapping[str, Any], given: Mapping[str, Spec]) -> None:
    sent, required = sorted(given), sorted(inputs)
    if len(sent) != len(required):
        extra, missing = sorted(given.keys() - inputs.keys()), sorted(inputs.keys() - given.keys())
        raise invalid(
            f"input size does not match signature: {len(sent)}!={len(required)} len({{{','.join(sent)}}}) != "
            f"len({{{','.join(required)}}}). Sent extra: {{{','.join(extra)}}}. Missing but required: "
            f"{{{','.join(missing)}}}."
        )
    for key in required:
        if key not in given:
            raise invalid(
                f"Signature input alias: {key}(feed name: {inputs[key].name}) not found in request and no "
                f"default value provided. Inputs expected to be in the request {{{','.join(sent)}}}, or "
                "default input alias set: "
            )


def _check_spec(index: int, key: str, info: Any, dtype: int, shape: tuple[int, ...]) -> None:
    if dtype != info.dtype:
        raise invalid(
            f"Expects arg[{index}] to be {type_name(info.dtype)} but {type_name(dtype)} is provided (input "
            f"`{key}`)"
        )
    sizes = [dim.size for dim in info.tensor_shape.dim]
    if len(shape) != len(sizes) or any(
        size not in (-1, given) for size, given in zip(sizes, shape, strict=True)
    ):
        wanted = "[" + ", ".join("?" if size == -1 else str(size) for size in sizes) + "]"
        raise invalid(
            f"`{key}`: must have shape {wanted}; got {list(shape)}. Send one item a row, nested as the "
            f"signature says."
        )


def _wanted_outputs(outputs: Mapping[str, Any], output_filter: list[str]) -> list[Any]:
    for place, alias in enumerate(output_filter):
        if alias not in outputs:
            expected = ",".join(sorted(outputs))
            raise invalid(
                f"output tensor alias not found in signature: {alias} Outputs expected to be in the set "
                f"{{{expected}}}."
            )
        if alias in output_filter[:place]:
            raise invalid(f"duplicate output tensor alias: {alias}")
    return [outputs[alias] for alias in output_filter or outputs]


def _check_size(rows: int, outputs: list[Any], limits: Limits) -> None:
    row_bytes = sum(_row_bytes(info) for info in outputs)
    most = min(limits.rows, limits.answer_bytes // max(row_bytes, 1))
    if rows > most:
        raise invalid(
            f"batch: must have at most {most} rows (limits: {limits.rows} rows, answers of "
            f"{limits.answer_bytes:,} bytes); got {rows} rows with answers of {row_bytes:,} bytes each. "
            "Split the request."
        )


def _row_bytes(info: Any) -> int:
    """Bytes of one row of an output; a dim that varies counts as 1."""
    itemsize = 1 if info.dtype == types_pb2.DT_STRING else tf.as_dtype(info.dtype).size
    return itemsize * math.prod(max(dim.size, 1) for dim in info.tensor_shape.dim[1:])


def type_name(dtype: int) -> str:
    """TensorFlow's word for a type of types.proto: "float", "string", "int32"."""
    return (
        types_pb2.DataType.Name(dtype).removeprefix("DT_").lower()
        if dtype in types_pb2.DataType.values()
        else str(dtype)
    )
