"""Clients that send known requests, half over gRPC and half over REST, until each is answered."""

import contextlib
import http.client
import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import grpc
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from tools.faults.known import MODEL, Known

CLIENTS = 16
DEADLINE_SECONDS, RETRY_SECONDS, GIVE_UP_SECONDS = 120.0, 0.2, 180.0
"""Of one attempt, between attempts, and of all of them: beyond that a request is lost."""
PAUSE_SECONDS = 0.05
"""Between the requests of a client, where a version is loaded meanwhile: without it, the thread that loads
hardly ever holds Python's interpreter lock.
"""
_NOTES = 5


class Choice(NamedTuple):
    """Which version a client asks for: a path's part, and what it sets in a message."""

    path: str = ""
    version: int | None = None
    label: str = ""
    expected: int | None = None


ANY = Choice()
"""The highest version."""


class Load:
    """Clients under way, from now on.

    Args:
        ports: of gRPC and REST.
        known: what they send, again and again.
        versions: those that answer right.
        count: requests in all; None until `stop`.
        choices: versions that clients name, in turn.
        pause: seconds between the requests of a client.
        clients: how many there are.

    Attributes:
        results: "right", "lost" and "wrong" -> requests.
        again: attempts that failed because there was no server, and were repeated.
        answered: version -> answers.
        notes: what was wrong, the first of it.
    """

    def __init__(
        self,
        ports: tuple[int, int],
        known: Sequence[Known],
        versions: Sequence[int] = (1,),
        *,
        count: int | None = None,
        choices: Sequence[Choice] = (ANY,),
        pause: float = 0.0,
        clients: int = CLIENTS,
    ) -> None:
        self.results: Counter[str] = Counter()
        self.answered: Counter[int] = Counter()
        self.notes: list[str] = []
        self.again = self.sent = 0
        self._ports, self._versions, self._count, self._pause = ports, set(versions), count, pause
        self._known, self._choices = itertools.cycle(known), itertools.cycle(choices)
        self._lock, self._stop = threading.Lock(), threading.Event()
        self._threads = [
            threading.Thread(target=self._client, args=(number % 2 == 0,), daemon=True)
            for number in range(clients)
        ]
        for thread in self._threads:
            thread.start()

    def join(self, tell: Callable[[int], None] = lambda _: None) -> "Load":
        """Waits until all are answered; `tell` hears how many are."""
        for thread in self._threads:
            while thread.is_alive():
                thread.join(0.5)
                tell(self.results.total())
        return self

    def stop(self) -> "Load":
        """Sends no more, and waits for the answers."""
        self._stop.set()
        return self.join()

    def reach(self, count: int, seconds: float = 300.0) -> None:
        """Waits until so many more are answered right."""
        until, wanted = time.monotonic() + seconds, self.results["right"] + count
        while self.results["right"] < wanted and time.monotonic() < until:
            time.sleep(0.02)

    def _next(self) -> tuple[Known, Choice] | None:
        with self._lock:
            if self._stop.is_set() or self.sent == self._count:
                return None
            self.sent += 1
            return next(self._known), next(self._choices)

    def _client(self, over_grpc: bool) -> None:
        connection = Grpc(self._ports[0]) if over_grpc else Rest(self._ports[1])
        while task := self._next():
            found = self._answer(connection, *task)
            with self._lock:
                self.results[found.partition(":")[0]] += 1
                if found.startswith("wrong") and len(self.notes) < _NOTES:
                    self.notes.append(found)
            if self._pause:
                time.sleep(self._pause)
        connection.close()

    def _answer(self, connection: "Grpc | Rest", known: Known, choice: Choice) -> str:
        until = time.monotonic() + GIVE_UP_SECONDS
        while time.monotonic() < until:
            answer = connection.ask(known, choice)
            if answer is not None:
                return self._judged(answer, known, choice)
            with self._lock:
                self.again += 1
            time.sleep(RETRY_SECONDS)
        return "lost"

    def _judged(self, answer: "Answer", known: Known, choice: Choice) -> str:
        expected = known.code if answer.is_grpc else known.http
        if answer.code != expected:
            return f"wrong: {answer.code} in place of {expected}: {str(answer.value)[:200]}"
        if not known.outputs:
            return "right"
        right = known.outputs if answer.is_grpc else known.json
        allowed = self._versions if choice.expected is None else {choice.expected}
        for version in allowed:
            if right[version] == answer.value:
                with self._lock:
                    self.answered[version] += 1
                return "right"
        return f"wrong: another answer than that of version {sorted(allowed)}"


class Answer(NamedTuple):
    """A status, and tensors or a body or a sentence."""

    is_grpc: bool
    code: int
    value: Any


class Grpc:
    """A client of the PredictionService, with a channel of its own."""

    def __init__(self, port: int) -> None:
        options = [("grpc.max_receive_message_length", -1), ("grpc.use_local_subchannel_pool", 1)]
        self._channel = grpc.insecure_channel(f"127.0.0.1:{port}", options)
        self._stub = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)

    def ask(self, known: Known, choice: Choice = ANY) -> Answer | None:
        """The answer, or None where there is no server."""
        request = known.request
        if choice.expected is not None:
            request = predict_pb2.PredictRequest()
            request.CopyFrom(known.request)
            if choice.label:
                request.model_spec.version_label = choice.label
            if choice.version:
                request.model_spec.version.value = choice.version
        try:
            return Answer(True, 0, self._stub.Predict(request, DEADLINE_SECONDS).outputs)
        except grpc.RpcError as error:
            if error.code() is grpc.StatusCode.UNAVAILABLE:
                return None
            return Answer(True, error.code().value[0], error.details())

    def close(self) -> None:
        """Ends the channel."""
        self._channel.close()


class Rest:
    """A client over HTTP, on a connection that stays open."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE_SECONDS)

    def ask(self, known: Known, choice: Choice = ANY) -> Answer | None:
        """The answer, or None where there is no server."""
        try:
            self._connection.request("POST", f"/v1/models/{MODEL}{choice.path}:predict", known.body)
            response = self._connection.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException):
            with contextlib.suppress(OSError):
                self._connection.close()
            return None
        return (
            None
            if response.status == http.HTTPStatus.SERVICE_UNAVAILABLE
            else Answer(False, response.status, body)
        )

    def close(self) -> None:
        """Ends the connection."""
        self._connection.close()
