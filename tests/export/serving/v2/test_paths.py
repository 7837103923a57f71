"""The protocol's paths, through the whole REST application, without a network."""

import json
import threading

import numpy as np
import pytest

from export.serving.observing import Call
from export.serving.prediction import Limits, load_servable
from export.serving.refusals import Refusal
from export.serving.rest import METRICS
from export.serving.store import Choice, ModelStore
from export.serving.v2.paths import LIVE, READY, Sent, answer, health, is_ours
from tests.export.serving.test_rest import answered, api_of
from tests.export.serving.v2.rig import TEXTS, arrays, json_request, raw_bytes, unpacked

TINY = "/v2/models/tiny"
IDS = {"token_ids": [[97, 98], [233, 0]], "lengths": [2, 1]}
"""What `tokenize` gives of `TEXTS`."""


def ask(store, method, path, document=None, headers=(), api=None):
    """Status, headers and body of the answer, JSON read."""
    body = document if document is None or isinstance(document, bytes) else json.dumps(document).encode()
    chunks = () if body is None else (body,)
    status, found, body = answered(api or api_of(store), method, path, *chunks, headers=headers)
    if found[b"content-type"] == b"application/json":
        body = json.loads(body)
    return status, found, body


def outputs_of(document):
    return {item["name"]: np.reshape(item["data"], item["shape"]).tolist() for item in document["outputs"]}


def test_the_paths_of_the_protocol_are_known():
    assert all(map(is_ours, ("/v2", "/v2/", "/v2/models/x/infer", "/v2/nowhere")))
    assert not any(map(is_ours, ("/v1/models/x", "/v22", "/", "/V2")))
    assert Sent("GET", "/v2", {}, {}, b"").method == "GET"


def test_health_is_that_of_the_process_and_of_the_model(tiny_store, tmp_path):
    assert ask(tiny_store, "GET", LIVE)[::2] == (200, {"live": True})
    assert ask(tiny_store, "GET", READY)[::2] == (200, {"live": True, "ready": True})
    empty = ModelStore("tiny", tmp_path, load_servable, Choice(), lambda _: None)
    assert ask(empty, "GET", LIVE)[0] == 200
    assert ask(empty, "GET", READY)[::2] == (503, {"live": True, "ready": False})
    assert health(READY, False).status == 503


def test_a_server_that_ends_is_not_ready(tiny_store):
    api = api_of(tiny_store)
    api.ending.set()
    assert ask(tiny_store, "GET", READY, api=api)[0] == 503


def test_the_server_and_the_model_are_described(tiny_store):
    status, _, document = ask(tiny_store, "GET", "/v2")
    assert (status, document["name"], document["extensions"]) == (200, "gemma4-graph", ["binary_tensor_data"])
    assert ask(tiny_store, "GET", "/v2/")[2] == document
    for path in (TINY, f"{TINY}/versions/1", f"{TINY}/versions/stable", "/v2/models/t%69ny"):
        status, _, document = ask(tiny_store, "GET", path)
        assert (status, document["name"], document["versions"]) == (200, "tiny", ["1"])
        assert document["platform"] == "tensorflow_savedmodel"
        assert {"name": "images", "datatype": "BYTES", "shape": [-1, -1]} in document["inputs"]
        assert {"name": "padding_mask", "datatype": "BOOL", "shape": [-1, -1]} in document["outputs"]
        assert ask(tiny_store, "GET", f"{path}/ready")[::2] == (200, {"name": "tiny", "ready": True})


@pytest.mark.parametrize("place", ["", "/versions/1", "/versions/stable"])
def test_an_inference_gives_what_a_prediction_gives(tiny_store, place):
    document = json_request("tokenize", TEXTS, id="42")
    status, _, found = ask(tiny_store, "POST", f"{TINY}{place}/infer", document)
    assert status == 200
    assert {key: found[key] for key in ("model_name", "model_version", "id", "parameters")} == {
        "model_name": "tiny",
        "model_version": "1",
        "id": "42",
        "parameters": {"signature_name": "tokenize"},
    }
    predicted = ask(
        tiny_store,
        "POST",
        "/v1/models/tiny:predict",
        {"signature_name": "tokenize", "inputs": {"text": [text.decode() for text in TEXTS["text"]]}},
    )[2]
    assert outputs_of(found) == predicted["outputs"] == IDS


def test_no_signature_is_the_default_one_and_outputs_are_chosen(tiny_store):
    document = json_request("", {"prompts": ["ab"], "images": [["123"]]}, outputs=[{"name": "sizes"}])
    del document["parameters"]
    status, _, found = ask(tiny_store, "POST", f"{TINY}/infer", document)
    assert (status, outputs_of(found), "id" in found) == (200, {"sizes": [3]}, False)
    assert found["parameters"] == {"signature_name": "serving_default"}


def test_tensors_travel_as_raw_bytes_where_both_say_so(tiny_store):
    array = arrays(TEXTS)["text"]
    raw = raw_bytes(array)
    sized = {"name": "text", "datatype": "BYTES", "shape": [2], "parameters": {"binary_data_size": len(raw)}}
    wanted = {"signature_name": "tokenize", "binary_data_output": True}
    document = json.dumps({"inputs": [sized], "parameters": wanted}).encode()
    headers = [(b"inference-header-content-length", str(len(document)).encode())]
    status, found, body = ask(tiny_store, "POST", f"{TINY}/infer", document + raw, headers)
    assert (status, found[b"content-type"]) == (200, b"application/octet-stream")
    size = int(found[b"inference-header-content-length"])
    listed = json.loads(body[:size])["outputs"]
    assert [(item["name"], item["parameters"]) for item in listed] == [
        ("lengths", {"binary_data_size": 8}),
        ("token_ids", {"binary_data_size": 16}),
    ]
    np.testing.assert_array_equal(np.frombuffer(body[size:], np.int32), [2, 1, 97, 98, 233, 0])


def test_strings_come_back_as_raw_bytes_too(tiny_store):
    inputs = {"token_ids": [[97, 98]], "lengths": [2]}
    wanted = [{"name": "text", "parameters": {"binary_data": True}}, {"name": "status"}]
    document = json_request("detokenize", inputs, outputs=wanted)
    _, found, body = ask(tiny_store, "POST", f"{TINY}/infer", document)
    size = int(found[b"inference-header-content-length"])
    assert unpacked(body[size:]).tolist() == [b"ab"]
    assert json.loads(body[:size])["outputs"][1]["data"] == [""]


def test_metadata_are_those_of_the_signature_in_the_query(tiny_store):
    call = Call("1", "REST")
    sent = Sent("GET", TINY, {"signature_name": "tokenize"}, {}, b"")
    document = json.loads(answer(tiny_store, Limits(), call, sent).body)
    assert [item["name"] for item in document["outputs"]] == ["lengths", "token_ids"]
    assert (call.method, call.model) == ("ModelMetadata", "tiny")
    with pytest.raises(Refusal, match="`signature_name`: must be one of"):
        answer(tiny_store, Limits(), call, sent._replace(query={"signature_name": "x"}))


GOOD = json_request("tokenize", TEXTS)
REFUSED = {
    "elsewhere": ("GET", "/v2/nowhere", None, 404, "no such path: /v2/nowhere. Models are under /v2/models/"),
    "a slash more": ("GET", f"{TINY}/", None, 404, "no such path"),
    "an action": ("POST", f"{TINY}/generate", None, 404, "no such path"),
    "another model": ("GET", "/v2/models/x", None, 404, "Servable not found for request: Latest(x)"),
    "another model's readiness": ("GET", "/v2/models/x/ready", None, 404, "Servable not found"),
    "another model's inference": ("POST", "/v2/models/x/infer", GOOD, 404, "Servable not found"),
    "another version": ("POST", f"{TINY}/versions/7/infer", GOOD, 404, "Specific(tiny, 7)"),
    "another label": ("GET", f"{TINY}/versions/x", None, 404, "Unrecognized servable version label: x"),
    "no body": ("POST", f"{TINY}/infer", b"", 400, "The document is empty"),
    "no JSON": ("POST", f"{TINY}/infer", b"{", 400, "JSON Parse error"),
    "a list": ("POST", f"{TINY}/infer", b"[]", 400, "Is not object"),
    "an inference by GET": ("GET", f"{TINY}/infer", None, 405, "must be asked by POST; got GET."),
    "metadata by POST": ("POST", TINY, {}, 405, "must be asked by GET; got POST."),
    "readiness by DELETE": ("DELETE", f"{TINY}/ready", None, 405, "must be asked by GET; got DELETE."),
    "the server by PUT": ("PUT", "/v2", None, 405, "must be asked by GET; got PUT."),
    "another signature": (
        "POST",
        f"{TINY}/infer",
        json_request("x", TEXTS),
        400,
        "`signature_name`: must be one of detokenize, ",
    ),
    "another tensor": (
        "POST",
        f"{TINY}/infer",
        json_request("tokenize", {"texts": ["a"]}),
        400,
        "Signature input alias: text",
    ),
    "another output": (
        "POST",
        f"{TINY}/infer",
        {**GOOD, "outputs": [{"name": "ids"}]},
        400,
        "output tensor alias not found in signature: ids",
    ),
    "another type": (
        "POST",
        f"{TINY}/infer",
        json_request("tokenize", {"text": [1]}),
        400,
        "to be string but int32 is provided",
    ),
    "rows": (
        "POST",
        f"{TINY}/infer",
        json_request("tokenize", {"text": ["a"] * 5}),
        400,
        "batch: must have at most 4 rows",
    ),
    "too large": ("POST", f"{TINY}/infer", b" " * 2000, 413, "body: must have at most 1,000 bytes"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_wrong_is_refused_with_its_code(tiny_store, case):
    method, path, document, code, message = REFUSED[case]
    status, headers, found = ask(tiny_store, method, path, document)
    assert (status, found.keys()) == (code, {"error"})
    assert message in found["error"]
    assert (b"allow" in headers) == (code == 405)


def test_a_model_that_loads_is_asked_for_later(tmp_path):
    (tmp_path / "1").mkdir()
    looked, go_on = threading.Event(), threading.Event()

    def load(version, path):
        looked.set()
        go_on.wait()
        raise ValueError("no")

    store = ModelStore("tiny", tmp_path, load, Choice(), lambda _: None)
    thread = threading.Thread(target=store.refresh)
    thread.start()
    looked.wait()
    try:
        assert ask(store, "GET", f"{TINY}/ready")[::2] == (503, {"name": "tiny", "ready": False})
        status, _, found = ask(store, "POST", f"{TINY}/infer", GOOD)
        assert (status, found) == (503, {"error": "tiny: is loading and cannot answer yet. Try again soon."})
    finally:
        go_on.set()
        thread.join()


def test_inferences_are_counted_as_predictions_and_other_requests_are_not(tiny_store):
    api = api_of(tiny_store)
    ask(tiny_store, "POST", f"{TINY}/infer", GOOD, api=api)
    ask(tiny_store, "POST", f"{TINY}/infer", {}, api=api)
    ask(tiny_store, "GET", TINY, api=api)
    text = answered(api, "GET", METRICS)[2].decode()
    assert ':tensorflow:serving:request_count{model_name="tiny",status="OK"} 1.0' in text
    assert ':tensorflow:serving:request_count{model_name="tiny",status="INVALID_ARGUMENT"} 1.0' in text
