"""What a request is refused with: one exception for both protocols, and how REST numbers gRPC's codes."""

import grpc

MAX_MESSAGE = 2000
"""Characters of a message that reach the client: gRPC carries it in a trailer, which holds 8 kB."""

HTTP_STATUS = {
    grpc.StatusCode.CANCELLED: 499,
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.DEADLINE_EXCEEDED: 504,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.ALREADY_EXISTS: 409,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
    grpc.StatusCode.FAILED_PRECONDITION: 400,
    grpc.StatusCode.ABORTED: 409,
    grpc.StatusCode.OUT_OF_RANGE: 400,
    grpc.StatusCode.UNIMPLEMENTED: 501,
    grpc.StatusCode.UNAVAILABLE: 503,
    grpc.StatusCode.UNAUTHENTICATED: 401,
}
"""TF Serving's table (`ToHTTPStatusCode` of its http_server.cc); what is not in it is 500."""

_BY_NUMBER = {code.value[0]: code for code in grpc.StatusCode}


class Refusal(Exception):
    """A request that gets an error instead of an answer.

    Attributes:
        code: gRPC's status code.
        message: for the client.
    """

    def __init__(self, code: grpc.StatusCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message[:MAX_MESSAGE]

    @property
    def http_status(self) -> int:
        """The status code of the HTTP answer."""
        return HTTP_STATUS.get(self.code, 500)


def invalid(message: str) -> Refusal:
    """A request that can never succeed as it is."""
    return Refusal(grpc.StatusCode.INVALID_ARGUMENT, message)


def not_found(message: str) -> Refusal:
    """A model, version or path that is not there."""
    return Refusal(grpc.StatusCode.NOT_FOUND, message)


def from_tensorflow(number: int, message: str) -> Refusal:
    """An error of a graph; TensorFlow's numbers are gRPC's."""
    return Refusal(_BY_NUMBER.get(number, grpc.StatusCode.UNKNOWN), message)
