"""`inference.GRPCInferenceService`: its methods without a network, and once over one."""

import threading
from concurrent.futures import ThreadPoolExecutor

import grpc
import numpy as np
import pytest

from export.serving.metrics import Metrics
from export.serving.observing import Observer
from export.serving.prediction import Limits, load_servable, predict
from export.serving.refusals import Refusal
from export.serving.store import Choice, ModelStore
from export.serving.v2.messages import MESSAGES, METHODS, SERVICE
from export.serving.v2.service import InferenceService, read_inference
from tests.export.serving.rig import predict_request
from tests.export.serving.test_grpc_service import AbortedError, Context
from tests.export.serving.v2.rig import TEXTS, from_message, message


class Stub:
    """The methods of a service, called as gRPC calls them."""

    def __init__(self, store, *, ending=False):
        event = threading.Event()
        if ending:
            event.set()
        observer = Observer(Metrics(), store.name)
        self.handler = InferenceService(store, Limits(rows=4), observer, event).handler()

    def __call__(self, method, request=None, **fields):
        class Details:
            def __init__(self):
                self.method, self.invocation_metadata = f"/{SERVICE}/{method}", ()

        found = self.handler.service(Details())
        request = METHODS[method][0](**fields) if request is None else request
        request = found.request_deserializer(request.SerializeToString())
        answer = found.unary_unary(request, Context())
        return METHODS[method][1].FromString(found.response_serializer(answer))


@pytest.fixture
def stub(tiny_store):
    return Stub(tiny_store)


def test_the_server_and_the_model_are_ready_and_described(stub, tiny_store):
    assert stub("ServerLive").live
    assert stub("ServerReady").ready
    assert not Stub(tiny_store, ending=True)("ServerReady").ready
    for version in ("", "1", "stable"):
        assert stub("ModelReady", name="tiny", version=version).ready
    server = stub("ServerMetadata")
    assert (server.name, list(server.extensions)) == ("gemma4-graph", ["binary_tensor_data"])
    found = stub("ModelMetadata", name="tiny")
    assert (found.name, list(found.versions), found.platform) == ("tiny", ["1"], "tensorflow_savedmodel")
    tensors = {tensor.name: (tensor.datatype, list(tensor.shape)) for tensor in found.inputs}
    assert tensors == {"images": ("BYTES", [-1, -1]), "prompts": ("BYTES", [-1])}
    assert "padding_mask" in [tensor.name for tensor in found.outputs]


def test_a_server_without_a_model_is_live_and_not_ready(tmp_path):
    empty = Stub(ModelStore("tiny", tmp_path, load_servable, Choice(), lambda _: None))
    assert empty("ServerLive").live
    assert not empty("ServerReady").ready
    assert not empty("ModelReady", name="tiny").ready  # its folder was not looked at yet


@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize(
    ("signature", "inputs"),
    [
        ("tokenize", TEXTS),
        ("detokenize", {"token_ids": [[97, 98], [99, 0]], "lengths": [2, 1]}),
        ("generate_postprocess", {"token_ids": [[97, 98]], "padding_mask": [[True, False]]}),
        ("", {"prompts": [b"ab", b""], "images": [[b"\xff\xd8"], [b""]]}),
    ],
)
def test_an_inference_gives_what_a_prediction_gives(stub, tiny_store, signature, inputs, raw):
    response = stub("ModelInfer", message(signature, inputs, raw=raw, id="7"))
    assert (response.model_name, response.model_version, response.id) == ("tiny", "1", "7")
    assert response.parameters["signature_name"].string_param == (signature or "serving_default")
    assert bool(response.raw_output_contents) == raw
    with tiny_store.use("tiny") as servable:
        theirs = predict(servable, predict_request(signature, inputs, name="tiny"), Limits())
    import tensorflow as tf

    ours = from_message(response)
    assert ours.keys() == set(theirs.outputs)
    for name, array in ours.items():
        np.testing.assert_array_equal(array, tf.make_ndarray(theirs.outputs[name]))


def test_outputs_are_chosen(stub):
    request = message("tokenize", TEXTS)
    request.outputs.add(name="lengths")
    assert list(from_message(stub("ModelInfer", request))) == ["lengths"]


def changed(**changes):
    """A good request with fields of its first input, or of itself, that are other ones."""
    request = message("tokenize", TEXTS, raw=changes.pop("raw", False))
    tensor = request.inputs[0]
    for name, value in changes.items():
        if name == "contents":
            tensor.contents.bytes_contents.extend(value)
        elif name == "shape":
            tensor.shape[:] = value
        elif name == "raw_input_contents":
            request.raw_input_contents[:] = value
        elif name == "signature":
            request.parameters["signature_name"].int64_param = value
        else:
            setattr(tensor if name in ("name", "datatype") else request, name, value)
    return request


def many(field):
    """A good request with 1,001 more of a field's tensors."""
    request = message("tokenize", TEXTS)
    for _ in range(1001):
        getattr(request, field).add()
    return request


REFUSED = {
    "another model": (changed(model_name="x"), "NOT_FOUND", "Servable not found for request: Latest(x)"),
    "no model": (changed(model_name=""), "NOT_FOUND", "ModelSpec has no name specified."),
    "another version": (changed(model_version="7"), "NOT_FOUND", "Specific(tiny, 7)"),
    "another label": (changed(model_version="x"), "NOT_FOUND", "Unrecognized servable version label: x"),
    "another signature": (message("x", TEXTS), "INVALID_ARGUMENT", "`signature_name`: must be one of"),
    "a signature in numbers": (
        changed(signature=7),
        "INVALID_ARGUMENT",
        "must be a string; got int64_par",
    ),
    "another tensor": (changed(name="texts"), "INVALID_ARGUMENT", "Signature input alias: text"),
    "another type": (changed(datatype="INT32"), "INVALID_ARGUMENT", "to be string but int32 is provided"),
    "no type": (changed(datatype="TEXT"), "INVALID_ARGUMENT", "`text`: datatype must be one of"),
    "a negative shape": (changed(shape=[-1]), "INVALID_ARGUMENT", "shape must be of whole numbers from 0"),
    "another rank": (changed(shape=[2, 1]), "INVALID_ARGUMENT", "must have shape [?]; got [2, 1]"),
    "more elements": (changed(contents=[b"x"]), "INVALID_ARGUMENT", "the 2 elements of shape [2]; got 3."),
    "a larger shape": (changed(shape=[3]), "INVALID_ARGUMENT", "the 3 elements of shape [3]; got 2."),
    "many axes": (changed(shape=[1] * 255), "INVALID_ARGUMENT", "`shape of text`: must have at most 254"),
    "many inputs": (many("inputs"), "INVALID_ARGUMENT", "`inputs`: must have at most 1,000 entries"),
    "many outputs": (many("outputs"), "INVALID_ARGUMENT", "`outputs`: must have at most 1,000 entries"),
    "rows": (changed(shape=[1 << 62]), "INVALID_ARGUMENT", "batch: must have at most 4 rows"),
    "raw and typed": (
        changed(raw=True, contents=[b"x"]),
        "INVALID_ARGUMENT",
        "`text`: contents must be raw or typed; got both.",
    ),
    "raw ones more": (
        changed(raw=True, raw_input_contents=[b"", b""]),
        "INVALID_ARGUMENT",
        "`raw_input_contents`: must have one for each input, 1; got 2.",
    ),
    "raw bytes less": (
        changed(raw=True, raw_input_contents=[b"\2\0\0\0a"]),
        "INVALID_ARGUMENT",
        "`text`: must have 2 strings, each behind its length",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_wrong_is_refused_with_its_code(stub, case):
    request, code, said = REFUSED[case]
    with pytest.raises(AbortedError) as aborted:
        stub("ModelInfer", request)
    assert aborted.value.args[0].name == code
    assert said in aborted.value.args[1]


@pytest.mark.parametrize("method", ["ModelReady", "ModelMetadata"])
def test_another_model_is_not_found(stub, method):
    with pytest.raises(AbortedError) as aborted:
        stub(method, name="x")
    assert aborted.value.args[0] is grpc.StatusCode.NOT_FOUND


def test_an_inference_without_contents_is_no_request():
    request = MESSAGES["ModelInferRequest"]()
    request.inputs.add(name="x", datatype="INT32", shape=[1])
    (tensor,) = read_inference(request).inputs
    with pytest.raises(Refusal, match=r"`x`: contents must be the 1 elements of shape \[1\]; got 0."):
        tensor.read()


def test_it_answers_over_a_network(tiny_store):
    server = grpc.server(ThreadPoolExecutor(1))
    service = InferenceService(tiny_store, Limits(), Observer(Metrics(), "tiny"), threading.Event())
    server.add_generic_rpc_handlers([service.handler()])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            infer = channel.unary_unary(
                f"/{SERVICE}/ModelInfer",
                request_serializer=lambda request: request.SerializeToString(),
                response_deserializer=METHODS["ModelInfer"][1].FromString,
            )
            response = infer(message("tokenize", TEXTS), timeout=60)
            assert from_message(response)["lengths"].tolist() == [2, 1]
            with pytest.raises(grpc.RpcError) as refused:
                infer(message("x", TEXTS), timeout=60)
            assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    finally:
        server.stop(None).wait()
