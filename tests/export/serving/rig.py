"""What the tests of serving share: a small export, requests by gRPC and REST, and their answers as arrays."""

import base64
import json
import urllib.error
import urllib.request

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import model_service_pb2_grpc, predict_pb2, prediction_service_pb2_grpc

import graph_ops
from export.saved_model.write import export_saved_model
from export.verify.samples import demonstration_file

NAME = "gemma4"
PREDICT = f"/v1/models/{NAME}:predict"
SEQUENCE_LENGTH = 256


def small_preprocessor(**settings):
    """All media, but few soft tokens, so that an answer is small."""
    return graph_ops.Gemma4CausalLMPreprocessor(
        graph_ops.Gemma4Tokenizer(demonstration_file("demonstration.spm")),
        graph_ops.Gemma4ImageConverter(max_soft_tokens=20, **settings),
        graph_ops.Gemma4AudioConverter(max_audio_length=4),
        sequence_length=SEQUENCE_LENGTH,
        num_vision_tokens_per_image=20,
        num_audio_tokens_per_clip=100,
    )


def export_small(folder, version=1, **settings):
    return export_saved_model(small_preprocessor(**settings), folder, version=version)


class GrpcClient:
    """Stubs of both services on one channel."""

    def __init__(self, port):
        options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
        self.channel = grpc.insecure_channel(f"127.0.0.1:{port}", options)
        self.prediction = prediction_service_pb2_grpc.PredictionServiceStub(self.channel)
        self.model = model_service_pb2_grpc.ModelServiceStub(self.channel)

    def predict(self, request, timeout=300):
        return self.prediction.Predict(request, timeout, wait_for_ready=False)


def predict_request(signature, inputs, name=NAME, **choice):
    """A PredictRequest of arrays or nested lists."""
    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = name, signature
    for key, value in inputs.items():
        request.inputs[key].CopyFrom(tf.make_tensor_proto(value))
    if "version" in choice:
        request.model_spec.version.value = choice["version"]
    if "label" in choice:
        request.model_spec.version_label = choice["label"]
    request.output_filter.extend(choice.get("output_filter", []))
    return request


def http(port, path, document=None, timeout=300, method=None):
    """Status and body of a REST request; the body of a request is bytes or what becomes JSON."""
    body = document if document is None or isinstance(document, bytes) else json.dumps(document).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body, method=method)
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def as_json(value):
    """Arrays and bytes in nested lists as JSON values, bytes in base64."""
    if isinstance(value, bytes):
        return {"b64": base64.b64encode(value).decode()}
    if isinstance(value, list | tuple):
        return [as_json(item) for item in value]
    return value.tolist() if isinstance(value, np.ndarray) else value


def call(loaded, signature, inputs):
    """The same in this process, without a server."""
    function = loaded.signatures[signature]
    specs = function.structured_input_signature[1]
    outputs = function(**{key: tf.constant(value, specs[key].dtype) for key, value in inputs.items()})
    return {key: value.numpy() for key, value in outputs.items()}
