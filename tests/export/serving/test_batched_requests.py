"""A server that batches: requests of every protocol run together, each answered as if it were alone."""

import json
import random
import time
from concurrent.futures import ThreadPoolExecutor

import grpc
import numpy as np
import pytest
import tensorflow as tf

from export.batching_parameters import BatchingParameters, read_batching_parameters
from export.serving.prediction import load_servable
from export.serving.server import MAX_WAITING, Server, Settings
from export.serving.v2.messages import METHODS, SERVICE
from export.serving_configuration import BATCHING
from export.verify import samples
from tests.comparing import assert_same
from tests.export.serving.rig import GrpcClient, as_json, call, predict_request
from tests.export.serving.rig import http as ask
from tests.export.serving.v2 import rig as v2

NAME = "tiny"
LONG = 600_000_000
"""Microseconds that no test waits."""


def serve(folder, **parameters):
    batching = BatchingParameters(batch_timeout_micros=LONG, **parameters)
    server = Server(Settings(folder, NAME, port=0, rest_port=0, warm=False, batching=batching))
    server.start()
    return server


@pytest.fixture
def serving(tiny_saved_model):
    started = []

    def start(**parameters):
        started.append(serve(tiny_saved_model.parent, **parameters))
        return started[-1]

    yield start
    for server in started:
        server.stop()


def until(holds):
    """Waits until what it asks for holds; returns that."""
    end = time.monotonic() + 60
    while not (found := holds()):
        assert time.monotonic() < end
        time.sleep(0.001)
    return found


def waiting_task(server):
    """The first request that waits for others, when there is one."""
    return until(lambda: [*server._scheduler._queues])[0].batches[0].tasks[0]


def graph_calls(server, name=NAME):
    """How often a graph ran."""
    _, text = ask(server.rest_port, "/monitoring/prometheus/metrics")
    labels = f'runtime_latency_count{{API="Predict",model_name="{name}",runtime="TF1"}} '
    return int(float(text.decode().split(labels)[1].split()[0]))


def by_grpc(server, text):
    request = predict_request("tokenize", {"text": [text]}, name=NAME)
    return tf.make_ndarray(GrpcClient(server.port).predict(request, 60).outputs["token_ids"]).tolist()


def by_rest(server, text):
    body = {"signature_name": "tokenize", "instances": [text]}
    status, answer = ask(server.rest_port, f"/v1/models/{NAME}:predict", body, timeout=60)
    assert status == 200, answer
    return [json.loads(answer)["predictions"][0]["token_ids"]]


def by_v2_grpc(server, text):
    with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        infer = channel.unary_unary(
            f"/{SERVICE}/ModelInfer",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=METHODS["ModelInfer"][1].FromString,
        )
        return v2.from_message(infer(v2.message("tokenize", {"text": [text]}), timeout=60))[
            "token_ids"
        ].tolist()


def by_v2_rest(server, text):
    body = v2.json_request("tokenize", {"text": [text]}, outputs=[{"name": "token_ids"}])
    status, answer = ask(server.rest_port, f"/v2/models/{NAME}/infer", body, timeout=60)
    assert status == 200, answer
    return v2.from_json(json.loads(answer))["token_ids"].tolist()


WAYS = (by_grpc, by_rest, by_v2_grpc, by_v2_rest)


def test_requests_of_every_protocol_run_as_one_batch(serving):
    server = serving(max_batch_size=len(WAYS))
    texts = ["ab", "ba", "aa", "bb"]
    with ThreadPoolExecutor(len(WAYS)) as pool:
        answers = [pool.submit(way, server, text) for way, text in zip(WAYS, texts, strict=True)]
    assert [answer.result() for answer in answers] == [[[ord(letter) for letter in text]] for text in texts]
    assert graph_calls(server) == 1


def test_a_request_over_the_largest_batch_is_refused_with_tf_servings_sentence(serving):
    server = serving(max_batch_size=2)
    sentence = "Task size 3 is larger than maximum input batch size 2"
    with pytest.raises(grpc.RpcError) as refused:
        GrpcClient(server.port).predict(predict_request("tokenize", {"text": ["a"] * 3}, name=NAME), 60)
    assert (refused.value.code(), refused.value.details()) == (grpc.StatusCode.INVALID_ARGUMENT, sentence)
    body = {"signature_name": "tokenize", "instances": ["a"] * 3}
    assert ask(server.rest_port, f"/v1/models/{NAME}:predict", body) == (
        400,
        json.dumps({"error": sentence}).encode(),
    )


def test_a_client_that_gives_up_in_the_queue_leaves_the_others_whole(serving):
    server = serving(max_batch_size=2)
    request = predict_request("tokenize", {"text": ["a"]}, name=NAME)
    gone = GrpcClient(server.port).prediction.Predict.future(request, 600)
    waiting = waiting_task(server)
    gone.cancel()
    until(lambda: not waiting.is_awaited())
    assert by_rest(server, "b") == [[ord("b")]]
    assert graph_calls(server) == 1


@pytest.mark.parametrize("way", WAYS)
def test_a_server_that_ends_lets_no_batch_wait_for_more_rows(tiny_saved_model, way):
    server = serve(tiny_saved_model.parent, max_batch_size=2)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(way, server, "ab")
        waiting_task(server)
        server.stop()
    assert answer.result() == [[ord("a"), ord("b")]]


def test_a_filter_of_outputs_keeps_no_request_from_a_batch(serving):
    server = serving(max_batch_size=2)
    with ThreadPoolExecutor(2) as pool:
        request = predict_request("tokenize", {"text": ["ab"]}, name=NAME, output_filter=["lengths"])
        some = pool.submit(GrpcClient(server.port).predict, request, 60)
        assert by_rest(server, "b") == [[ord("b"), 0]]  # as wide as its batch
    assert {key: tf.make_ndarray(value).tolist() for key, value in some.result().outputs.items()} == {
        "lengths": [2]
    }
    assert graph_calls(server) == 1


def test_the_scheduler_keeps_no_queue_in_which_nothing_waits(serving):
    server = serving(max_batch_size=1)
    assert by_grpc(server, "a") == [[ord("a")]]
    assert not server._scheduler._queues


def test_a_protocol_has_threads_enough_to_fill_two_batches(tmp_path):
    assert Settings(tmp_path, threads=3).handlers == 3
    assert Settings(tmp_path, threads=3, batching=BatchingParameters(max_batch_size=8)).handlers == 16
    assert Settings(tmp_path, threads=40, batching=BatchingParameters(max_batch_size=8)).handlers == 40
    assert Settings(tmp_path, batching=BatchingParameters()).handlers == MAX_WAITING


VARIED = {"tokenize": ("token_ids",)}
"""Outputs that are as wide as the longest row of their batch."""


def random_requests(count, photo, speech):
    """Signature and inputs, with one to three rows, one in five of them faulty."""
    choose = random.Random(5)
    small = tf.io.encode_png(samples.pixels(40, 60)).numpy()
    made = []
    for number in range(count):
        rows = range(choose.randint(1, 3))
        words = [f"{number} " + "word " * choose.randint(0, 30) for _ in rows]
        files = [[choose.choice([photo, small, b"no image"]), b""] for _ in rows]
        clips = [[choose.choice([speech, b"RIFF"])] for _ in rows]
        made.append(
            choose.choice(
                [
                    ("tokenize", {"text": words}),
                    ("generate_preprocess_text", {"prompts": words}),
                    (
                        "generate_preprocess_image",
                        {"prompts": [f"{w}<|image|>" for w in words], "images": files},
                    ),
                    (
                        "generate_preprocess_audio",
                        {"prompts": [f"<|audio|>{w}" for w in words], "audio": clips},
                    ),
                ]
            )
        )
    return made


def outputs_of(server, signature, inputs, *, over_grpc):
    if over_grpc:
        request = predict_request(signature, inputs, name="gemma4")
        found = GrpcClient(server.port).predict(request, 600).outputs
        return {key: tf.make_ndarray(value) for key, value in found.items()}
    body = {"signature_name": signature, "inputs": {key: as_json(value) for key, value in inputs.items()}}
    status, answer = ask(server.rest_port, "/v1/models/gemma4:predict", body, timeout=600)
    assert status == 200, answer
    return json.loads(answer)["outputs"]


def assert_alone(found, expected, signature):
    """The answer of a request in a batch is that of the request alone."""
    assert found.keys() == expected.keys()
    for key, array in expected.items():
        given = found[key]
        if isinstance(given, list):  # JSON
            given = np.array(given, object if array.dtype == object else array.dtype)
            array = np.vectorize(bytes.decode, otypes=[object])(array) if array.dtype == object else array
        if key in VARIED.get(signature, ()):
            assert not given[:, array.shape[1] :].any()
            given = given[:, : array.shape[1]]
        assert_same(given, array, key)


@pytest.mark.slow
def test_random_requests_of_many_clients_are_answered_as_if_alone(demo, photo, speech):
    folder = demo / "gemma4"
    alone = load_servable(1, folder / "1", warm=False)
    server = Server(
        Settings(folder, port=0, rest_port=0, warm=False, batching=read_batching_parameters(BATCHING))
    )
    server.start()
    try:
        requests = random_requests(24, photo, speech)
        with ThreadPoolExecutor(16) as pool:
            answers = [
                pool.submit(outputs_of, server, *request, over_grpc=place % 2 == 0)
                for place, request in enumerate(requests)
            ]
        for (signature, inputs), answer in zip(requests, answers, strict=True):
            assert_alone(answer.result(), call(alone.module, signature, inputs), signature)
        assert graph_calls(server, "gemma4") < len(requests)
    finally:
        server.stop()
