"""TF Serving's gRPC services over a model store: PredictionService and ModelService."""

from collections.abc import Callable
from typing import Any, TypeVar

import grpc
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from export.saved_model.signatures import DEFAULT
from export.serving.metrics import API
from export.serving.observing import REQUEST_ID, Call, Observer, request_id
from export.serving.prediction import Limits, predict
from export.serving.refusals import Refusal, invalid
from export.serving.store import ModelStore

SIGNATURE_DEF = "signature_def"
"""The one metadata field that there is."""

Answer = TypeVar("Answer")


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Predict and GetModelMetadata; the methods for models of tf.Examples stay unimplemented."""

    def __init__(self, store: ModelStore, limits: Limits, observer: Observer) -> None:
        self._store, self._limits, self._observer = store, limits, observer

    def Predict(
        self, request: predict_pb2.PredictRequest, context: grpc.ServicerContext
    ) -> predict_pb2.PredictResponse:
        """Runs a signature on a batch of rows."""

        def run(call: Call) -> predict_pb2.PredictResponse:
            call.signature = request.model_spec.signature_name or DEFAULT
            with self._store.use(**selection(request)) as servable:
                call.version = servable.version
                return predict(servable, request, self._limits, is_awaited=call.is_awaited)

        return answered(context, self._observer, API, request.model_spec.name, request, run)

    def GetModelMetadata(
        self, request: get_model_metadata_pb2.GetModelMetadataRequest, context: grpc.ServicerContext
    ) -> get_model_metadata_pb2.GetModelMetadataResponse:
        """Signatures of a model."""
        return answered(
            context,
            self._observer,
            "GetModelMetadata",
            request.model_spec.name,
            request,
            lambda _: model_metadata(self._store, request),
        )


class ModelService(model_service_pb2_grpc.ModelServiceServicer):
    """GetModelStatus; the configuration of this server is not changed from outside."""

    def __init__(self, store: ModelStore, observer: Observer) -> None:
        self._store, self._observer = store, observer

    def GetModelStatus(
        self, request: get_model_status_pb2.GetModelStatusRequest, context: grpc.ServicerContext
    ) -> get_model_status_pb2.GetModelStatusResponse:
        """State of each version."""
        return answered(
            context,
            self._observer,
            "GetModelStatus",
            request.model_spec.name,
            request,
            lambda _: model_status(self._store, request),
        )


def model_metadata(
    store: ModelStore, request: get_model_metadata_pb2.GetModelMetadataRequest
) -> get_model_metadata_pb2.GetModelMetadataResponse:
    """What TF Serving's GetModelMetadata answers."""
    choice = selection(request)
    if not request.metadata_field:
        raise invalid("GetModelMetadataRequest must specify at least one metadata_field")
    for name in request.metadata_field:
        if name != SIGNATURE_DEF:
            raise invalid(f"Metadata field {name} is not supported")
    response = get_model_metadata_pb2.GetModelMetadataResponse()
    with store.use(**choice) as servable:
        response.model_spec.name = store.name
        response.model_spec.version.value = servable.version
        table = get_model_metadata_pb2.SignatureDefMap(signature_def=servable.signature_defs)
    response.metadata[SIGNATURE_DEF].Pack(table)
    return response


def model_status(
    store: ModelStore, request: get_model_status_pb2.GetModelStatusRequest
) -> get_model_status_pb2.GetModelStatusResponse:
    """What TF Serving's GetModelStatus answers: it looks at the version, not at the label, of a request."""
    choice = selection(request)
    response = get_model_status_pb2.GetModelStatusResponse()
    for version, state, error in store.states(choice["name"], choice["version"]):
        status = response.model_version_status.add(version=version, state=state)
        status.status.SetInParent()
        if error:
            status.status.error_code, status.status.error_message = error.code.value[0], error.message
    return response


def selection(request: Any) -> dict[str, Any]:
    """Name, version and label (None unless given) of a request's `model_spec`.

    Raises:
        Refusal: it has none.
    """
    if not request.HasField("model_spec"):
        raise invalid("Missing ModelSpec")
    spec: model_pb2.ModelSpec = request.model_spec
    given = spec.WhichOneof("version_choice")
    return {
        "name": spec.name,
        "version": spec.version.value if given == "version" else None,
        "label": spec.version_label if given == "version_label" else None,
    }


def answered(
    context: grpc.ServicerContext,
    observer: Observer,
    method: str,
    model: str,
    request: Any,
    work: Callable[[Call], Answer],
) -> Answer:
    """The result of the work, or its refusal as gRPC's status; no work for a client that has given up."""
    call = Call(
        request_id(dict(context.invocation_metadata()).get(REQUEST_ID)),
        "GRPC",
        method,
        model,
        request_bytes=request.ByteSize(),
        is_awaited=context.is_active,
    )
    context.set_trailing_metadata(((REQUEST_ID, call.id),))
    try:
        with observer.observed(call):
            if not context.is_active():
                raise Refusal(grpc.StatusCode.CANCELLED, "the client has gone")
            answer = work(call)
            call.answer_bytes = answer.ByteSize()  # type: ignore[attr-defined]
            return answer
    except Refusal as refusal:
        context.abort(refusal.code, refusal.message)
        raise AssertionError("abort raises") from refusal
