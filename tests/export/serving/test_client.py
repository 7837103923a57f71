"""One request to a server over gRPC or REST, and the answer as arrays."""

import socket

import numpy as np
import pytest

from export.serving.client import Client
from export.serving.server import Server, Settings
from graph_ops.family import GEMMA4
from tests.export.tiny import EMPTY

PATIENCE = 300


@pytest.fixture(scope="module")
def server(tiny_saved_model):
    server = Server(Settings(tiny_saved_model.parent, "tiny", port=0, rest_port=0))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module", params=["gRPC", "REST", "REST found out"])
def address(request, server):
    return {
        "gRPC": f"127.0.0.1:{server.port}",
        "REST": f"http://127.0.0.1:{server.rest_port}/",
        "REST found out": f"127.0.0.1:{server.rest_port}",
    }[request.param]


@pytest.fixture(scope="module")
def client(address):
    return Client(address, "tiny", timeout=PATIENCE)


@pytest.mark.parametrize("files", [[], [b"\xff\x00"], [b"", b"345"]])
def test_a_request_sends_its_prompt_and_its_files(client, files):
    outputs = client.request("generate_preprocess", "né\n", {"image": files})
    assert outputs["token_ids"].tolist() == [[110, 233, 10]]
    assert outputs["sizes"].tolist() == [sum(map(len, files))]
    assert outputs["status"].tolist() == [b""]
    assert {name: array.dtype for name, array in outputs.items()} == {
        "token_ids": np.int32,
        "padding_mask": bool,
        "sizes": np.int32,
        "status": object,
    }


def test_a_signature_of_text_or_with_a_seed_gets_it(client):
    assert client.request("tokenize", "ab", {})["token_ids"].tolist() == [[97, 98]]
    answers = [client.request("generate", "a", {}, seed=seed)["text"].tolist() for seed in (0, -7)]
    assert answers == [[b"a 0"], [b"a -7"]]


def test_a_signature_with_limits_gets_them_and_another_refuses_them(client):
    answer = client.request("generate_with_limits", "a", {}, max_new_tokens=7, stop=["b", "\u540d"])
    assert answer["text"].tolist() == ["a 7|b\u540d".encode()]
    assert client.request("generate_with_limits", "a", {}, stop=["."])["text"].tolist() == [b"a 0|."]
    with pytest.raises(ValueError, match="`max_new_tokens`: must be left out for a signature without that"):
        client.request("generate", "a", {}, max_new_tokens=7)
    with pytest.raises(ValueError, match="`stop`: must be left out for a signature without that input"):
        client.request("generate", "a", {}, stop=["b"])


def test_limits_may_be_left_out(client):
    assert client.request("generate_with_limits", "a", {})["text"].tolist() == [b"a 0|"]


def test_each_id_has_its_piece(client):
    ids = np.array([98, 32, 233, 98, 97])
    assert client.pieces(ids) == {97: "a", 98: "b", 32: "\u2581", 233: "é"}


def test_no_ids_have_no_pieces(client):
    assert client.pieces(np.zeros(0, np.int32)) == {}


def test_an_id_that_a_text_leaves_out_is_a_special_token(client):
    assert client.pieces(np.array([2, 97, 0, 1])) == {
        0: GEMMA4.pad,
        1: GEMMA4.end,
        2: GEMMA4.start,
        97: "a",
    }


WRONG = {
    "signature": ("fly", {}, r"`signature`: must be one of the model's, \['detokenize', .*; got fly"),
    "ids": ("detokenize", {}, r"detokenize takes \['lengths', 'token_ids'\] too"),
    "files": ("tokenize", {"image": [b"1"]}, r"`images`: tokenize takes \['text'\] only"),
    "status": ("generate_preprocess", {}, f"^{EMPTY}$"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_the_model_does_not_take_is_refused(client, case):
    signature, media, message = WRONG[case]
    with pytest.raises(ValueError, match=message):
        client.request(signature, "", media)


def test_a_model_that_is_not_there_is_named(address):
    with pytest.raises(ConnectionError, match=r"127\.0\.0\.1:\d+/?: .*Latest\(other\)"):
        Client(address, "other", timeout=PATIENCE)


def test_an_answer_that_is_refused_says_why(client):
    with pytest.raises(ConnectionError, match=r"HTTP 413: body: must have at most|larger than max"):
        client.request("tokenize", "a" * (33 << 20), {})


@pytest.mark.parametrize("scheme", ["", "http://"])
def test_nobody_there_is_said(scheme):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(ConnectionError, match=f"127.0.0.1:{port}: .*onnection refused"):
        Client(f"{scheme}127.0.0.1:{port}", "tiny", timeout=5)


def test_http_on_a_port_of_grpc_is_explained(server):
    with pytest.raises(ConnectionError, match=r"does not speak HTTP\. For gRPC leave out http://"):
        Client(f"http://127.0.0.1:{server.port}", "tiny", timeout=PATIENCE)
