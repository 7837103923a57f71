"""Which requests are let in: so many at a time, and so many bytes of them, however slowly their clients send.

A client that has not sent its request yet takes a connection, or a stream of gRPC and a thread that waits,
and nothing else; it keeps nobody from an answer.
"""

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import grpc

from export.serving.refusals import Refusal, invalid
from export.serving.wire import check_fields

MAX_WAITING = 256
"""Requests of each protocol under way or waiting, once they have been read; more are turned away."""
MAX_CONNECTED = 2048
"""Connections of REST and streams of gRPC that may be open; more are turned away."""
HEALTH = "/grpc.health.v1."
"""Methods that are answered however busy the server is."""


class Held:
    """What one request holds of an `Admission`."""

    def __init__(self, admission: "Admission") -> None:
        self._admission, self.bytes, self.places = admission, 0, 0

    def grow(self, size: int) -> None:
        """Holds more bytes.

        Raises:
            Refusal: all requests together would hold too many.
        """
        self._admission.change(self, size, 0)

    def take_place(self) -> None:
        """Holds the place of a request that was read.

        Raises:
            Refusal: as many wait as may.
        """
        self._admission.change(self, 0, 1)


class Admission:
    """What requests may hold together.

    Args:
        requests: that were read and are not answered yet.
        size: bytes of requests that are being read or are not answered yet.
    """

    def __init__(self, requests: int, size: int) -> None:
        self._most_places, self._most_bytes = requests, size
        self._places = self._bytes = 0
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def held(self) -> Iterator[Held]:
        """A block in which a request holds something, and gives it back at the end."""
        held = Held(self)
        try:
            yield held
        finally:
            with self._lock:
                self._bytes -= held.bytes
                self._places -= held.places

    def change(self, held: Held, size: int, places: int) -> None:
        """Lets a request hold more.

        Raises:
            Refusal: there is no room.
        """
        with self._lock:
            if self._bytes + size > self._most_bytes:
                raise _busy(f"requests of {self._most_bytes:,} bytes")
            if self._places + places > self._most_places:
                raise _busy(f"{self._most_places} requests")
            self._bytes += size
            self._places += places
            held.bytes += size
            held.places += places


def _busy(what: str) -> Refusal:
    return Refusal(grpc.StatusCode.UNAVAILABLE, f"server: {what} are under way already. Try again soon.")


class Turns(grpc.ServerInterceptor):  # type: ignore[misc]
    """Lets gRPC's requests in: they are parsed and computed a few at a time, as plain bytes until then.

    Args:
        admission: what they may hold together.
        at_a_time: requests that are parsed and computed at a time.
    """

    def __init__(self, admission: Admission, at_a_time: int) -> None:
        self._admission, self._turns = admission, threading.BoundedSemaphore(at_a_time)

    def intercept_service(self, continuation: Any, details: Any) -> Any:
        """The method's handler, behind its turn."""
        handler = continuation(details)
        if handler is None or handler.unary_unary is None or details.method.startswith(HEALTH):
            return handler

        def answer(raw: bytes, context: grpc.ServicerContext) -> Any:
            return self._answer(handler, raw, context)

        return grpc.unary_unary_rpc_method_handler(answer, response_serializer=handler.response_serializer)

    def _answer(self, handler: Any, raw: bytes, context: grpc.ServicerContext) -> Any:
        try:
            with self._admission.held() as held:
                held.grow(len(raw))
                held.take_place()
                with self._turns:
                    request = parsed(handler.request_deserializer, raw)
                    return handler.unary_unary(request, context)
        except Refusal as refusal:
            context.abort(refusal.code, refusal.message)


def parsed(deserialize: Any, raw: bytes) -> Any:
    """The message that bytes stand for.

    Raises:
        Refusal: they are none, or one of too many fields.
    """
    message_class = deserialize.__self__
    check_fields(message_class.DESCRIPTOR, raw)
    try:
        return deserialize(raw)
    except Exception as error:
        raise invalid(
            f"message: must be a {message_class.DESCRIPTOR.full_name}; got {len(raw):,} bytes that are none "
            f"({error}). Send the message that the method takes."
        ) from None
