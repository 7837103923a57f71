"""TF Serving's REST API as an application, called without a network."""

import asyncio
import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from export.serving.admission import Admission
from export.serving.metrics import Metrics
from export.serving.observing import Observer
from export.serving.prediction import Limits, load_servable
from export.serving.rest import METRICS, Api, application
from export.serving.store import Choice, ModelStore, Servable
from tests.export.tiny import TABLE
from tests.twins.vocabularies import REPEATABLE

MOST = 1000


def api_of(store):
    limits, observer = Limits(rows=4, request_bytes=MOST), Observer(Metrics(), store.name)
    return Api(store, limits, observer, threading.Event(), Admission(10, 1 << 30))


def answered(api, method, path, *chunks, headers=()):
    """Status, headers and body of the answer to a request with a body of these chunks."""
    parts = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    parts.append({"type": "http.request", "body": b"", "more_body": False})
    scope = {"type": "http", "method": method, "path": path, "raw_path": path.encode(), "headers": headers}
    sent = []

    async def receive():
        return parts.pop(0)

    async def send(message):
        sent.append(message)

    with ThreadPoolExecutor(1) as executor:
        asyncio.run(application(api, executor)(scope, receive, send))
    start, *bodies = sent
    assert parts == [] or not chunks  # read to its end
    return start["status"], dict(start["headers"]), b"".join(message["body"] for message in bodies)


def ask(store, method, path, *chunks):
    """Status, type and JSON of the answer."""
    status, headers, body = answered(api_of(store), method, path, *chunks)
    return status, headers[b"content-type"], json.loads(body)


def predicted(store, document, path="/v1/models/tiny:predict"):
    return ask(store, "POST", path, json.dumps(document).encode())


@pytest.mark.parametrize(
    "path", ["/v1/models/tiny", "/v1/models/tiny/versions/1", "/v1/models/tiny/labels/x", "/V1/MODELS/t%69ny"]
)
def test_status_is_that_of_the_version(tiny_store, path):
    ok = {"error_code": "OK", "error_message": ""}
    status = {"version": "1", "state": "AVAILABLE", "status": ok}
    expected = (200, b"application/json", {"model_version_status": [status]})
    assert ask(tiny_store, "GET", path) == expected


def test_metadata_are_the_signatures(tiny_store):
    status, _, document = ask(tiny_store, "GET", "/v1/models/tiny/metadata")
    assert status == 200
    assert document["model_spec"] == {"name": "tiny", "signature_name": "", "version": "1"}
    table = document["metadata"]["signature_def"]["signature_def"]
    assert TABLE.keys() <= table.keys()
    assert table["tokenize"]["inputs"]["text"]["dtype"] == "DT_STRING"


@pytest.mark.parametrize("place", ["", "/versions/1", "/labels/stable"])
def test_a_prediction_has_the_format_of_its_request(tiny_store, place):
    path = f"/v1/models/tiny{place}:predict"
    columns = {"signature_name": "tokenize", "inputs": {"text": ["ab", "c"]}}
    ids, lengths = [[97, 98], [99, 0]], [2, 1]
    assert predicted(tiny_store, columns, path)[2] == {"outputs": {"token_ids": ids, "lengths": lengths}}
    rows = {"signature_name": "tokenize", "instances": ["ab", "c"]}
    answers = [{"token_ids": row, "lengths": length} for row, length in zip(ids, lengths, strict=True)]
    assert predicted(tiny_store, rows, path)[2] == {"predictions": answers}


def test_no_signature_is_the_default_one(tiny_store):
    status, _, document = predicted(tiny_store, {"inputs": {"prompts": ["ab"], "images": [["123"]]}})
    assert (status, document["outputs"]["sizes"]) == (200, [3])


REFUSED = {
    "elsewhere": ("GET", "/metrics", 404, "no such path: /metrics. The APIs are under /v1/models and /v2."),
    "a method": ("PUT", "/v1/models/tiny", 400, "Malformed request: PUT /v1/models/tiny"),
    "a slash more": ("GET", "/v1/models/tiny/", 400, "Malformed request: GET /v1/models/tiny/"),
    "no model": ("GET", "/v1/models", 400, "Missing model name in request."),
    "another model": ("GET", "/v1/models/x", 404, "Could not find any versions of model x"),
    "another version": ("GET", "/v1/models/tiny/versions/2", 404, "Could not find version 2 of model tiny"),
    "a large version": (
        "GET",
        f"/v1/models/tiny/versions/{1 << 63}",
        400,
        f"Failed to convert version: {1 << 63} to numeric.",
    ),
    "another label": ("POST", "/v1/models/tiny/labels/a%20b:predict", 400, "version label: a b"),
    "examples": (
        "POST",
        "/v1/models/tiny:regress",
        501,
        "regress is for models of tf.Examples. Use :predict.",
    ),
    "no body": ("POST", "/v1/models/tiny:predict", 400, "The document is empty"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_there_is_refused_with_its_code(tiny_store, case):
    method, path, code, message = REFUSED[case]
    status, kind, document = ask(tiny_store, method, path)
    assert (status, kind) == (code, b"application/json")
    assert message in document["error"]
    assert document.keys() == {"error"}


def test_an_unknown_signature_and_too_many_rows_are_refused(tiny_store):
    status, _, document = predicted(tiny_store, {"signature_name": "x", "inputs": []})
    assert (status, document["error"]) == (400, 'Serving signature name: "x" not found in signature def')
    status, _, document = predicted(tiny_store, {"signature_name": "tokenize", "instances": ["a"] * 5})
    assert status == 400
    assert "batch: must have at most 4 rows" in document["error"]


@REPEATABLE
@given(st.lists(st.integers(0, 2 * MOST), max_size=4))
@example([MOST])
@example([MOST - 1, 2])
def test_a_body_over_the_limit_is_read_to_its_end_and_refused(tiny_store, sizes):
    status, _, document = ask(tiny_store, "GET", "/v1/models/tiny", *(b" " * size for size in sizes))
    if sum(sizes) <= MOST:
        assert status == 200
    else:
        assert status == 413
        assert document["error"].startswith("body: must have at most 1,000 bytes; got more.")


def test_an_error_that_nobody_foresaw_is_500_with_its_name(tmp_path):
    (tmp_path / "1").mkdir()
    servable = Servable(1, {"serving_default": None}, {}, None, {})
    store = ModelStore("tiny", tmp_path, lambda version, path: servable, Choice(), lambda _: None)
    store.refresh()
    assert predicted(store, {"inputs": []}) == (
        500,
        b"application/json",
        {"error": "KeyError: 'serving_default'"},
    )


def test_head_is_answered_as_get(tiny_store):
    assert ask(tiny_store, "HEAD", "/v1/models/tiny") == ask(tiny_store, "GET", "/v1/models/tiny")
    assert ask(tiny_store, "HEAD", "/v1/models/x")[0] == 404


def test_an_answer_has_the_id_of_its_request(tiny_store):
    api = api_of(tiny_store)
    for path in ("/v1/models/tiny", "/v1/models/x"):
        headers = [(b"x-request-id", b"7f-3:a")]
        assert answered(api, "GET", path, headers=headers)[1][b"x-request-id"] == b"7f-3:a"
    for sent in (b"", b"a b", b"x" * 129, "ä".encode("latin-1"), b"{}"):
        own = answered(api, "GET", "/v1/models", headers=[(b"x-request-id", sent)])[1][b"x-request-id"]
        assert len(own) == 32


def test_the_process_is_healthy_and_is_ready_once_a_version_is(tiny_store, tmp_path):
    empty = ModelStore("tiny", tmp_path, load_servable, Choice(), lambda _: None)
    for store, ready in ((empty, 503), (tiny_store, 200)):
        api = api_of(store)
        assert answered(api, "GET", "/healthz")[0] == 200
        assert answered(api, "HEAD", "/readyz")[0] == ready
    api.ending.set()
    assert answered(api, "GET", "/healthz")[0] == 200
    assert answered(api, "GET", "/readyz")[0] == 503


def test_connections_are_kept_until_the_server_is_about_to_end(tiny_store):
    api = api_of(tiny_store)
    paths = ("/v1/models/tiny", "/v1/models/x", "/healthz", "/readyz", METRICS)
    assert all(b"connection" not in answered(api, "GET", path)[1] for path in paths)
    api.ending.set()
    assert all(answered(api, "GET", path)[1][b"connection"] == b"close" for path in paths)


def test_requests_are_counted_by_how_they_ended(tiny_store):
    api = api_of(tiny_store)
    good = json.dumps({"signature_name": "tokenize", "instances": ["ab"]}).encode()
    for path, body in (
        ("/v1/models/tiny:predict", good),
        ("/v1/models/tiny:predict", good),
        ("/v1/models/tiny:predict", b"{"),
        ("/v1/models/somebody:predict", good),
    ):
        answered(api, "POST", path, body)
    answered(api, "GET", "/v1/models/tiny")
    status, headers, body = answered(api, "GET", METRICS)
    assert (status, headers[b"content-type"]) == (200, b"text/plain; version=0.0.4; charset=utf-8")
    lines = body.decode().splitlines()
    assert [line for line in lines if line.startswith(":tensorflow:serving:request_count")] == [
        ':tensorflow:serving:request_count{model_name="tiny",status="OK"} 2.0',
        ':tensorflow:serving:request_count{model_name="tiny",status="INVALID_ARGUMENT"} 1.0',
        ':tensorflow:serving:request_count{model_name="",status="NOT_FOUND"} 1.0',
    ]
    labels = '{API="Predict",entrypoint="REST",model_name="tiny"}'
    assert f":tensorflow:serving:request_latency_count{labels} 2.0" in lines
