"""What a request is refused with: codes of both protocols, and messages that fit into a trailer."""

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from export.serving.refusals import HTTP_STATUS, MAX_MESSAGE, Refusal, from_tensorflow, invalid, not_found
from tests.twins.vocabularies import REPEATABLE

CODES = st.sampled_from(list(grpc.StatusCode))


@REPEATABLE
@given(CODES, st.text(max_size=30))
def test_a_refusal_keeps_its_code_and_its_message(code, message):
    refusal = Refusal(code, message)
    assert (refusal.code, refusal.message, str(refusal)) == (code, message, message)
    assert 400 <= refusal.http_status < 600


@pytest.mark.parametrize("length", [0, MAX_MESSAGE, MAX_MESSAGE + 1, 10 * MAX_MESSAGE])
def test_a_client_gets_the_beginning_of_a_long_message(length):
    message = ("abcdefg" * length)[:length]
    assert Refusal(grpc.StatusCode.INTERNAL, message).message == message[: min(length, MAX_MESSAGE)]


@pytest.mark.parametrize(
    ("make", "code", "status"),
    [
        (invalid, grpc.StatusCode.INVALID_ARGUMENT, 400),
        (not_found, grpc.StatusCode.NOT_FOUND, 404),
        (
            lambda text: Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, text),
            grpc.StatusCode.RESOURCE_EXHAUSTED,
            429,
        ),
        (lambda text: Refusal(grpc.StatusCode.INTERNAL, text), grpc.StatusCode.INTERNAL, 500),
        (lambda text: Refusal(grpc.StatusCode.DATA_LOSS, text), grpc.StatusCode.DATA_LOSS, 500),
    ],
)
def test_each_kind_has_its_code_in_both_protocols(make, code, status):
    refusal = make("why")
    assert (refusal.code, refusal.http_status, refusal.message) == (code, status, "why")


def test_no_refusal_looks_like_an_answer():
    assert grpc.StatusCode.OK not in HTTP_STATUS
    assert all(status >= 400 for status in HTTP_STATUS.values())


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (3, grpc.StatusCode.INVALID_ARGUMENT),
        (8, grpc.StatusCode.RESOURCE_EXHAUSTED),
        (13, grpc.StatusCode.INTERNAL),
        (99, grpc.StatusCode.UNKNOWN),
        (-1, grpc.StatusCode.UNKNOWN),
    ],
)
def test_a_graphs_error_keeps_its_number(number, code):
    refusal = from_tensorflow(number, "Incompatible shapes")
    assert (refusal.code, refusal.message) == (code, "Incompatible shapes")
