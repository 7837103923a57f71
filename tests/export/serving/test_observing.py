"""What is written down of a request, and what is not."""

import json
import logging

import grpc
import pytest

from export.serving.metrics import Metrics
from export.serving.observing import LOG, Call, Observer, request_id
from export.serving.refusals import invalid


@pytest.fixture
def observer():
    return Observer(Metrics(), "gemma4")


@pytest.fixture
def lines(caplog):
    """What was logged, as JSON."""
    with caplog.at_level(logging.INFO, LOG.name):
        yield lambda: [json.loads(record.message) for record in caplog.records]


def test_an_id_is_the_clients_if_it_is_a_plain_word():
    assert request_id("a-1.b:c/d+e=") == "a-1.b:c/d+e="
    assert request_id(b"abc") == "abc"
    for sent in (None, "", "a b", "a\nb", "{", "x" * 129, b"\xff"):
        assert len(request_id(sent)) == 32
    assert request_id(None) != request_id(None)


def test_a_line_says_who_asked_for_what_and_how_it_ended(observer, lines):
    call = Call("id", "REST", "Predict", "gemma4", "tokenize", 3, request_bytes=10, answer_bytes=20)
    with observer.observed(call):
        pass
    (line,) = lines()
    assert line.pop("ms") >= 0
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "id": "id",
        "entrypoint": "REST",
        "method": "Predict",
        "model": "gemma4",
        "version": 3,
        "signature": "tokenize",
        "status": "OK",
        "request_bytes": 10,
        "answer_bytes": 20,
    }


@pytest.mark.parametrize(
    ("error", "status"), [(invalid("of the secret prompt"), "INVALID_ARGUMENT"), (KeyError("x"), "INTERNAL")]
)
def test_an_error_is_raised_on_and_its_sentence_is_not_written_down(observer, lines, error, status):
    with pytest.raises(type(error)), observer.observed(Call("id", "GRPC", "Predict", "a\nb" * 99)):
        raise error
    (line,) = lines()
    assert line["status"] == status
    assert len(line["model"]) == 100
    assert "secret" not in str(line)
    text = observer.metrics.exposition().decode()
    assert f'request_count{{model_name="",status="{status}"}} 1.0' in text


def test_other_methods_are_written_down_and_not_counted(observer, lines):
    with observer.observed(Call("id", "GRPC", "GetModelStatus", "gemma4")):
        pass
    assert [line["method"] for line in lines()] == ["GetModelStatus"]
    assert "request_count{" not in observer.metrics.exposition().decode()


def test_nothing_is_made_where_nobody_reads_it(observer, caplog):
    with caplog.at_level(logging.WARNING, LOG.name), observer.observed(Call("id", "REST")) as call:
        assert call.code is grpc.StatusCode.OK
    assert caplog.records == []
