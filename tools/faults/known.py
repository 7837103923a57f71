"""Requests of every kind with their answers, which are computed in this process, without a server."""

import base64
import itertools
import json
import pathlib
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2

import graph_ops
from export.saved_model.write import export_saved_model
from export.serving import json_tensors, prediction
from export.serving.refusals import Refusal
from export.serving.store import Servable
from export.verify import samples
from export.verify.samples import demonstration_file

MODEL = "gemma4"
LENGTHS = {1: 256, 2: 320}
"""Version -> tokens of a row, by which their answers differ."""
FAULTY_EVERY = 20
"""One request in so many has a fault."""


class Known(NamedTuple):
    """A request, in both forms, and what each version answers.

    Attributes:
        request: over gRPC.
        body: over REST.
        outputs: version -> tensors of the message; None where it is refused.
        json: version -> the body of REST's answer.
        code: number of gRPC's status.
        http: status of REST.
    """

    request: Any
    body: bytes
    outputs: dict[int, Any]
    json: dict[int, bytes]
    code: int = 0
    http: int = 200


def write_version(folder: pathlib.Path, version: int) -> None:
    """Exports a version with all media and few soft tokens, so that answers are small."""
    preprocessor = graph_ops.Gemma4CausalLMPreprocessor(
        graph_ops.Gemma4Tokenizer(demonstration_file("demonstration.spm")),
        graph_ops.Gemma4ImageConverter(max_soft_tokens=20, max_image_pixels=25_000_000),
        graph_ops.Gemma4AudioConverter(max_audio_length=4),
        sequence_length=LENGTHS[version],
        num_vision_tokens_per_image=20,
        num_audio_tokens_per_clip=100,
    )
    export_saved_model(preprocessor, folder, version=version)


def known_requests(folder: pathlib.Path) -> list[Known]:
    """Requests for the versions in the folder, every twentieth of them faulty, in a fixed order."""
    servables = {
        version: prediction.load_servable(version, folder / str(version), warm=False) for version in LENGTHS
    }
    goods = [_good(servables, signature, inputs) for signature, inputs in _inputs()]
    faults = itertools.cycle([*_row_faults(servables), *_refused(servables[1])])
    every: list[Known] = []
    for place in range(len(goods) * FAULTY_EVERY):
        every.append(next(faults) if place % FAULTY_EVERY == 7 else goods[place % len(goods)])
    return every


def _inputs() -> Iterable[tuple[str, dict[str, Any]]]:
    photo = demonstration_file("photo.jpg").read_bytes()
    speech = demonstration_file("speech.wav").read_bytes()
    small = tf.io.encode_png(samples.pixels(40, 60)).numpy()
    for number in range(12):
        yield "generate_preprocess_text", {"prompts": [f"prompt {number} " + "word " * number]}
        yield "tokenize", {"text": [f"text {number} " * (number + 1), "another"]}
        if number % 4 == 0:
            files = [[small], [b""]]
            yield "generate_preprocess_image", {"prompts": [f"{number} <|image|>", "none"], "images": files}
    yield "generate_preprocess_image", {"prompts": ["photo <|image|>"], "images": [[photo]]}
    yield "generate_preprocess_audio", {"prompts": ["hear <|audio|>"], "audio": [[speech]]}
    yield (
        "generate_preprocess",
        {"prompts": ["<|image|>", "<|audio|> x"], "images": [[small], [b""]], "audio": [[b""], [speech]]},
    )
    ids = np.array([[300, 400, 500]], np.int32)
    yield "detokenize", {"token_ids": ids, "lengths": np.array([3], np.int32)}


def _message(signature: str, inputs: dict[str, Any]) -> Any:
    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = MODEL, signature
    for key, value in inputs.items():
        request.inputs[key].CopyFrom(tf.make_tensor_proto(value))
    return request


def _body(signature: str, inputs: dict[str, Any]) -> bytes:
    document = {key: _as_json(value) for key, value in inputs.items()}
    return json.dumps({"signature_name": signature, "inputs": document}).encode()


def _as_json(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"b64": base64.b64encode(value).decode()}
    if isinstance(value, list):
        return [_as_json(item) for item in value]
    return value.tolist() if isinstance(value, np.ndarray) else value


def _good(servables: dict[int, Servable], signature: str, inputs: dict[str, Any]) -> Known:
    request, limits = _message(signature, inputs), prediction.Limits()
    outputs, written = {}, {}
    for version, servable in servables.items():
        outputs[version] = prediction.predict(servable, request, limits).outputs
        arrays = prediction.run_request(servable, request, limits)[1]
        written[version] = json_tensors.write(arrays, in_rows=False)
    return Known(request, _body(signature, inputs), outputs, written)


def _row_faults(servables: dict[int, Servable]) -> Iterable[Known]:
    """Answered, with a status that says what is wrong with the row."""
    bad = {"prompts": ["<|image|>", "good"], "images": [[b"no image"], [b""]]}
    yield _good(servables, "generate_preprocess_image", bad)
    yield _good(servables, "generate_preprocess_text", {"prompts": ["<|image|>", "good"]})


def _refused(servable: Servable) -> Iterable[Known]:
    for signature, inputs, body in (
        ("generate_preprocess_text", {"prompts": [1]}, b'{"signature_name": "tokenize", "inputs": [1]}'),
        ("generate_preprocess_image", {"prompts": ["a"]}, b'{"inputs": {}}'),
        ("tokenize", {"text": ["a"] * 10_000}, b"{"),
    ):
        request = _message(signature, inputs)
        try:
            prediction.predict(servable, request, prediction.Limits())
        except Refusal as refusal:
            yield Known(request, body, {}, {}, refusal.code.value[0], 400)
