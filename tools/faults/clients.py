"""Clients that are slow, and clients that send nonsense."""

import http.client
import random
import socket
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from tensorflow_serving.apis import predict_pb2

from tools.faults.bench import Bench, surplus_descriptors
from tools.faults.grammar import Grammar
from tools.faults.known import MODEL, Known
from tools.faults.load import DEADLINE_SECONDS, PAUSE_SECONDS, RETRY_SECONDS, Load
from tools.faults.outcome import Outcome
from tools.faults.process import ServerProcess

SLOW, SECONDS = 1000, 30.0
"""Clients, and about how long each takes to send its request."""
PIECES = 10
MALFORMED, WORKERS = 10_000, 8
PREDICT = "/tensorflow.serving.PredictionService/Predict"
REFUSED = {400, 404, 405, 411, 413, 415, 422}
BAD = (
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNKNOWN,
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.CANCELLED,
)
"""What a client that sends nonsense must not be told: that it is the server's fault, or to come again."""


def slow_clients(bench: Bench) -> Outcome:
    """Half over each protocol, all at once, while others ask as ever."""
    count, texts = bench.times(SLOW), [known for known in bench.known if _is_text(known)]
    found: Counter[str] = Counter()
    with bench.serving(bench.folder(1)) as server:
        Load(server.ports, bench.known, count=200).join()
        before, memory = server.descriptors(), server.memory()
        threads = [
            threading.Thread(
                target=_slow, args=(server, texts[place % len(texts)], place, found), daemon=True
            )
            for place in range(count)
        ]
        for thread in threads:
            thread.start()
        load = Load(server.ports, bench.known, pause=PAUSE_SECONDS)
        while any(thread.is_alive() for thread in threads):
            open_now = server.descriptors() - before
            bench.tell(f"{found.total():,} of {count:,} have an answer, {open_now:,} connections")
            time.sleep(0.5)
        load.stop()
        leaked = surplus_descriptors(server, before)
        grown = server.memory() - memory
    return Outcome(
        f"{count:,} clients that take {SECONDS:.0f} s to send a request, beside quick ones",
        found["wrong"] + load.results["wrong"],
        found["lost"] + load.results["lost"],
        leaked,
        f"{load.results.total():,} quick requests meanwhile; {grown / 1e6:+.0f} MB",
        tuple(load.notes),
    )


def _is_text(known: Known) -> bool:
    return bool(known.outputs) and known.request.model_spec.signature_name == "generate_preprocess_text"


def _slow(server: ServerProcess, known: Known, place: int, found: Counter[str]) -> None:
    """Sends until it is answered; a server may say that it is busy."""
    pauses = random.Random(place)
    for _ in range(5):
        try:
            ask = _slowly_by_grpc if place % 2 else _slowly_by_rest
            right = ask(server, known, SECONDS * pauses.uniform(0.7, 1.3) / PIECES)
        except (OSError, http.client.HTTPException):
            right = None
        if right is not None:
            found["right" if right else "wrong"] += 1
            return
        time.sleep(RETRY_SECONDS)
    found["lost"] += 1


def _slowly_by_rest(server: ServerProcess, known: Known, pause: float) -> bool | None:
    head = f"POST /v1/models/{MODEL}:predict HTTP/1.1\r\nhost: localhost\r\n"
    sent = f"{head}content-length: {len(known.body)}\r\n\r\n".encode() + known.body
    step = len(sent) // PIECES + 1
    with socket.create_connection(("127.0.0.1", server.ports[1]), DEADLINE_SECONDS) as connection:
        for start in range(0, len(sent), step):
            connection.sendall(sent[start : start + step])
            time.sleep(pause)
        response = http.client.HTTPResponse(connection)
        response.begin()
        body = response.read()
    if response.status == http.HTTPStatus.SERVICE_UNAVAILABLE:
        return None
    return (response.status, body) == (200, known.json[1])


def _slowly_by_grpc(server: ServerProcess, known: Known, pause: float) -> bool | None:
    """The stream is opened at once, and its one message comes late."""

    def messages() -> Any:
        time.sleep(pause * PIECES)
        yield known.request.SerializeToString()

    options = [("grpc.use_local_subchannel_pool", 1)]
    with grpc.insecure_channel(f"127.0.0.1:{server.ports[0]}", options) as channel:
        try:
            answer = channel.stream_unary(PREDICT)(messages(), timeout=DEADLINE_SECONDS + SECONDS)
        except grpc.RpcError as error:
            return None if error.code() is grpc.StatusCode.UNAVAILABLE else False
    return predict_pb2.PredictResponse.FromString(answer).outputs == known.outputs[1]


def malformed_requests(bench: Bench) -> Outcome:
    """Each must be refused as the client's fault, or answered if it happens to be right."""
    count, said, notes = bench.times(MALFORMED), Counter[str](), []
    with bench.serving(bench.folder(1)) as server:
        Load(server.ports, bench.known, count=200).join()
        before, memory = server.descriptors(), server.memory()
        load = Load(server.ports, bench.known, pause=0.1, clients=2)
        with ThreadPoolExecutor(WORKERS) as pool:
            work = [pool.submit(_nonsense, server, seed, count // WORKERS, said) for seed in range(WORKERS)]
            while not all(each.done() for each in work):
                bench.tell(f"{said.total():,} of {count:,}")
                time.sleep(0.5)
            notes = [note for each in work for note in each.result()]
        load.stop()
        leaked = surplus_descriptors(server, before)
        grown = server.memory() - memory
        alive = server.is_running()
    return Outcome(
        f"{said.total():,} requests by a grammar with faults and damaged bytes, over four protocols",
        said["wrong"] + load.results["wrong"] + (not alive),
        said["lost"] + load.results["lost"],
        leaked,
        f"{said['refused']:,} refused, {said['answered']:,} right after all; {grown / 1e6:+.0f} MB",
        (*notes, *load.notes),
    )


def _nonsense(server: ServerProcess, seed: int, count: int, said: Counter[str]) -> list[str]:
    """Sends requests in turn over REST and gRPC; what was wrong, the first of it."""
    grammar, notes = Grammar(seed), []
    with grpc.insecure_channel(f"127.0.0.1:{server.ports[0]}") as channel:
        for place in range(count):
            if place % 2:
                kind, note = one_grpc(channel, *grammar.grpc())
            else:
                kind, note = one_rest(server.ports[1], *grammar.rest())
            said[kind] += 1
            if kind in ("wrong", "lost") and len(notes) < 3:
                notes.append(f"{kind}: {note}")
    return notes


def one_grpc(channel: grpc.Channel, method: str, raw: bytes) -> tuple[str, str]:
    """What became of a message: "refused", "answered" or "wrong", and what was said."""
    try:
        channel.unary_unary(method)(raw, timeout=DEADLINE_SECONDS)
    except grpc.RpcError as error:
        note = f"{error.code()} {str(error.details())[:200]} for {method} {raw[:300]!r}"
        return ("wrong" if error.code() in BAD else "refused"), note
    return "answered", ""


def one_rest(port: int, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[str, str]:
    """What became of a request: "refused", "answered", "wrong" or "lost", and what was said."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE_SECONDS)
    try:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        answer = response.read()
    except (OSError, http.client.HTTPException) as error:
        return "lost", f"{error!r} for {method} {path} {body[:300]!r}"
    finally:
        connection.close()
    if response.status == http.HTTPStatus.OK:
        return "answered", ""
    note = f"{response.status} {answer[:200]!r} for {method} {path} {headers} {body[:300]!r}"
    return ("refused" if response.status in REFUSED else "wrong"), note
