"""The protocol over gRPC: `inference.GRPCInferenceService`."""

import functools
import threading
from collections.abc import Callable
from typing import Any

import grpc
import numpy as np

from export.serving.grpc_service import answered
from export.serving.observing import INFER, Call, Observer
from export.serving.prediction import Limits
from export.serving.refusals import invalid
from export.serving.store import ModelStore
from export.serving.v2.contents import fill, read
from export.serving.v2.datatypes import datatype_named
from export.serving.v2.inference import MOST_DIMS, SIGNATURE, Inference, SentTensor, check_count, infer
from export.serving.v2.messages import MESSAGES, METHODS, SERVICE
from export.serving.v2.model import (
    EXTENSIONS,
    SERVER,
    chosen,
    is_model_ready,
    model_metadata,
    server_version,
)
from export.serving.v2.raw import from_raw, to_raw


class InferenceService:
    """The service over a model store.

    Args:
        store: the model's versions.
        limits: what a request may ask for.
        observer: of its requests.
        ending: set when the server is about to end.
    """

    def __init__(
        self, store: ModelStore, limits: Limits, observer: Observer, ending: threading.Event
    ) -> None:
        self._store, self._limits, self._observer, self._ending = store, limits, observer, ending

    def handler(self) -> grpc.GenericRpcHandler:
        """What a `grpc.Server` takes."""
        work: dict[str, Callable[[Any, Call], Any]] = {
            "ServerLive": lambda request, call: MESSAGES["ServerLiveResponse"](live=True),
            "ServerReady": lambda request, call: MESSAGES["ServerReadyResponse"](ready=self._is_ready()),
            "ModelReady": self._model_ready,
            "ServerMetadata": self._server_metadata,
            "ModelMetadata": self._model_metadata,
            "ModelInfer": self._infer,
        }
        handlers = {
            name: grpc.unary_unary_rpc_method_handler(
                functools.partial(self._answer, name, work[name]),
                request_deserializer=asked.FromString,
                response_serializer=lambda message: message.SerializeToString(),
            )
            for name, (asked, _) in METHODS.items()
        }
        return grpc.method_handlers_generic_handler(SERVICE, handlers)

    def _answer(
        self, method: str, work: Callable[[Any, Call], Any], request: Any, context: grpc.ServicerContext
    ) -> Any:
        model = getattr(request, "model_name" if method == INFER else "name", "")
        run = functools.partial(work, request)
        return answered(context, self._observer, method, model, request, run)

    def _is_ready(self) -> bool:
        return self._store.is_ready() and not self._ending.is_set()

    def _model_ready(self, request: Any, call: Call) -> Any:
        ready = is_model_ready(self._store, request.name, request.version)
        return MESSAGES["ModelReadyResponse"](ready=ready)

    def _server_metadata(self, request: Any, call: Call) -> Any:
        facts = {"name": SERVER, "version": server_version(), "extensions": EXTENSIONS}
        return MESSAGES["ServerMetadataResponse"](**facts)

    def _model_metadata(self, request: Any, call: Call) -> Any:
        found = model_metadata(self._store, request.name, request.version)
        response = MESSAGES["ModelMetadataResponse"](
            name=found.name, versions=found.versions, platform=found.platform
        )
        for tensors, side in ((found.inputs, response.inputs), (found.outputs, response.outputs)):
            for name, datatype, shape in tensors:
                side.add(name=name, datatype=datatype, shape=shape)
        return response

    def _infer(self, request: Any, call: Call) -> Any:
        with chosen(self._store, request.model_name, request.model_version) as servable:
            call.version = servable.version
            outputs = infer(servable, read_inference(request), call, self._limits)
        response = MESSAGES["ModelInferResponse"](
            model_name=request.model_name, model_version=str(call.version), id=request.id
        )
        response.parameters[SIGNATURE].string_param = call.signature
        for name, datatype, array in outputs:
            tensor = response.outputs.add(name=name, datatype=datatype.name, shape=array.shape)
            if request.raw_input_contents:  # as it was asked
                response.raw_output_contents.append(to_raw(array, datatype))
            else:
                fill(tensor.contents, datatype, array)
        return response


def read_inference(request: Any) -> Inference:
    """What a ModelInferRequest asks for.

    Raises:
        Refusal: its tensors have no contents, or some raw and some typed ones.
    """
    raw = request.raw_input_contents
    for key, count in (("inputs", len(request.inputs)), ("outputs", len(request.outputs))):
        check_count(key, count)
    if raw and len(raw) != len(request.inputs):
        raise invalid(
            f"`raw_input_contents`: must have one for each input, {len(request.inputs)}; got {len(raw)}. "
            "Send all inputs raw, or none."
        )
    inputs = [_tensor(tensor, raw[place] if raw else None) for place, tensor in enumerate(request.inputs)]
    outputs = [output.name for output in request.outputs]
    return Inference(request.id, _signature(request), inputs, outputs)


def _signature(request: Any) -> str:
    """Raises Refusal where the parameter is no string."""
    if SIGNATURE not in request.parameters:
        return ""
    parameter = request.parameters[SIGNATURE]
    kind = parameter.WhichOneof("parameter_choice")
    if kind != "string_param":
        raise invalid(f"`{SIGNATURE}`: must be a string; got {kind}. Set string_param.")
    return parameter.string_param


def _tensor(tensor: Any, raw: bytes | None) -> SentTensor:
    name = tensor.name
    check_count(f"shape of {name}", len(tensor.shape), most=MOST_DIMS)
    shape = tuple(tensor.shape)
    datatype = datatype_named(tensor.datatype, name)
    if min(shape, default=0) < 0:
        raise invalid(
            f"`{name}`: shape must be of whole numbers from 0; got {list(shape)}. Send its axes' sizes."
        )
    if raw is not None and tensor.HasField("contents"):
        raise invalid(f"`{name}`: contents must be raw or typed; got both. Leave one out.")

    def array() -> np.ndarray:
        return read(tensor, datatype, shape) if raw is None else from_raw(name, datatype, shape, raw)

    return SentTensor(name, datatype, shape, array)
