"""Nonsense by a grammar, over every protocol, is refused as the client's fault and stops nothing."""

from collections import Counter

import grpc
import pytest

from export.serving.server import Server, Settings
from tests.export.serving.rig import GrpcClient, predict_request
from tools.faults.clients import one_grpc, one_rest
from tools.faults.grammar import Grammar
from tools.faults.known import MODEL

REQUESTS = 600


@pytest.fixture(scope="module")
def server(tiny_saved_model):
    server = Server(Settings(tiny_saved_model.parent, MODEL, port=0, rest_port=0, warm=False))
    server.start()
    yield server
    server.stop()


@pytest.mark.parametrize("protocol", ["gRPC", "REST"])
def test_nonsense_is_refused_as_the_clients_fault(server, protocol):
    grammar, said, notes = Grammar(11), Counter(), []
    with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        for _ in range(REQUESTS):
            if protocol == "gRPC":
                kind, note = one_grpc(channel, *grammar.grpc())
            else:
                kind, note = one_rest(server.rest_port, *grammar.rest())
            said[kind] += 1
            notes += [note] if kind in ("wrong", "lost") else []
    assert notes == []
    assert said["refused"] > REQUESTS // 2
    answer = GrpcClient(server.port).predict(predict_request("tokenize", {"text": ["ab"]}), 60)
    assert list(answer.outputs["token_ids"].int_val) == [ord("a"), ord("b")]


def test_a_grammar_says_the_same_for_the_same_seed():
    one, other, third = Grammar(1), Grammar(1), Grammar(2)
    for way in ("rest", "grpc"):
        said = [[getattr(grammar, way)() for _ in range(20)] for grammar in (one, other, third)]
        assert said[0] == said[1] != said[2]
