"""TF Serving's REST API and the Open Inference Protocol's over a model store, metrics, and what says how the
server is, as an ASGI application.
"""

import asyncio
import dataclasses
import functools
import json
import re
import threading
import urllib.parse
from concurrent.futures import Executor
from typing import Any

import grpc
from google.protobuf import json_format
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2, model_pb2

from export.saved_model.signatures import DEFAULT
from export.serving import json_tensors, metrics
from export.serving.admission import Admission, Held
from export.serving.grpc_service import SIGNATURE_DEF, model_metadata, model_status, selection
from export.serving.observing import REQUEST_ID, Call, Observer, request_id
from export.serving.prediction import Limits, check_inputs, run
from export.serving.refusals import MAX_MESSAGE, Refusal, invalid, not_found
from export.serving.store import ModelStore, Servable
from export.serving.v2 import paths

_CHOICE = r"(?:/versions/(?P<version>\d+)|/labels/(?P<label>[^/:]+))?"
_POST = re.compile(
    rf"/v1/models/(?P<name>[^/:]+){_CHOICE}:(?P<method>classify|regress|predict)", re.IGNORECASE
)
_GET = re.compile(rf"/v1/models(?:/(?P<name>[^/:]+))?{_CHOICE}(?P<metadata>/metadata)?", re.IGNORECASE)
"""Paths, as TF Serving matches them (its http_rest_api_util.cc)."""
_MAX_VERSION = (1 << 63) - 1
_TOO_LARGE = 413
METRICS = "/monitoring/prometheus/metrics"
"""The path of `serving_configs/monitoring.config`."""
HEALTHY, READY = "/healthz", "/readyz"
"""Whether the process answers, and whether a version of the model does."""


@dataclasses.dataclass(frozen=True)
class Api:
    """What the application answers from.

    Attributes:
        store: the model's versions.
        limits: what a request may ask for.
        observer: of its requests.
        ending: set when the server is about to end: each answer then closes its connection, so that no client
            writes to one that is gone.
        admission: what requests may hold together.
    """

    store: ModelStore
    limits: Limits
    observer: Observer
    ending: threading.Event
    admission: Admission


def application(api: Api, executor: Executor) -> Starlette:
    """The application; requests are computed in the executor's threads."""

    async def handle(request: Request) -> Response:
        call = Call(request_id(request.headers.get(REQUEST_ID)), "REST")
        with api.admission.held() as held:
            response = await _handled(api, executor, call, request, held)
        response.headers[REQUEST_ID] = call.id
        return _closing(api, response)

    async def state(request: Request) -> Response:
        return _closing(api, _state(api, request.url.path))

    looked_at = (METRICS, HEALTHY, READY, paths.LIVE, paths.READY)
    every = ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]
    routes = [*(Route(path, state) for path in looked_at), Route("/{path:path}", handle, methods=every)]
    return Starlette(routes=routes)


async def _handled(api: Api, executor: Executor, call: Call, request: Request, held: Held) -> Response:
    """The answer to a request, once it was read and there is a place for it."""
    try:
        body = await _body(request, api.limits.request_bytes, held)
        held.take_place()
    except Refusal as refusal:
        return _error(refusal.http_status, refusal.message)
    if body is None:
        most = api.limits.request_bytes
        return _error(_TOO_LARGE, f"body: must have at most {most:,} bytes; got more. Split the request.")
    work = functools.partial(_respond, api, call, sent_request(request, body))
    return await asyncio.get_running_loop().run_in_executor(executor, work)


def _state(api: Api, path: str) -> Response:
    """How the server is, which is told whatever else it is computing."""
    if path == METRICS:
        return Response(api.observer.metrics.exposition(), media_type=metrics.CONTENT_TYPE)
    is_ready = api.store.is_ready() and not api.ending.is_set()
    if path in (paths.LIVE, paths.READY):
        return _sent(paths.health(path, is_ready))
    good = path == HEALTHY or is_ready
    return Response("ok\n" if good else "not ready\n", 200 if good else 503)


def _closing(api: Api, response: Response) -> Response:
    """The response, which closes its connection where the server is about to end."""
    if api.ending.is_set():
        response.headers["connection"] = "close"
    return response


async def _body(request: Request, most: int, held: Held) -> bytes | None:
    """The body, or None for one over the limit, which is read but not kept: a client that is still sending
    would not see the answer.
    """
    body, size = bytearray(), 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= most:
            held.grow(len(chunk))
            body += chunk
    return bytes(body) if size <= most else None


def sent_request(request: Request, body: bytes) -> paths.Sent:
    """What the answer to a request depends on."""
    path = request.scope["raw_path"].decode("latin-1")
    query = dict(urllib.parse.parse_qsl(request.scope.get("query_string", b"").decode("latin-1")))
    method = "GET" if request.method == "HEAD" else request.method
    return paths.Sent(method, path, query, dict(request.headers), body)


def _respond(api: Api, call: Call, sent: paths.Sent) -> Response:
    call.request_bytes = len(sent.body)
    try:
        with api.observer.observed(call):
            if paths.is_ours(sent.path):
                answer = paths.answer(api.store, api.limits, call, sent)
            else:
                answer = paths.Answer(_answer(api, call, sent.method, sent.path, sent.body))
            call.answer_bytes = len(answer.body)
        return _sent(answer)
    except Refusal as refusal:
        return _error(refusal.http_status, refusal.message)
    except Exception as error:
        return _error(500, f"{type(error).__name__}: {error}"[:MAX_MESSAGE])


def _sent(answer: paths.Answer) -> Response:
    return Response(answer.body, answer.status, answer.headers, answer.media_type)


def _answer(api: Api, call: Call, method: str, path: str, body: bytes) -> bytes:
    if not path.lower().startswith("/v1/"):
        raise not_found(f"no such path: {path}. The APIs are under /v1/models and /v2.")
    match = {"POST": _POST, "GET": _GET}[method].fullmatch(path) if method in ("POST", "GET") else None
    if not match:
        raise invalid(f"Malformed request: {method} {path}")
    spec = _model_spec(match)
    call.model = spec.name
    if method == "GET":
        call.method = "GetModelMetadata" if match["metadata"] else "GetModelStatus"
        if not spec.name:
            raise invalid("Missing model name in request.")
        return _metadata(api.store, spec) if match["metadata"] else _status(api.store, spec)
    call.method = match["method"].capitalize()
    if call.method != metrics.API:
        raise Refusal(
            grpc.StatusCode.UNIMPLEMENTED, f"{match['method']} is for models of tf.Examples. Use :predict."
        )
    with api.store.use(**selection(get_model_status_pb2.GetModelStatusRequest(model_spec=spec))) as servable:
        call.version = servable.version
        return _predict(servable, call, body, api.limits)


def _model_spec(match: re.Match[str]) -> model_pb2.ModelSpec:
    spec = model_pb2.ModelSpec(name=urllib.parse.unquote(match["name"] or ""))
    if match["version"]:
        if int(match["version"]) > _MAX_VERSION:
            raise invalid(f"Failed to convert version: {match['version']} to numeric.")
        spec.version.value = int(match["version"])
    if match["label"]:
        spec.version_label = urllib.parse.unquote(match["label"])
    return spec


def _predict(servable: Servable, call: Call, body: bytes, limits: Limits) -> bytes:
    def find_inputs(name: str) -> Any:
        name = name or DEFAULT
        if name not in servable.functions:
            raise invalid(f'Serving signature name: "{name}" not found in signature def')
        return servable.signature_defs[name].inputs

    parsed = json_tensors.parse(body, find_inputs)
    name = call.signature = parsed.signature_name or DEFAULT
    inputs = servable.signature_defs[name].inputs
    given = {key: (inputs[key].dtype, array.shape) for key, array in parsed.arrays.items()}
    check_inputs(servable, name, given, (), limits)
    return json_tensors.write(run(servable, name, parsed.arrays), in_rows=parsed.in_rows)


def _status(store: ModelStore, spec: model_pb2.ModelSpec) -> bytes:
    response = model_status(store, get_model_status_pb2.GetModelStatusRequest(model_spec=spec))
    return json_format.MessageToJson(response, always_print_fields_with_no_presence=True, indent=1).encode()


def _metadata(store: ModelStore, spec: model_pb2.ModelSpec) -> bytes:
    request = get_model_metadata_pb2.GetModelMetadataRequest(model_spec=spec, metadata_field=[SIGNATURE_DEF])
    response = model_metadata(store, request)
    table = get_model_metadata_pb2.SignatureDefMap()
    response.metadata[SIGNATURE_DEF].Unpack(table)
    document = {"model_spec": _as_dict(response.model_spec), "metadata": {SIGNATURE_DEF: _as_dict(table)}}
    return json.dumps(document, indent=1).encode()


def _as_dict(message: Any) -> dict[str, Any]:
    return json_format.MessageToDict(
        message, always_print_fields_with_no_presence=True, preserving_proto_field_name=True
    )


def _error(status: int, message: str) -> Response:
    return Response(json.dumps({"error": message}), status, media_type="application/json")
