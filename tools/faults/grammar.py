"""Requests that are almost right: sentences of the protocols' grammars with parts that are wrong, and bytes
of right ones that are damaged.
"""

import json
import random
from typing import Any

from tensorflow_serving.apis import predict_pb2

from export.serving.v2.messages import MESSAGES
from tools.faults.known import MODEL

SIGNATURES = (
    "tokenize",
    "detokenize",
    "generate_preprocess_text",
    "generate_preprocess_image",
    "count_tokens",
)
NAMES = ("text", "prompts", "images", "token_ids", "lengths", "audio", "", "x" * 300, "\u0000", "..")
NUMBERS = (0, 1, -1, 2**31, -(2**63), 2**63 - 1, 1.5, 1e308)
TYPES = ("BYTES", "INT32", "FP32", "BOOL", "INT64", "UINT8", "FP16", "", "bytes")
DTYPES = (0, 1, 3, 7, 9, 10, 14, 20, 23, 101, 107, 2**20)
"""Numbers of types.proto, some of which there are not."""


class Grammar:
    """Makes requests.

    Args:
        seed: of the draws.
    """

    def __init__(self, seed: int) -> None:
        self._draw = random.Random(seed)

    def rest(self) -> tuple[str, str, dict[str, str], bytes]:
        """Method, path, headers and body of an HTTP request."""
        draw = self._draw
        is_v2 = draw.random() < 0.5
        path = f"/v2/models/{MODEL}/infer" if is_v2 else f"/v1/models/{MODEL}:predict"
        if draw.random() < 0.15:
            path = draw.choice(
                (path[:-1], f"{path}/x", path.upper(), "//", "/v1/models/%00:predict", "/v2/models//infer")
            )
        body = json.dumps(self._inference() if is_v2 else self._predict()).encode()
        method = draw.choice(("GET", "PUT", "DELETE", "PATCH")) if draw.random() < 0.05 else "POST"
        headers = {
            "content-type": draw.choice(("application/json", "text/plain", "application/octet-stream"))
        }
        if draw.random() < 0.2:
            size = draw.choice(("0", "5", "-1", "x", str(len(body)), str(2**70)))
            headers["inference-header-content-length"] = size
        return method, path, headers, self._damaged(body) if draw.random() < 0.4 else body

    def grpc(self) -> tuple[str, bytes]:
        """Method and message of a gRPC request."""
        draw = self._draw
        if draw.random() < 0.5:
            method, message = "/inference.GRPCInferenceService/ModelInfer", self._inference_message()
        else:
            method, message = "/tensorflow.serving.PredictionService/Predict", self._predict_message()
        raw = message.SerializeToString()
        return method, self._damaged(raw) if draw.random() < 0.4 else raw

    def _value(self, depth: int = 0) -> Any:
        draw = self._draw
        kind = draw.randrange(9)
        if kind < 3 and depth < 5:
            return [self._value(depth + 1) for _ in range(draw.randrange(4))]
        if kind == 3 and depth < 5:
            return {draw.choice(NAMES): self._value(depth + 1) for _ in range(draw.randrange(3))}
        if kind == 4:
            return {"b64": draw.choice(("aGk=", "!", "", 5, None))}
        return draw.choice((None, True, draw.choice(NUMBERS), "text", "\ud83d", "é" * 50, "<|image|>"))

    def _some(self, names: tuple[str, ...]) -> dict[str, Any]:
        return {self._draw.choice(names): self._value() for _ in range(self._draw.randrange(4))}

    def _predict(self) -> Any:
        draw = self._draw
        document: dict[Any, Any] = {"signature_name": draw.choice((*SIGNATURES, 5, None, "none"))}
        rows = draw.choice((self._value(), self._some(NAMES), [self._some(NAMES)], ["text"]))
        document[draw.choice(("inputs", "instances"))] = rows
        if draw.random() < 0.3:
            document[draw.choice(("inputs", "instances", "extra"))] = self._value()
        return document if draw.random() < 0.9 else self._value()

    def _inference(self) -> Any:
        draw = self._draw
        tensors = [
            {
                "name": draw.choice(NAMES),
                "datatype": draw.choice((*TYPES, None, 3)),
                "shape": draw.choice(([1], [2, 2], [-1], [2**40], [], "1", [1.5], None, [0])),
                "data": self._value(),
                "parameters": draw.choice(({}, {"binary_data_size": draw.choice((*NUMBERS, "4"))}, [])),
            }
            for _ in range(draw.randrange(3))
        ]
        outputs = draw.choice(([], [{"name": "token_ids"}], [{}], "token_ids", [5]))
        parameters = {"signature_name": draw.choice((*SIGNATURES, 5, None))}
        return {"id": self._value(5), "parameters": parameters, "inputs": tensors, "outputs": outputs}

    def _predict_message(self) -> Any:
        draw, request = self._draw, predict_pb2.PredictRequest()
        request.model_spec.name = draw.choice((MODEL, MODEL, MODEL, "other", ""))
        request.model_spec.signature_name = draw.choice((*SIGNATURES, "none", ""))
        if draw.random() < 0.2:
            request.model_spec.version.value = draw.choice((0, 1, -1, 2**63 - 1))
        for _ in range(draw.randrange(4)):
            tensor = request.inputs[draw.choice(NAMES)]
            tensor.dtype = draw.choice(DTYPES)
            for _ in range(draw.randrange(4)):
                tensor.tensor_shape.dim.add(size=draw.choice((0, 1, 2, -1, 2**31, 2**62)))
            tensor.tensor_shape.unknown_rank = draw.random() < 0.1
            tensor.string_val.extend([draw.randbytes(draw.randrange(20)) for _ in range(draw.randrange(3))])
            tensor.int_val.extend(draw.choices((0, 1, -5, 2**31 - 1), k=draw.randrange(3)))
            tensor.tensor_content = draw.randbytes(draw.choice((0, 0, 1, 4, 9)))
        request.output_filter.extend(draw.choices(("token_ids", "lengths", ""), k=draw.randrange(3)))
        return request

    def _inference_message(self) -> Any:
        draw = self._draw
        request = MESSAGES["ModelInferRequest"](model_name=draw.choice((MODEL, MODEL, "other", "")))
        request.model_version = draw.choice(("", "1", "x", "-1", "99999999999999999999"))
        if draw.random() < 0.8:
            request.parameters["signature_name"].string_param = draw.choice(SIGNATURES)
        else:
            request.parameters["signature_name"].int64_param = 5
        for _ in range(draw.randrange(3)):
            shape = draw.choices((0, 1, 2, -1, 2**40), k=draw.randrange(4))
            tensor = request.inputs.add(name=draw.choice(NAMES), datatype=draw.choice(TYPES), shape=shape)
            tensor.contents.bytes_contents.extend([b"text"] * draw.randrange(3))
            tensor.contents.int_contents.extend([7] * draw.randrange(3))
        raw = [draw.randbytes(draw.randrange(12)) for _ in range(draw.choice((0, 0, 1, 2)))]
        request.raw_input_contents.extend(raw)
        return request

    def _damaged(self, raw: bytes) -> bytes:
        """Cut, doubled, or with some bytes that are others."""
        draw, damaged = self._draw, bytearray(raw)
        kind = draw.randrange(4)
        if kind == 0:
            return raw[: draw.randrange(len(raw) + 1)]
        if kind == 1:
            place = draw.randrange(len(raw) + 1)
            return raw[:place] + draw.randbytes(draw.randrange(1, 9)) + raw[place:]
        for _ in range(draw.randrange(1, 6)):
            if damaged:
                damaged[draw.randrange(len(damaged))] = draw.randrange(256)
        return bytes(damaged)
