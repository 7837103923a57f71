"""A client of an export's server over gRPC or REST: one prompt with its media, and the answer as arrays.

It knows of the model what the server's metadata say. Works with TF Serving as with the embedded server.
"""

import base64
import http.client
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Container, Mapping, Sequence
from typing import Any, Protocol

import grpc
import numpy as np
import tensorflow as tf
from google.protobuf import json_format
from tensorflow_serving.apis import get_model_metadata_pb2, predict_pb2, prediction_service_pb2_grpc

from export.budgets import check_budgets
from export.media import decodable, pack_files
from export.outputs import Arrays
from export.serving.prediction import Limits
from export.serving.video_sampling import video_settings
from graph_ops.family import GEMMA4
from graph_ops.media.table import MEDIA
from graph_ops.media.video import VIDEO

_CONTROL_PIECES = {0: GEMMA4.pad, 1: GEMMA4.end, 2: GEMMA4.start}
"""Gemma's control ids, which `detokenize` leaves out of a text."""
_DETOKENIZE = "detokenize"
_NO_ANSWER = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNIMPLEMENTED, grpc.StatusCode.DEADLINE_EXCEEDED)
"""What gRPC makes of a server that speaks another protocol, and of none."""


class _Transport(Protocol):
    def signatures(self) -> Mapping[str, Any]: ...

    def predict(self, name: str, signature: Any, inputs: Arrays) -> Arrays: ...


class Client:
    """Sends requests to one server.

    Args:
        address: host:port of gRPC, or of REST, which is found out; http://host:port for REST alone.
        model_name: of the model.
        timeout: seconds to wait for each answer.

    Raises:
        ConnectionError: the server cannot be reached, does not answer in time, or has no such model.
    """

    def __init__(self, address: str, model_name: str, *, timeout: float) -> None:
        self._transport, self._signatures = _connected(address, model_name, timeout)

    def request(
        self,
        signature: str,
        prompt: str,
        media: Mapping[str, Sequence[bytes]],
        *,
        seed: int = 0,
        max_soft_tokens: Sequence[int] = (),
        max_new_tokens: int = 0,
        stop: Sequence[str] = (),
    ) -> Arrays:
        """Runs a signature on one row, a prompt and its files by the medium's name; `seed` is for those that
        draw, `max_soft_tokens` a budget for all images, or one for each; `max_new_tokens`, 0 for the export's
        limit, and the texts `stop` end an answer.

        Raises:
            ValueError: no such signature, inputs that it does not take or that this client has no value for,
                or the row's `status`.
            ConnectionError: the server does not answer, or refuses.
        """
        accepted = self._find(signature).inputs
        media = decodable(media, self._video_settings(signature, media))
        given = {name: _strings([prompt.encode()]) for name in ("prompts", "text", "texts")}
        given["tasks"] = _strings([b""])
        for medium in MEDIA:
            given |= pack_files(medium, media.get(medium.name, ()))
        given |= {"seed": np.array([seed], np.int32), "truncate_dim": np.zeros(1, np.int32)}
        given |= _budgets(media, max_soft_tokens, accepted) | _limits(max_new_tokens, stop, accepted)
        if missing := sorted(
            name
            for name, info in accepted.items()
            if name not in given or given[name].dtype != tf.as_dtype(info.dtype).as_numpy_dtype
        ):
            raise ValueError(
                f"`signature`: must take a prompt and files; {signature} takes {missing} too. Use another "
                f"signature."
            )
        for medium in MEDIA:
            if media.get(medium.name) and medium.argument not in accepted:
                raise ValueError(
                    f"`{medium.argument}`: {signature} takes {sorted(accepted)} only. Leave the files out or "
                    f"use another signature."
                )
        outputs = self._run(signature, {name: given[name] for name in accepted})
        if status := outputs["status"][0].decode() if "status" in outputs else "":
            raise ValueError(status)
        return outputs

    def pieces(self, ids: np.ndarray) -> dict[int, str]:
        """What each of the ids stands for, as far as the server's `detokenize` tells: a byte piece is shown
        as its byte.
        """
        distinct = np.unique(ids).astype(np.int32)
        if not distinct.size:
            return {}
        outputs = self._run(
            _DETOKENIZE, {"token_ids": distinct[:, np.newaxis], "lengths": np.ones_like(distinct)}
        )
        texts = [text.decode("utf-8", "replace").replace(" ", "\u2581") for text in outputs["text"]]
        return {
            int(token): text or _CONTROL_PIECES.get(int(token), "")
            for token, text in zip(distinct, texts, strict=True)
        }

    def _video_settings(self, signature: str, media: Mapping[str, Sequence[Any]]) -> Mapping[str, Any] | None:
        """What `decodable` must know of the export to read video files; None without any."""
        has_files = any(isinstance(video, bytes) for video in media.get(VIDEO.name, ()))
        if not has_files or VIDEO.argument not in self._find(signature).inputs:
            return None
        return video_settings(self._signatures, signature, self._run)

    def _run(self, name: str, inputs: Arrays) -> Arrays:
        return self._transport.predict(name, self._find(name), inputs)

    def _find(self, name: str) -> Any:
        if name not in self._signatures:
            known = sorted(key for key in self._signatures if not key.startswith("__"))
            raise ValueError(f"`signature`: must be one of the model's, {known}; got {name}.")
        return self._signatures[name]


def _budgets(media: Mapping[str, Sequence[bytes]], chosen: Sequence[int], accepted: Container[str]) -> Arrays:
    """Inputs with the budgets of one row's items, int32 [1, K]."""
    found = {}
    for medium in MEDIA:
        if medium.budget:
            items = len(media.get(medium.name, ()))
            budgets = check_budgets(chosen, items, medium, accepted=medium.budget in accepted)
            found[medium.budget] = np.array(budgets, np.int32)[np.newaxis]
    return found


def _limits(max_new_tokens: int, stop: Sequence[str], accepted: Container[str]) -> Arrays:
    """Where one row's answer ends: int32 [1] and string [1, K]."""
    for name, value in {"max_new_tokens": max_new_tokens, "stop": stop}.items():
        if value and name not in accepted:
            raise ValueError(
                f"`{name}`: must be left out for a signature without that input; got {value!r}. Leave it "
                "out, or use a signature such as `generate_with_limits`."
            )
    stops = _strings([text.encode() for text in stop or [""]])[np.newaxis]
    return {"max_new_tokens": np.array([max_new_tokens], np.int32), "stop": stops}


def _connected(address: str, model_name: str, timeout: float) -> tuple[_Transport, Mapping[str, Any]]:
    """The transport that the server behind an address speaks, and its model's signatures."""
    if "://" in address:
        rest = _Rest(address, model_name, timeout)
        return rest, rest.signatures()
    try:
        stub = _Grpc(address, model_name, timeout)
        return stub, stub.signatures()
    except _NoGrpcError as refused:
        rest = _Rest(f"http://{address}", model_name, timeout)
        try:
            return rest, rest.signatures()
        except _NoHttpError:
            raise refused from None


class _NoGrpcError(ConnectionError):
    """Nobody there, or nobody that speaks gRPC."""


class _NoHttpError(ConnectionError):
    """Nobody there, or nobody that speaks HTTP."""


class _Grpc:
    def __init__(self, address: str, model_name: str, timeout: float) -> None:
        most = Limits().answer_bytes + Limits().request_bytes
        options = [("grpc.max_receive_message_length", most), ("grpc.max_send_message_length", -1)]
        self._stub = prediction_service_pb2_grpc.PredictionServiceStub(
            grpc.insecure_channel(address, options)
        )
        self._address, self._model_name, self._timeout = address, model_name, timeout

    def signatures(self) -> Mapping[str, Any]:
        request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
        request.model_spec.name = self._model_name
        table = get_model_metadata_pb2.SignatureDefMap()
        self._call(self._stub.GetModelMetadata, request).metadata["signature_def"].Unpack(table)
        return table.signature_def

    def predict(self, name: str, signature: Any, inputs: Arrays) -> Arrays:
        request = predict_pb2.PredictRequest()
        request.model_spec.name, request.model_spec.signature_name = self._model_name, name
        for key, array in inputs.items():
            request.inputs[key].CopyFrom(tf.make_tensor_proto(array, signature.inputs[key].dtype))
        return {
            key: tf.make_ndarray(proto)
            for key, proto in self._call(self._stub.Predict, request).outputs.items()
        }

    def _call(self, method: Any, request: Any) -> Any:
        try:
            return method(request, self._timeout)
        except grpc.RpcError as error:
            kind = _NoGrpcError if error.code() in _NO_ANSWER else ConnectionError
            raise kind(f"{self._address}: {error.code().name}: {error.details()}") from None


class _Rest:
    def __init__(self, address: str, model_name: str, timeout: float) -> None:
        self._url = f"{address.rstrip('/')}/v1/models/{urllib.parse.quote(model_name)}"
        self._address, self._timeout = address, timeout

    def signatures(self) -> Mapping[str, Any]:
        found = self._call("/metadata", None)["metadata"]["signature_def"]
        return json_format.ParseDict(found, get_model_metadata_pb2.SignatureDefMap()).signature_def

    def predict(self, name: str, signature: Any, inputs: Arrays) -> Arrays:
        columns = {key: _as_json(array) for key, array in inputs.items()}
        outputs = self._call(":predict", {"signature_name": name, "inputs": columns})["outputs"]
        named = outputs if len(signature.outputs) > 1 else dict.fromkeys(signature.outputs, outputs)
        return {
            key: _from_json(value, tf.as_dtype(signature.outputs[key].dtype)) for key, value in named.items()
        }

    def _call(self, path: str, document: Any) -> Any:
        body = None if document is None else json.dumps(document).encode()
        deadline = time.monotonic() + self._timeout  # a socket's holds for each part of an answer
        try:
            request = urllib.request.Request(self._url + path, body, {"Content-Type": "application/json"})
            with urllib.request.urlopen(request, timeout=self._timeout) as answer:
                answered = answer.read()
            if time.monotonic() > deadline:
                raise TimeoutError("timed out")
        except urllib.error.HTTPError as error:
            raise ConnectionError(f"{self._address}: HTTP {error.code}: {_error_of(error.read())}") from None
        except http.client.HTTPException:
            raise _NoHttpError(
                f"{self._address}: what answers does not speak HTTP. For gRPC leave out http://."
            ) from None
        except OSError as error:
            raise _NoHttpError(f"{self._address}: {getattr(error, 'reason', error)}") from None
        return _parsed(answered, self._address)


def _strings(values: Sequence[bytes]) -> np.ndarray:
    """Texts or files as an array [N] of bytes objects; N may be 0."""
    array = np.empty(len(values), object)
    array[:] = values
    return array


def _as_json(array: np.ndarray) -> Any:
    if array.dtype != object:
        return array.tolist()
    return [
        _as_json(item) if isinstance(item, np.ndarray) else {"b64": base64.b64encode(item).decode()}
        for item in array
    ]


def _from_json(value: Any, dtype: tf.DType) -> np.ndarray:
    if dtype != tf.string:
        return np.array(value, dtype.as_numpy_dtype)
    return np.array([text.encode() for text in value], object)


def _parsed(body: bytes, address: str) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        raise ConnectionError(
            f"{address}: must be TF Serving or the embedded server; what answers over HTTP sends no JSON. "
            f"Check the port."
        ) from None


def _error_of(body: bytes) -> str:
    try:
        return json.loads(body)["error"]
    except (ValueError, KeyError, TypeError):
        return body[:200].decode("utf-8", "replace")
