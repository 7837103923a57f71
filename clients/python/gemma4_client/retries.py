"""Sending a request again while the server is not available, within one deadline."""

import dataclasses
import itertools
import random
import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple, TypeVar

import grpc

from gemma4_client.errors import InputError, from_grpc

Answered = TypeVar("Answered")
_MOST_DOUBLINGS = 60
"""Of a pause, after which it is longer than any: more would overflow a float."""


@dataclasses.dataclass(frozen=True)
class Retries:
    """When to send a request again: after UNAVAILABLE alone, because a request that was refused will be
    refused again, and one that took too long would take as long again.

    Attributes:
        attempts: how often a request is sent at most; 1 sends it once. Five are the most that gRPC's own
            retries allow (its proposal A6).
        initial_seconds: pause before the second attempt.
        multiplier: of each pause for the next one.
        max_seconds: the longest pause.
        jitter: part of a pause that is drawn: one of 1 s takes 0.8 to 1.2 s (proposal A6), so that clients
            of a server that has come back do not all ask at the same time.

    Raises:
        InputError: a number out of its range.
    """

    attempts: int = 5
    initial_seconds: float = 0.1
    multiplier: float = 2.0
    max_seconds: float = 5.0
    jitter: float = 0.2

    def __post_init__(self) -> None:
        lowest = {"attempts": 1, "initial_seconds": 0, "multiplier": 1, "max_seconds": 0, "jitter": 0}
        for name, low in lowest.items():
            if not getattr(self, name) >= low:
                raise InputError(f"`{name}`: must be at least {low}; got {getattr(self, name)}. Pass more.")
        if self.jitter > 1:
            raise InputError(f"`jitter`: must be at most 1; got {self.jitter}. Pass a part of the pause.")

    def pause(self, attempt: int, draw: Callable[[float, float], float] = random.uniform) -> float:
        """Seconds to wait after an attempt, the first of which is 1."""
        grown = self.initial_seconds * self.multiplier ** min(attempt - 1, _MOST_DOUBLINGS)
        return min(grown, self.max_seconds) * draw(1 - self.jitter, 1 + self.jitter)


DEFAULT_RETRIES = Retries()


class Deadline(NamedTuple):
    """When a call has to end: the seconds that it was given, and their end by the monotonic clock."""

    seconds: float
    until: float

    @classmethod
    def after(cls, seconds: float) -> "Deadline":
        """The one so many seconds from now."""
        return cls(seconds, time.monotonic() + seconds)

    def left(self) -> float:
        """Seconds until then, or 0."""
        return max(0.0, self.until - time.monotonic())


async def attempted(
    send: Callable[[float], Awaitable[Answered]],
    sleep: Callable[[float], Awaitable[None]],
    retries: Retries,
    *,
    deadline: Deadline,
    address: str,
) -> Answered:
    """What `send` answers, which is called with the seconds that are left.

    Raises:
        ClientError: no attempt was answered.
    """
    for attempt in itertools.count(1):
        try:
            return await send(deadline.left())
        except grpc.RpcError as error:
            failure = from_grpc(error, address, attempts=attempt, timeout=deadline.seconds)
            pause = retries.pause(attempt)
            is_last = attempt >= retries.attempts or pause >= deadline.left()
            if error.code() != grpc.StatusCode.UNAVAILABLE or is_last:
                raise failure from error
        await sleep(pause)
    raise AssertionError("counting does not end")
