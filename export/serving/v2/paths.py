"""The protocol over REST: which path asks for what, and its answer."""

import json
import re
import urllib.parse
from collections.abc import Mapping
from typing import Any, NamedTuple

from export.serving.observing import INFER, Call
from export.serving.prediction import Limits
from export.serving.refusals import not_found
from export.serving.store import ModelStore
from export.serving.v2 import json_body
from export.serving.v2.inference import SIGNATURE, infer
from export.serving.v2.model import (
    EXTENSIONS,
    SERVER,
    Tensor,
    chosen,
    is_model_ready,
    model_metadata,
    server_version,
)

ROOT = "/v2"
LIVE, READY = f"{ROOT}/health/live", f"{ROOT}/health/ready"
"""Whether the process answers, and whether a version of the model does."""
_MODEL = re.compile(
    rf"{ROOT}/models/(?P<name>[^/]+)(?:/versions/(?P<version>[^/]+))?(?:/(?P<action>ready|infer))?"
)
_METHODS = {"infer": "POST", "ready": "GET", None: "GET"}
"""HTTP method of each action."""
_METHOD_NOT_ALLOWED, _UNAVAILABLE = 405, 503


class Sent(NamedTuple):
    """A request.

    Attributes:
        method: GET, POST, ….
        path: as it was sent, in percent-encoding.
        query: parameters behind the path.
        headers: with names in lower case.
        body: all of it.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


class Answer(NamedTuple):
    """An answer."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] | None = None
    media_type: str = "application/json"


def is_ours(path: str) -> bool:
    """Whether a path is one of this protocol."""
    return path == ROOT or path.startswith(f"{ROOT}/")


def health(path: str, is_ready: bool) -> Answer:
    """The answer to `LIVE` or `READY`."""
    if path == LIVE:
        return _json({"live": True})
    return _json({"live": True, "ready": is_ready}, 200 if is_ready else _UNAVAILABLE)


def answer(store: ModelStore, limits: Limits, call: Call, sent: Sent) -> Answer:
    """The answer to any other path of the protocol.

    Raises:
        Refusal: there is none.
    """
    if sent.path.rstrip("/") == ROOT:
        call.method = "ServerMetadata"
        return _wrong_method(sent, "GET") or _json(
            {"name": SERVER, "version": server_version(), "extensions": list(EXTENSIONS)}
        )
    match = _MODEL.fullmatch(sent.path)
    if not match:
        raise not_found(f"no such path: {sent.path}. Models are under {ROOT}/models/NAME.")
    if refused := _wrong_method(sent, _METHODS[match["action"]]):
        return refused
    name, version = (urllib.parse.unquote(match[group] or "") for group in ("name", "version"))
    call.model = name
    if match["action"] == "infer":
        return _inferred(store, limits, call, version, sent)
    if match["action"] == "ready":
        call.method = "ModelReady"
        is_ready = is_model_ready(store, name, version)
        return _json({"name": name, "ready": is_ready}, 200 if is_ready else _UNAVAILABLE)
    call.method = "ModelMetadata"
    return _described(store, name, version, sent.query.get(SIGNATURE, ""))


def _inferred(store: ModelStore, limits: Limits, call: Call, version: str, sent: Sent) -> Answer:
    call.method = INFER
    with chosen(store, call.model, version) as servable:
        call.version = servable.version
        parsed = json_body.parse(sent.body, sent.headers.get(json_body.HEADER_LENGTH))
        outputs = infer(servable, parsed.inference, call, limits)
    facts: dict[str, Any] = {"model_name": call.model, "model_version": str(call.version)}
    if parsed.inference.id:
        facts["id"] = parsed.inference.id
    facts["parameters"] = {SIGNATURE: call.signature}
    body, json_bytes = json_body.write(facts, outputs, parsed.is_binary)
    if json_bytes is None:
        return Answer(body)
    headers = {json_body.HEADER_LENGTH: str(json_bytes)}
    return Answer(body, headers=headers, media_type="application/octet-stream")


def _described(store: ModelStore, name: str, version: str, signature: str) -> Answer:
    found = model_metadata(store, name, version, signature)
    sides = {"inputs": _tensors(found.inputs), "outputs": _tensors(found.outputs)}
    return _json({"name": found.name, "versions": found.versions, "platform": found.platform, **sides})


def _tensors(tensors: list[Tensor]) -> list[dict[str, Any]]:
    return [{"name": name, "datatype": datatype, "shape": shape} for name, datatype, shape in tensors]


def _wrong_method(sent: Sent, allowed: str) -> Answer | None:
    if sent.method == allowed:
        return None
    message = f"{sent.path}: must be asked by {allowed}; got {sent.method}. Use {allowed}."
    return _json({"error": message}, _METHOD_NOT_ALLOWED, {"allow": allowed})


def _json(document: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(json.dumps(document).encode(), status, headers)
