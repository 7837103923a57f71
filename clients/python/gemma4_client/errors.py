"""What can go wrong with a request, and how gRPC's status codes say it."""

from collections.abc import Sequence
from typing import Any

import grpc

_ADVICE = {
    grpc.StatusCode.INVALID_ARGUMENT: "Correct the request; `signatures()` says what the model takes.",
    grpc.StatusCode.FAILED_PRECONDITION: "Name one of the model's signatures; `signatures()` lists them.",
    grpc.StatusCode.NOT_FOUND: "Pass a `model`, `version` or `label` that the server has.",
    grpc.StatusCode.RESOURCE_EXHAUSTED: "Send fewer rows or smaller files at once.",
    grpc.StatusCode.UNIMPLEMENTED: "Pass the address of TensorFlow Serving's gRPC port, 8500 by default.",
    grpc.StatusCode.UNAUTHENTICATED: "Pass `metadata` or `credentials` that the server accepts.",
    grpc.StatusCode.PERMISSION_DENIED: "Pass `metadata` or `credentials` that the server accepts.",
}
_OTHERWISE = "Look into the server's log."


class ClientError(Exception):
    """Any failure of this client."""


class InputError(ClientError, ValueError):
    """An argument that the signature does not take; nothing was sent."""


class Unavailable(ClientError, ConnectionError):
    """Nobody answered, or the model is not there yet, in all attempts.

    Attributes:
        attempts: how often the request was sent.
    """

    def __init__(self, message: str, attempts: int) -> None:
        super().__init__(message)
        self.attempts = attempts


class DeadlineExceeded(ClientError, TimeoutError):
    """No answer came in time."""


class Refused(ClientError):
    """The server answered with an error.

    Attributes:
        code: name of gRPC's status code, for example INVALID_ARGUMENT.
    """

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


class RowError(ClientError, ValueError):
    """Rows of an answer with a fault.

    Attributes:
        statuses: of every row of the answer, "" for a good one.
    """

    def __init__(self, statuses: Sequence[str]) -> None:
        faults = "; ".join(f"row {row}: {status}" for row, status in enumerate(statuses) if status)
        super().__init__(f"{faults} The other rows are good; `answer.outputs` has them.")
        self.statuses = tuple(statuses)


def from_grpc(error: Any, address: str, *, attempts: int, timeout: float) -> ClientError:
    """The error of this package for one of gRPC.

    Args:
        error: with `code()` and `details()`.
        address: of the server.
        attempts: how often the request was sent.
        timeout: seconds for all of them.
    """
    code, details = error.code(), error.details()
    if code == grpc.StatusCode.UNAVAILABLE:
        return Unavailable(
            f"{address}: must answer within {timeout:g} s; got UNAVAILABLE in each of {attempts} attempts "
            f"({(details or '').rstrip('.')}). Start the server, or pass a larger `timeout` and more "
            f"`attempts` of Retries.",
            attempts,
        )
    if code == grpc.StatusCode.DEADLINE_EXCEEDED:
        return DeadlineExceeded(
            f"{address}: must answer within {timeout:g} s; got no answer. Pass a larger `timeout`, or send "
            f"less at once."
        )
    return Refused(f"{address}: {code.name}: {details} {_ADVICE.get(code, _OTHERWISE)}", code.name)
