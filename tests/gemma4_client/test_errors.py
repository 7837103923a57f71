"""gRPC's codes as errors that say what to do."""

import grpc
import pytest

from gemma4_client import ClientError, DeadlineExceeded, Refused, RowError, Unavailable
from gemma4_client.errors import from_grpc


class Failure:
    def __init__(self, code):
        self._code = code

    def code(self):
        return self._code

    def details(self):
        return "Why."


def test_a_server_that_is_not_there_is_a_connection_error():
    error = from_grpc(Failure(grpc.StatusCode.UNAVAILABLE), "host:1", attempts=3, timeout=2)
    assert isinstance(error, Unavailable | ConnectionError)
    assert error.attempts == 3
    assert str(error) == (
        "host:1: must answer within 2 s; got UNAVAILABLE in each of 3 attempts (Why). Start the server, or "
        "pass a larger `timeout` and more `attempts` of Retries."
    )


def test_a_deadline_is_a_timeout():
    error = from_grpc(Failure(grpc.StatusCode.DEADLINE_EXCEEDED), "host:1", attempts=1, timeout=0.5)
    assert isinstance(error, DeadlineExceeded)
    assert isinstance(error, TimeoutError)
    assert str(error).startswith("host:1: must answer within 0.5 s; got no answer. Pass a larger `timeout`")


@pytest.mark.parametrize(
    "code",
    [code for code in grpc.StatusCode if code.name not in ("OK", "UNAVAILABLE", "DEADLINE_EXCEEDED")],
)
def test_a_refusal_has_its_code_and_advice(code):
    error = from_grpc(Failure(code), "host:1", attempts=1, timeout=1)
    assert isinstance(error, Refused)
    assert isinstance(error, ClientError)
    assert error.code == code.name
    assert str(error).startswith(f"host:1: {code.name}: Why. ")
    assert str(error).endswith(".")


def test_faults_of_rows_are_listed():
    error = RowError(["", "bad", "worse"])
    assert error.statuses == ("", "bad", "worse")
    assert str(error).startswith("row 1: bad; row 2: worse The other rows are good")
