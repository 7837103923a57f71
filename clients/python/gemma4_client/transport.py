"""gRPC's channels, behind one form: what sends a request and waits for its answer, or for a while."""

import asyncio
import dataclasses
import time
from collections.abc import Coroutine, Sequence
from typing import Any, Protocol, TypeVar

import grpc
import grpc.aio

from gemma4_client.errors import InputError
from gemma4_client.messages import MESSAGES, SERVICES
from gemma4_client.retries import DEFAULT_RETRIES, Retries

Result = TypeVar("Result")
_MILLISECONDS = 1000


@dataclasses.dataclass(frozen=True)
class Settings:
    """Of a client.

    Attributes:
        address: host:port of the server's gRPC.
        model: its name.
        version: its number, or None for the highest.
        label: of a version instead, for example "stable".
        timeout: seconds for a call, all of its attempts together.
        retries: when to send a request again.
        credentials: of TLS; None for a connection without.
        metadata: pairs that are sent with every request, for example a token.

    Raises:
        InputError: an address of REST, a timeout that is not positive, or a version and a label.
    """

    address: str
    model: str
    version: int | None = None
    label: str | None = None
    timeout: float = 30
    retries: Retries = DEFAULT_RETRIES
    credentials: grpc.ChannelCredentials | None = None
    metadata: Sequence[tuple[str, str]] = ()

    def __post_init__(self) -> None:
        if "://" in self.address:
            raise InputError(
                f"`address`: must be host:port of gRPC; got {self.address}. Pass one as localhost:8500."
            )
        if not self.timeout > 0:
            raise InputError(f"`timeout`: must be over 0 seconds; got {self.timeout}. Pass how long to wait.")
        if self.version is not None and self.label is not None:
            raise InputError(f"`label`: must be alone; got version {self.version} too. Pass one of them.")

    @property
    def options(self) -> list[tuple[str, int]]:
        """Of the channel: answers of any size, and connections tried again as often as requests are."""
        retries = self.retries
        return [
            ("grpc.max_receive_message_length", -1),
            ("grpc.max_send_message_length", -1),
            ("grpc.initial_reconnect_backoff_ms", max(1, round(retries.initial_seconds * _MILLISECONDS))),
            ("grpc.max_reconnect_backoff_ms", max(1, round(retries.max_seconds * _MILLISECONDS))),
        ]


class Transport(Protocol):
    """Sends requests."""

    async def send(self, method: str, request: Any, timeout: float) -> Any:
        """The answer of a method of `SERVICES`; raises grpc.RpcError."""

    async def sleep(self, seconds: float) -> None:
        """Waits."""


class Blocking:
    """Waits in its thread, so that its coroutines end at once: `finished` runs them."""

    def __init__(self, settings: Settings) -> None:
        given, options = settings.credentials, settings.options
        self._metadata = settings.metadata
        self.channel = (
            grpc.secure_channel(settings.address, given, options)
            if given
            else grpc.insecure_channel(settings.address, options)
        )
        self._methods = methods(self.channel)

    async def send(self, method: str, request: Any, timeout: float) -> Any:
        """As of Transport."""
        return self._methods[method](request, timeout=timeout, metadata=self._metadata)

    async def sleep(self, seconds: float) -> None:
        """As of Transport."""
        time.sleep(seconds)


class Awaiting:
    """Waits in asyncio's loop."""

    def __init__(self, settings: Settings) -> None:
        given, options = settings.credentials, settings.options
        self._metadata = settings.metadata
        self.channel = (
            grpc.aio.secure_channel(settings.address, given, options)
            if given
            else grpc.aio.insecure_channel(settings.address, options)
        )
        self._methods = methods(self.channel)

    async def send(self, method: str, request: Any, timeout: float) -> Any:
        """As of Transport."""
        return await self._methods[method](request, timeout=timeout, metadata=self._metadata)

    async def sleep(self, seconds: float) -> None:
        """As of Transport."""
        await asyncio.sleep(seconds)


def methods(channel: Any) -> dict[str, Any]:
    """The methods of a channel, by name."""
    return {
        name: channel.unary_unary(
            f"/{service}/{name}",
            request_serializer=MESSAGES[f"{name}Request"].SerializeToString,
            response_deserializer=MESSAGES[f"{name}Response"].FromString,
        )
        for name, service in SERVICES.items()
    }


def finished(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """The result of a coroutine that never waits for a loop."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        result: Result = stop.value
        return result
    coroutine.close()
    raise RuntimeError("the coroutine waits for a loop")
