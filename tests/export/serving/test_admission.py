"""Which requests are let in, and that those that are still being sent keep nobody from an answer."""

import contextlib
import json
import socket
import threading
import time

import grpc
import pytest
from tensorflow_serving.apis import predict_pb2

from export.serving.admission import MAX_WAITING, Admission, parsed
from export.serving.prediction import Limits, load_servable
from export.serving.refusals import Refusal
from export.serving.server import Server, Settings
from tests.export.serving.rig import GrpcClient, predict_request
from tests.export.serving.rig import http as ask

NAME = "tiny"
PATH = f"/v1/models/{NAME}:predict"
BODY = b'{"signature_name": "tokenize", "instances": ["ab"]}'
PREDICT = "/tensorflow.serving.PredictionService/Predict"


def test_places_and_bytes_are_held_until_the_end_of_the_block():
    admission = Admission(1, 100)
    for _ in range(2):
        with admission.held() as held:
            held.grow(60)
            held.grow(40)
            held.take_place()
            with pytest.raises(Refusal, match=r"^server: requests of 100 bytes are under way already"):
                held.grow(1)
            with (
                admission.held() as other,
                pytest.raises(Refusal, match=r"^server: 1 requests are") as refused,
            ):
                other.take_place()
            assert refused.value.code is grpc.StatusCode.UNAVAILABLE


def test_a_request_that_fails_gives_back_what_it_held():
    admission = Admission(1, 10)
    with contextlib.suppress(ValueError), admission.held() as held:
        held.grow(10)
        held.take_place()
        raise ValueError
    with admission.held() as held:
        held.grow(10)
        held.take_place()


def test_what_is_no_message_is_refused_by_its_name():
    assert parsed(predict_pb2.PredictRequest.FromString, b"") == predict_pb2.PredictRequest()
    with pytest.raises(Refusal, match=r"^message: must be a tensorflow.serving.PredictRequest; got 1 bytes"):
        parsed(predict_pb2.PredictRequest.FromString, b"\x0a")


@pytest.fixture
def serving(tiny_saved_model):
    started = []

    def start(load=load_servable, **settings):
        server = Server(
            Settings(tiny_saved_model.parent, NAME, port=0, rest_port=0, warm=False, **settings), load=load
        )
        server.start()
        started.append(server)
        return server

    yield start
    for server in started:
        server.stop()


def is_answered(server):
    """Over both protocols."""
    assert ask(server.rest_port, PATH, BODY, timeout=60)[0] == 200
    GrpcClient(server.port).predict(predict_request("tokenize", {"text": ["ab"]}, name=NAME), 60)


def test_more_slow_clients_than_may_wait_keep_nobody_from_an_answer(serving):
    server = serving(threads=1)
    head = f"POST {PATH} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(BODY)}\r\n\r\n".encode()
    slow = [socket.create_connection(("127.0.0.1", server.rest_port), 60) for _ in range(MAX_WAITING + 40)]
    for one in slow:
        one.sendall(head + BODY[:5])
    is_answered(server)
    for one in slow:
        one.sendall(BODY[5:])
    assert all(one.recv(12) in (b"HTTP/1.1 200", b"HTTP/1.1 503") for one in slow)
    for one in slow:
        one.close()


def test_grpc_clients_that_send_nothing_keep_nobody_from_an_answer(serving):
    server = serving(threads=1)
    sent = threading.Event()

    def requests():
        assert sent.wait(60)
        yield predict_request("tokenize", {"text": ["ab"]}, name=NAME).SerializeToString()

    with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        method = channel.stream_unary(PREDICT)  # its only message comes late
        slow = [method.future(requests(), timeout=120) for _ in range(30)]
        time.sleep(0.2)
        is_answered(server)
        sent.set()
        assert all(predict_pb2.PredictResponse.FromString(one.result()).outputs for one in slow)


def test_bytes_that_are_no_message_are_refused_as_invalid(serving):
    with grpc.insecure_channel(f"127.0.0.1:{serving().port}") as channel:
        for raw, message in (
            (b"\x0a", "must be a tensorflow"),
            (b"\x1a\x00" * 2_000_000, "1,000,000 fields"),
        ):
            with pytest.raises(grpc.RpcError) as refused:
                channel.unary_unary(PREDICT)(raw, timeout=60)
            assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
            assert message in refused.value.details()


def test_a_server_holds_no_more_bytes_than_it_may(serving):
    server = serving(limits=Limits(held_bytes=100))
    body = json.dumps({"signature_name": "tokenize", "instances": ["a" * 200]}).encode()
    status, answer = ask(server.rest_port, PATH, body)
    assert (status, b"requests of 100 bytes are under way already" in answer) == (503, True)
    request = predict_request("tokenize", {"text": ["a" * 200]}, name=NAME)
    with pytest.raises(grpc.RpcError) as refused:
        GrpcClient(server.port).predict(request, 60)
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
    assert ask(server.rest_port, PATH, BODY)[0] == 200
