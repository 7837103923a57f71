"""A server from its start to its end: what it says while it loads, serves and ends, and that it loses
nothing.
"""

import http.client
import logging
import socket
import threading
import time

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from export.serving.prediction import load_servable
from export.serving.server import Server, Settings
from tests.export.serving.rig import GrpcClient, predict_request
from tests.export.serving.rig import http as ask

NAME = "tiny"
BODY = b'{"signature_name": "tokenize", "instances": ["ab"]}'
PREDICT = f"/v1/models/{NAME}:predict"
STATES = health_pb2.HealthCheckResponse


def settings(folder, **more):
    return Settings(folder, NAME, port=0, rest_port=0, warm=False, **more)


def health(server, service=""):
    with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        return stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=30).status


def test_a_server_that_loads_says_so_and_hangs_nobody(tiny_saved_model):
    may_load = threading.Event()

    def load(version, folder):
        assert may_load.wait(60)
        return load_servable(version, folder, warm=False)

    server = Server(settings(tiny_saved_model.parent), load=load)
    starting = threading.Thread(target=server.start)
    starting.start()
    try:
        assert ask(server.rest_port, "/healthz", timeout=30) == (200, b"ok\n")
        assert ask(server.rest_port, "/readyz", timeout=30) == (503, b"not ready\n")
        code, body = ask(server.rest_port, PREDICT, BODY, timeout=30)
        assert (code, b"is loading and cannot answer yet" in body) == (503, True)
        assert health(server) == health(server, NAME) == STATES.NOT_SERVING
        with pytest.raises(grpc.RpcError) as refused:
            GrpcClient(server.port).predict(predict_request("tokenize", {"text": ["ab"]}, name=NAME), 30)
        assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
        may_load.set()
        starting.join()
        assert ask(server.rest_port, "/readyz") == (200, b"ok\n")
        for service in ("", NAME, "tensorflow.serving.PredictionService", "inference.GRPCInferenceService"):
            assert health(server, service) == STATES.SERVING
        assert ask(server.rest_port, PREDICT, BODY)[0] == 200
    finally:
        may_load.set()
        starting.join()
        server.stop()


def test_a_model_that_does_not_load_ends_the_server(tiny_saved_model):
    def load(version, folder):
        raise ValueError("broken")

    server = Server(settings(tiny_saved_model.parent), load=load)
    with pytest.raises(ValueError, match=r"must hold a version that loads; got .*broken"):
        server.start()
    with pytest.raises(ConnectionRefusedError):
        http.client.HTTPConnection("127.0.0.1", server.rest_port, timeout=10).connect()


def test_connections_that_were_opened_before_the_end_are_still_answered(tiny_saved_model):
    """Fresh ones and kept-alive ones, whose requests come when nobody can connect any more."""
    server = Server(settings(tiny_saved_model.parent, drain_seconds=60))
    server.start()
    clients = [http.client.HTTPConnection("127.0.0.1", server.rest_port, timeout=60) for _ in range(8)]
    for client in clients:
        client.connect()
    for kept in clients[:4]:
        kept.request("POST", PREDICT, BODY)
        assert kept.getresponse().read()
    stopping = threading.Thread(target=server.stop)
    stopping.start()
    while can_connect(server.rest_port):
        time.sleep(0.01)
    for client in clients:
        client.request("POST", PREDICT, BODY)
        answer = client.getresponse()
        assert (answer.status, answer.headers["connection"]) == (200, "close")
        assert answer.read()
    stopping.join(60)
    assert not stopping.is_alive()


def can_connect(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def test_metrics_tell_of_requests_of_both_protocols_and_of_loads(tiny_saved_model):
    server = Server(settings(tiny_saved_model.parent))
    server.start()
    try:
        request = predict_request("tokenize", {"text": ["ab"]}, name=NAME)
        _, call = GrpcClient(server.port).prediction.Predict.with_call(
            request, 60, metadata=(("x-request-id", "mine"),)
        )
        assert ("x-request-id", "mine") in [tuple(pair) for pair in call.trailing_metadata()]
        assert ask(server.rest_port, PREDICT, BODY)[0] == 200
        code, text = ask(server.rest_port, "/monitoring/prometheus/metrics")
        assert code == 200
        lines = text.decode().splitlines()
        assert ':tensorflow:serving:request_count{model_name="tiny",status="OK"} 2.0' in lines
        for entrypoint in ("GRPC", "REST"):
            labels = f'API="Predict",entrypoint="{entrypoint}",model_name="tiny"'
            assert f":tensorflow:serving:request_latency_count{{{labels}}} 1.0" in lines
        assert (
            ':tensorflow:serving:runtime_latency_count{API="Predict",model_name="tiny",runtime="TF1"} 2.0'
            in lines
        )
        path = tiny_saved_model
        loads = f'load_attempt_count{{model_path="{path}",status="success"}} 1.0'
        assert f":tensorflow:cc:saved_model:{loads}" in lines
    finally:
        server.stop()


def test_a_server_leaves_the_log_of_its_process_alone(tiny_saved_model, tmp_path, monkeypatch):
    closed = []
    monkeypatch.setattr(logging.FileHandler, "close", closed.append)
    handler = logging.FileHandler(tmp_path / "log")
    server = Server(settings(tiny_saved_model.parent))
    server.start()
    server.stop()
    monkeypatch.undo()
    handler.close()
    assert closed == []
