"""The embedded server answers as the signatures do in this process, and refuses as TF Serving does, over gRPC
and REST.
"""

import json
import socket
import threading

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_management_pb2,
)

from export.saved_model import run as running
from export.saved_model.warmup import WARMUP, read_warmup_requests
from export.serving.prediction import Limits, check_inputs, predict
from export.serving.refusals import Refusal
from export.serving.server import Server, Settings, _listen
from export.serving.store import Choice
from export.serving.v2.messages import METHODS, SERVICE
from export.serving_configuration import allowed_batch_sizes
from export.verify import samples
from tests.comparing import assert_same
from tests.export.serving.refusals import BODIES, PATHS, REFUSED, TEXT
from tests.export.serving.rig import (
    NAME,
    PREDICT,
    SEQUENCE_LENGTH,
    GrpcClient,
    as_json,
    call,
    export_small,
    http,
    predict_request,
)
from tests.export.serving.v2 import rig as v2


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("serving")
    export_small(folder)
    return folder


@pytest.fixture(scope="module")
def server(folder):
    choice = Choice(latest=2, labels={"stable": 1, "canary": 2})
    server = Server(
        Settings(folder, port=0, rest_port=0, choice=choice, limits=Limits(rows=16, request_bytes=4 << 20))
    )
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def servable(server):
    with server.store.use(NAME) as servable:
        return servable


@pytest.fixture(scope="module")
def loaded(servable):
    return running.Loaded(servable.module, servable.functions)


@pytest.fixture(scope="module")
def client(server):
    return GrpcClient(server.port)


@pytest.fixture(scope="module")
def requests(photo, speech):
    """Inputs of every signature, two rows each, good and faulty."""
    small = tf.io.encode_png(samples.pixels(40, 60)).numpy()
    mixed = {
        "prompts": ["see <|image|> hear <|audio|>", "bad <|image|>"],
        "images": [[photo, b""], [b"no image", small]],
        "audio": [[speech], [b""]],
    }
    row = {"token_ids": np.array([[300, 400, 500], [301, 99_999, 0]], np.int32)}
    lengths = np.array([3, 2], np.int32)
    said = {
        "roles": [["system", "user"], ["no role", ""]],
        "parts": [[["Be brief.", "", ""], ["see", "", ""]], [["x", "", ""], ["", "", ""]]],
        "part_types": [[["text", "", ""], ["text", "image", "audio"]], [["text", "", ""], ["", "", ""]]],
        "images": [[photo, b""], [b"", b""]],
        "audio": [[speech], [b""]],
        "enable_thinking": np.array([True, False]),
        "preserve_thinking": np.array([False, False]),
    }
    prompting = {"add_generation_prompt": np.array([True, True])}
    used = {
        "names": [["", ""], ["", ""]],
        "thoughts": [["", ""], ["", ""]],
        "calls": [[[""], [""]], [[""], [""]]],
        "responses": [[[""], [""]], [[""], [""]]],
        "tools": [['declaration:f{description:<|"|>F.<|"|>}'], [""]],
    }
    return {
        "generate_preprocess_chat": said | prompting,
        "generate_preprocess_chat_tools": said | prompting | used,
        "preprocess_chat": said | used,
        "tokenize_with_offsets": {"text": ["hello", "Größe"]},
        "detokenize_stream": {
            **row,
            "lengths": lengths,
            "pending": np.zeros((2, 3), np.int32),
            "is_last": np.array([True, False]),
        },
        "parse_response": {**row, "lengths": lengths, "in_thought": np.array([False, True])},
        "count_tokens": {
            "prompts": ["<|image|><|audio|>", "none"],
            "image_sizes": np.array([[[20, 30]], [[0, 0]]], np.int32),
            "audio_lengths": np.array([[700], [0]], np.int32),
        },
        "generate_preprocess": mixed,
        "serving_default": mixed,
        "generate_preprocess_text": {"prompts": ["Hello there", "Größe 日本\n"]},
        "generate_preprocess_image": {"prompts": ["<|image|>", "none"], "images": [[small], [b""]]},
        "generate_preprocess_audio": {"prompts": ["<|audio|>", "none"], "audio": [[speech], [b""]]},
        "generate_preprocess_arrays": {
            "prompts": ["<|image|><|audio|>", "none"],
            "images": np.stack([samples.pixels(20, 30)[np.newaxis]] * 2),
            "image_sizes": np.array([[[20, 30]], [[0, 0]]], np.int32),
            "audio": np.stack([samples.sounds(700)["sweep"][np.newaxis]] * 2),
            "audio_lengths": np.array([[700], [0]], np.int32),
        },
        "preprocess": {**mixed, "responses": ["yes", "no"]},
        "generate_postprocess": {
            **row,
            "padding_mask": np.array([[True, True, False], [True, False, False]]),
        },
        "tokenize": {"text": ["hello", "a longer text"]},
        "detokenize": {**row, "lengths": lengths},
    }


def same(outputs, expected):
    assert outputs.keys() == expected.keys()
    for name, value in expected.items():
        assert outputs[name].dtype == value.dtype, name
        assert_same(outputs[name], value, name)


def test_every_signature_answers_over_grpc_as_in_this_process(client, loaded, requests):
    assert requests.keys() == loaded.signatures.keys()
    for name, inputs in requests.items():
        response = client.predict(predict_request(name, inputs))
        same(
            {key: tf.make_ndarray(proto) for key, proto in response.outputs.items()},
            call(loaded, name, inputs),
        )
        spec = response.model_spec
        assert (spec.name, spec.version.value, spec.signature_name) == (NAME, 1, name)


def test_every_signature_answers_over_rest_as_in_this_process_in_columns_and_rows(server, loaded, requests):
    for name, inputs in requests.items():
        expected = call(loaded, name, inputs)
        columns = {key: as_json(value) for key, value in inputs.items()}
        rows = [{key: value[row] for key, value in columns.items()} for row in range(2)]
        code, body = http(server.rest_port, PREDICT, {"signature_name": name, "inputs": columns})
        assert code == 200, body
        same(from_json(json.loads(body)["outputs"], expected), expected)
        code, body = http(server.rest_port, PREDICT, {"signature_name": name, "instances": rows})
        assert code == 200, body
        answers = json.loads(body)["predictions"]
        same(from_json({key: [answer[key] for answer in answers] for key in answers[0]}, expected), expected)


def test_every_signature_answers_by_the_open_inference_protocol(server, client, loaded, requests):
    """Over REST, and over gRPC with raw and with typed contents."""
    infer = client.channel.unary_unary(
        f"/{SERVICE}/ModelInfer",
        request_serializer=lambda request: request.SerializeToString(),
        response_deserializer=METHODS["ModelInfer"][1].FromString,
    )
    for name, inputs in requests.items():
        expected = call(loaded, name, inputs)
        code, body = http(server.rest_port, f"/v2/models/{NAME}/infer", v2.json_request(name, inputs))
        assert code == 200, body
        same(v2.from_json(json.loads(body)), expected)
        for raw in (False, True):
            same(v2.from_message(infer(v2.message(name, inputs, raw=raw, name=NAME), 300)), expected)


def encoded(texts):
    """Strings in nested lists as bytes."""
    return texts.encode() if isinstance(texts, str) else [encoded(each) for each in texts]


def from_json(outputs, expected):
    return {
        key: np.array(encoded(value), object).reshape(expected[key].shape)
        if expected[key].dtype == object
        else np.array(value, expected[key].dtype)
        for key, value in outputs.items()
    }


def test_rows_of_the_only_input_need_no_name(server, loaded):
    texts = ["hello", "there"]
    for document in ({"instances": texts}, {"inputs": texts}, {"inputs": {"prompts": texts}}):
        code, body = http(
            server.rest_port, PREDICT, {"signature_name": "generate_preprocess_text", **document}
        )
        assert code == 200
        answer = json.loads(body)
        ids = (
            answer["outputs"]["token_ids"]
            if "outputs" in answer
            else [row["token_ids"] for row in answer["predictions"]]
        )
        assert ids == call(loaded, "generate_preprocess_text", {"prompts": texts})["token_ids"].tolist()


def test_answers_are_in_typed_fields_as_tf_servings_are(client):
    outputs = client.predict(
        predict_request("generate_preprocess_image", {"prompts": ["a"], "images": [[b""]]})
    ).outputs
    assert len(outputs["token_ids"].int_val) == SEQUENCE_LENGTH
    assert len(outputs["padding_mask"].bool_val) == SEQUENCE_LENGTH
    assert len(outputs["pixel_values"].float_val) == tf.make_ndarray(outputs["pixel_values"]).size
    assert list(outputs["status"].string_val) == [b""]


def test_an_output_filter_leaves_the_rest_out(client):
    request = predict_request(
        "generate_preprocess_text", {"prompts": ["a"]}, output_filter=["status", "token_ids"]
    )
    assert client.predict(request).outputs.keys() == {"status", "token_ids"}


def test_no_rows_are_an_answer_of_no_rows(client):
    response = client.predict(predict_request("generate_preprocess_text", {"prompts": np.zeros(0, object)}))
    assert tf.make_ndarray(response.outputs["token_ids"]).shape == (0, SEQUENCE_LENGTH)


def test_default_signature_version_and_label(client, server):
    inputs = {"prompts": ["a"], "images": [[b""]], "audio": [[b""]]}
    assert client.predict(predict_request("", inputs)).model_spec.signature_name == "serving_default"
    for choice in ({"version": 1}, {"label": "stable"}):
        spec = client.predict(predict_request("", inputs, **choice)).model_spec
        assert (spec.version.value, spec.version_label) == (1, "")
    for path in ("versions/1", "labels/stable"):
        assert (
            http(server.rest_port, f"/v1/models/{NAME}/{path}:predict", {"inputs": inputs_as_json(inputs)})[0]
            == 200
        )


def inputs_as_json(inputs):
    return {key: as_json(value) for key, value in inputs.items()}


@pytest.mark.parametrize("case", REFUSED)
def test_grpc_refuses_with_tf_servings_code_and_sentence(client, case):
    request, code, message = REFUSED[case]
    with pytest.raises(grpc.RpcError) as refused:
        client.predict(request)
    assert refused.value.code().name == code
    assert message in refused.value.details()


def test_a_request_without_model_spec_is_refused(client):
    for method, request in (
        (client.prediction.Predict, predict_request("", TEXT)),
        (
            client.prediction.GetModelMetadata,
            get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"]),
        ),
        (client.model.GetModelStatus, get_model_status_pb2.GetModelStatusRequest()),
    ):
        request.ClearField("model_spec")
        with pytest.raises(grpc.RpcError, match="Missing ModelSpec"):
            method(request)


def test_a_shape_without_its_values_allocates_nothing(client):
    request = predict_request(
        "detokenize", {"token_ids": np.zeros((1, 1), np.int32), "lengths": np.zeros(1, np.int32)}
    )
    for size in (1 << 40, -5):
        request.inputs["token_ids"].tensor_shape.dim[1].size = size
        with pytest.raises(grpc.RpcError, match="tensor parsing error: token_ids: shape"):
            client.predict(request)
    request.inputs["token_ids"].tensor_shape.dim[1].size = 3
    request.inputs["token_ids"].tensor_content = b"\x00" * 8
    with pytest.raises(grpc.RpcError, match="tensor parsing error: token_ids"):
        client.predict(request)


def test_one_value_fills_a_tensor_as_in_tensorflow(client, loaded):
    request = predict_request(
        "detokenize", {"token_ids": np.full((1, 1), 300, np.int32), "lengths": np.array([3], np.int32)}
    )
    request.inputs["token_ids"].Clear()
    request.inputs["token_ids"].MergeFrom(tf.make_tensor_proto(300, tf.int32, (1, 3)))
    expected = call(
        loaded,
        "detokenize",
        {"token_ids": np.full((1, 3), 300, np.int32), "lengths": np.array([3], np.int32)},
    )
    assert list(client.predict(request).outputs["text"].string_val) == expected["text"].tolist()


def test_methods_that_are_not_there_are_unimplemented(client, server):
    for method, request in (
        (client.prediction.Classify, classification_pb2.ClassificationRequest()),
        (client.model.HandleReloadConfigRequest, model_management_pb2.ReloadConfigRequest()),
    ):
        with pytest.raises(grpc.RpcError) as refused:
            method(request)
        assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED
    assert http(server.rest_port, f"/v1/models/{NAME}:classify", {"examples": [{}]})[0] == 501


def test_metadata_are_the_signatures_of_the_saved_model(client, server, loaded):
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    request.model_spec.name = NAME
    response = client.prediction.GetModelMetadata(request)
    assert (response.model_spec.name, response.model_spec.version.value) == (NAME, 1)
    table = get_model_metadata_pb2.SignatureDefMap()
    response.metadata["signature_def"].Unpack(table)
    assert set(table.signature_def) - {"__saved_model_init_op"} == set(loaded.signatures)
    code, body = http(server.rest_port, f"/v1/models/{NAME}/metadata")
    document = json.loads(body)
    assert code == 200
    assert document["model_spec"] == {"name": NAME, "signature_name": "", "version": "1"}
    text = document["metadata"]["signature_def"]["signature_def"]["tokenize"]
    assert text["method_name"] == "tensorflow/serving/predict"
    assert text["inputs"]["text"]["dtype"] == "DT_STRING"
    assert text["inputs"]["text"]["tensor_shape"]["dim"] == [{"size": "-1", "name": ""}]
    for fields, message in (
        ([], "must specify at least one metadata_field"),
        (["weights"], "Metadata field weights is not supported"),
    ):
        del request.metadata_field[:]
        request.metadata_field.extend(fields)
        with pytest.raises(grpc.RpcError, match=message):
            client.prediction.GetModelMetadata(request)


def test_status_lists_the_versions(client, server):
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = NAME
    (status,) = client.model.GetModelStatus(request).model_version_status
    assert (status.version, status.state) == (1, get_model_status_pb2.ModelVersionStatus.AVAILABLE)
    one = {"version": "1", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
    for path in ("", "/versions/1", "/labels/stable"):
        code, body = http(server.rest_port, f"/v1/models/{NAME}{path}")
        assert (code, json.loads(body)) == (200, {"model_version_status": [one]})


@pytest.mark.parametrize("case", PATHS)
def test_rest_paths_are_tf_servings(server, case):
    method, path, code, message = PATHS[case]
    status, body = http(server.rest_port, path, b"{}" if method == "POST" else None, method=method)
    assert status == code
    assert message in json.loads(body)["error"]


def test_rest_paths_are_read_in_any_case_and_escaped(server):
    assert http(server.rest_port, "/V1/Models/gemma%34")[0] == 200


@pytest.mark.parametrize("case", BODIES)
def test_rest_refuses_a_body_with_400(server, case):
    document, message = BODIES[case]
    status, body = http(server.rest_port, PREDICT, document)
    assert status == 400
    assert message in json.loads(body)["error"]


def test_a_body_over_the_limit_is_refused_with_413(server):
    status, body = http(server.rest_port, PREDICT, b" " * ((4 << 20) + 1))
    assert status == 413
    assert "body: must have at most 4,194,304 bytes" in json.loads(body)["error"]


def test_sixteen_clients_at_once_get_their_own_answers(client, loaded):
    texts = [f"client {index} says {'word ' * index}" for index in range(16)]
    answers = {}

    def ask(index):
        for _ in range(5):
            response = client.predict(predict_request("tokenize", {"text": [texts[index]]}))
            answers.setdefault(index, []).append(tf.make_ndarray(response.outputs["token_ids"]).tolist())

    threads = [threading.Thread(target=ask, args=(index,)) for index in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for index, text in enumerate(texts):
        assert answers[index] == [call(loaded, "tokenize", {"text": [text]})["token_ids"].tolist()] * 5


def test_an_answer_over_the_limit_is_refused_before_it_is_computed(servable):
    given = {"prompts": (7, (3,)), "images": (7, (3, 1)), "audio": (7, (3, 1))}
    limits = Limits(answer_bytes=3_000_000)
    with pytest.raises(
        Refusal, match=r"batch: must have at most \d rows .* with answers of [0-9,]+ bytes each"
    ):
        check_inputs(servable, "generate_preprocess", given, (), limits)
    check_inputs(servable, "generate_preprocess", given, ("token_ids",), limits)


def test_a_failing_graph_is_an_error_with_its_code(client, server):
    inputs = {"token_ids": np.zeros((1, 2), np.int32), "padding_mask": np.zeros((1, 3), bool)}
    with pytest.raises(grpc.RpcError) as refused:
        client.predict(predict_request("generate_postprocess", inputs))
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    code, body = http(
        server.rest_port,
        PREDICT,
        {"signature_name": "generate_postprocess", "inputs": inputs_as_json(inputs)},
    )
    assert code == 400
    assert json.loads(body)["error"] == refused.value.details()


def test_warmup_requests_cover_every_signature_at_every_allowed_batch_size_and_are_small(folder, loaded):
    covered = [
        (request.model_spec.signature_name, rows_of(request))
        for request in read_warmup_requests(folder / "1")
    ]
    assert covered == [(name, rows) for name in sorted(loaded.signatures) for rows in allowed_batch_sizes()]
    assert (folder / "1" / WARMUP).stat().st_size < 200_000


def rows_of(request):
    (rows,) = {proto.tensor_shape.dim[0].size for proto in request.inputs.values()}
    return rows


def test_warmup_requests_are_good_requests_here_and_over_grpc(folder, servable, client):
    for request in read_warmup_requests(folder / "1"):
        request.model_spec.name = NAME
        here, there = predict(servable, request, Limits()), client.predict(request)
        assert there == here
        assert set(here.outputs["status"].string_val) <= {b""}, request.model_spec.signature_name


def test_a_second_server_on_a_port_is_refused(folder, server):
    for taken, name in (
        ({"port": server.port, "rest_port": 0}, "port"),
        ({"port": 0, "rest_port": server.rest_port}, "rest_port"),
    ):
        with pytest.raises(ValueError, match=f"`{name}`: must be free; 127.0.0.1:{taken[name]} is not"):
            Server(Settings(folder, **taken))


def test_a_folder_without_versions_is_refused(folder, tmp_path):
    with pytest.raises(
        ValueError, match="`folder`: must hold a version, a folder with a number for a name; found none"
    ):
        Server(Settings(tmp_path))
    with pytest.raises(
        ValueError, match=f"must be the folder of a model, above its versions; .* Pass {folder}"
    ):
        Server(Settings(folder / "1"))
    (tmp_path / "1").mkdir()
    with pytest.raises(
        ValueError, match=r"`folder`: must hold a version that loads; got .*no saved_model.pb"
    ):
        Server(Settings(tmp_path, port=0, rest_port=0)).start()


def test_an_answer_on_a_kept_alive_connection_does_not_wait_for_an_acknowledgement():
    with _listen("127.0.0.1", 0) as listening, socket.create_connection(listening.getsockname()):
        connection, _ = listening.accept()
        with connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
