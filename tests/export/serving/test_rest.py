"""TF Serving's REST API as an application, called without a network."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from export.serving.prediction import Limits
from export.serving.rest import application
from export.serving.store import Choice, ModelStore, Servable
from tests.export.tiny import TABLE
from tests.twins.vocabularies import REPEATABLE

MOST = 1000


def ask(store, method, path, *chunks):
    """Status, type and JSON of the answer to a request with a body of these chunks."""
    parts = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    parts.append({"type": "http.request", "body": b"", "more_body": False})
    scope = {"type": "http", "method": method, "path": path, "raw_path": path.encode(), "headers": []}
    sent = []

    async def receive():
        return parts.pop(0)

    async def send(message):
        sent.append(message)

    with ThreadPoolExecutor(1) as executor:
        asyncio.run(application(store, Limits(rows=4, request_bytes=MOST), executor)(scope, receive, send))
    start, *bodies = sent
    assert parts == []
    body = b"".join(message["body"] for message in bodies)
    return start["status"], dict(start["headers"])[b"content-type"], json.loads(body)


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
    "elsewhere": ("GET", "/metrics", 404, "no such path: /metrics. The API is under /v1/models."),
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
