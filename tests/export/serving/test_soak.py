"""The embedded server in a process of its own under load: right answers only, steady memory, and what happens
to it meanwhile.

Sixteen clients send requests of every kind, half over gRPC and half over REST, one in twenty of them faulty.
A new version comes, the process is killed and started again, hostile requests arrive. Expected answers are
computed in this process, without a server.
"""

import contextlib
import http.client
import itertools
import json
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import threading
import time
import urllib.error
import zlib
from collections import Counter
from typing import Any, NamedTuple

import grpc
import numpy as np
import pytest
import tensorflow as tf

from export.serving import json_tensors, prediction
from export.serving.refusals import Refusal
from export.verify import samples
from tests.export.serving.rig import PREDICT, GrpcClient, as_json, export_small, predict_request
from tests.export.serving.rig import http as request_http

pytestmark = pytest.mark.slow

CLIENTS, REQUESTS, MOST_ROUNDS = 16, 2000, 6
MARGIN = 32 << 20
"""Bytes that the server may have grown in one round of half the requests: 33 KB a request. What a request
leaves behind is left in every round, while the allocator's arenas grow in some and stay in others.
"""
HOSTILE_MEMORY = 200 << 20
"""Bytes that a hostile request may take at its peak."""
DEADLINE_SECONDS = 300.0
"""Of a client, which no load should reach: what a hostile request costs is measured in memory."""
PAUSE, RETRY_SECONDS = 0.1, 0.3
MAX_IMAGE_PIXELS = 25_000_000
LOST = (urllib.error.URLError, ConnectionError, http.client.HTTPException)
"""What a REST client sees of a server that is gone; `grpc.StatusCode.UNAVAILABLE` is what a gRPC client
sees.
"""


class Process:
    """A server of the folder; `ports` are those of an earlier one, or free ones."""

    def __init__(self, folder, ports=(0, 0)):
        addresses = ["--port", str(ports[0]), "--rest-port", str(ports[1])]
        # As many threads an op as in this process: the last bit of a float depends on them.
        threads = ["--intra-op-parallelism", str(len(os.sched_getaffinity(0)))]
        command = [sys.executable, "-m", "export", "serve", folder, "--embedded", "--no-warmup"]
        command += [*addresses, *threads]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.lines = []
        while "ready" not in self.lines:
            line = self.process.stdout.readline()
            assert line, self.lines
            self.lines.append(line.strip())
        self.ports = tuple(
            map(
                int, re.search(r"gRPC [\d.]+:(\d+), REST http://[\d.]+:(\d+)/", " ".join(self.lines)).groups()
            )
        )
        threading.Thread(
            target=lambda: self.lines.extend(line.strip() for line in self.process.stdout), daemon=True
        ).start()

    def memory(self, field="VmRSS"):
        with open(f"/proc/{self.process.pid}/status") as status:
            return next(int(line.split()[1]) << 10 for line in status if line.startswith(f"{field}:"))

    def forget_peak(self):
        with open(f"/proc/{self.process.pid}/clear_refs", "w") as file:
            file.write("5")

    def end(self, number):
        self.process.send_signal(number)
        return self.process.wait(30)


class Item(NamedTuple):
    """A request in both forms, and the answer in both forms: a message, or a code and part of a sentence."""

    request: Any
    body: bytes
    answer: Any
    rest_answer: Any


def good(servable, signature, inputs):
    request = predict_request(signature, inputs)
    name, outputs = prediction.run_request(servable, request, prediction.Limits())
    answer = prediction.predict(servable, request, prediction.Limits())
    body = {"signature_name": name, "inputs": {key: as_json(value) for key, value in inputs.items()}}
    return Item(request, json.dumps(body).encode(), answer, json_tensors.write(outputs, in_rows=False))


def faulty(servable, signature, inputs, body):
    request = predict_request(signature, inputs)
    with pytest.raises(Refusal) as refused:
        prediction.predict(servable, request, prediction.Limits())
    return Item(request, body, refused.value.code, 400)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("soak")
    export_small(folder, max_image_pixels=MAX_IMAGE_PIXELS)
    return folder


@pytest.fixture(scope="module")
def pool(folder, photo, speech):
    """Good items and faulty ones."""
    servable = prediction.load_servable(1, folder / "1", warm=False)
    small = tf.io.encode_png(samples.pixels(40, 60)).numpy()
    texts = [{"prompts": [f"prompt {index} " + "word " * index]} for index in range(12)]
    images = [
        {"prompts": [f"{index} <|image|>"], "images": [[file]]} for index, file in enumerate((photo, small))
    ]
    clips = [{"prompts": [f"{index} <|audio|>"], "audio": [[speech]]} for index in range(2)]
    every = [
        {"prompts": ["<|image|>", "<|audio|> x"], "images": [[small], [b""]], "audio": [[b""], [speech]]}
    ]
    goods = [
        *(good(servable, "generate_preprocess_text", inputs) for inputs in texts),
        *(good(servable, "generate_preprocess_image", inputs) for inputs in images),
        *(good(servable, "generate_preprocess_audio", inputs) for inputs in clips),
        *(good(servable, "generate_preprocess", inputs) for inputs in every),
    ]
    bad_image = {"prompts": ["<|image|>"], "images": [[b"no image"]]}
    faults = [
        good(servable, "generate_preprocess_image", bad_image),  # its fault is in its `status`
        good(servable, "generate_preprocess_text", {"prompts": ["<|image|>"]}),
        faulty(
            servable,
            "generate_preprocess_text",
            {"prompts": [1]},
            b'{"signature_name": "tokenize", "inputs": [1]}',
        ),
        faulty(servable, "generate_preprocess_image", {"prompts": ["a"]}, b'{"inputs": {}}'),
        faulty(servable, "tokenize", {"text": ["a"] * 10_000}, b"{"),
    ]
    assert all(item.answer.outputs["status"].string_val[0] for item in faults[:2])
    return goods, faults


@pytest.fixture(scope="module")
def server(folder, pool):
    server = Process(folder)
    Load(server.ports, pool, 100).join()  # every graph has run
    yield server
    server.end(signal.SIGKILL)


class Load:
    """Clients that send items until told to stop, or until `count` are sent, and what became of each request.

    `pause` is what each client waits between its requests, in seconds; after a lost one it waits
    `RETRY_SECONDS`.
    """

    def __init__(self, ports, pool, count=None, pause=0.0):
        self.results, self.versions = Counter(), Counter()
        self._goods, self._faults = (itertools.cycle(items) for items in pool)
        self._ports, self._count, self._pause, self._lock = ports, count, pause, threading.Lock()
        self.sent, self._stop = 0, threading.Event()
        self._threads = [
            threading.Thread(target=self._client, args=(index % 2 == 0,)) for index in range(CLIENTS)
        ]
        for thread in self._threads:
            thread.start()

    def join(self):
        for thread in self._threads:
            thread.join()
        return self

    def stop(self):
        self._stop.set()
        return self.join()

    def _next(self):
        with self._lock:
            if self._stop.is_set() or self.sent == self._count:
                return None
            self.sent += 1
            return next(self._faults if self.sent % 20 == 0 else self._goods)

    def _client(self, over_grpc):
        grpc_client = GrpcClient(self._ports[0])
        while item := self._next():
            outcome = self._over_grpc(grpc_client, item) if over_grpc else self._over_rest(item)
            with self._lock:
                self.results[outcome] += 1
            time.sleep(RETRY_SECONDS if outcome == "lost" else self._pause)
        grpc_client.channel.close()

    def _over_grpc(self, client, item):
        try:
            response = client.predict(item.request)
        except grpc.RpcError as error:
            if error.code() is grpc.StatusCode.UNAVAILABLE:
                return "lost"
            return "right" if error.code() is item.answer else f"wrong: {error.code()} {error.details()}"
        self.versions[response.model_spec.version.value] += 1
        return (
            "right"
            if isinstance(item.answer, type(response)) and response.outputs == item.answer.outputs
            else "wrong answer"
        )

    def _over_rest(self, item):
        try:
            status, body = request_http(self._ports[1], PREDICT, item.body)
        except LOST:
            return "lost"
        if status == 503:  # as UNAVAILABLE: the server is starting
            return "lost"
        right = (status, body) == (200, item.rest_answer) or status == item.rest_answer
        return "right" if right else f"wrong: {status} {body[:200]}"


def test_two_thousand_mixed_requests_are_answered_right_in_steady_memory(server, pool):
    Load(server.ports, pool, 300).join()  # every thread has its buffers
    grown = []
    while len(grown) < MOST_ROUNDS and not any(each < MARGIN for each in grown[1:]):
        before = server.memory()
        load = Load(server.ports, pool, REQUESTS // 2).join()
        assert load.results == {"right": REQUESTS // 2}
        grown.append(server.memory() - before)
    assert min(grown[1:]) < MARGIN, grown


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def black_png(height, width, rows=None):
    """A PNG of that size whose pixels, all 0, are there for `rows` rows only."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes((3 * width + 1) * (height if rows is None else rows)), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def endless_wav():
    """A WAV whose `data` chunk claims 4 GB of MP3."""
    form = struct.pack("<HHIIHH", 0x55, 1, 16_000, 32_000, 2, 16)
    return (
        b"RIFF\xff\xff\xff\xffWAVEfmt " + struct.pack("<I", 16) + form + b"data\xff\xff\xff\xff" + bytes(1000)
    )


def image(file):
    return "generate_preprocess_image", {"prompts": ["<|image|>"], "images": [[file]]}


HOSTILE = {
    "200 kB of placeholders": (
        lambda: ("generate_preprocess_text", {"prompts": ["<|image|>" * 22_000]}),
        "got 22000 placeholder(s)",
    ),
    "header of 100 megapixels": (
        lambda: image(black_png(10_000, 10_000, 1)),
        "must not exceed `max_image_pixels`; got one of height 10000",
    ),
    "header of 4 gigapixels squared": (
        lambda: image(black_png(2**31 - 1, 2**31 - 1, 0)),
        "`images`: an image must",
    ),
    "bomb over the limit": (
        lambda: image(black_png(5_001, 5_000)),
        "must not exceed `max_image_pixels`; got one of height 5001",
    ),
    "WAV of 4 GB": (
        lambda: ("generate_preprocess_audio", {"prompts": ["<|audio|>"], "audio": [[endless_wav()]]}),
        "got MP3, format tag 85",
    ),
    "wrong type": (
        lambda: ("generate_preprocess_text", {"prompts": np.zeros(100_000, np.float64)}),
        "to be string but double is provided",
    ),
    "missing input": (
        lambda: ("generate_preprocess", {"prompts": ["a"]}),
        "Missing but required: {audio,images}",
    ),
    "extra input": (
        lambda: ("generate_preprocess_text", {"prompts": ["a"], "extra": np.zeros(1_000_000)}),
        "Sent extra: {extra}",
    ),
    "10,000 rows": (
        lambda: ("generate_preprocess_text", {"prompts": ["a"] * 10_000}),
        "must have at most 128 rows",
    ),
}


def refusal(server, signature, inputs, timeout):
    """What the server says of a request over gRPC: the status of its first row, or the error."""
    client = GrpcClient(server.ports[0])
    try:
        return (
            client.predict(predict_request(signature, inputs), timeout)
            .outputs["status"]
            .string_val[0]
            .decode()
        )
    except grpc.RpcError as error:
        return f"{error.code().name}: {error.details()}"
    finally:
        client.channel.close()


@contextlib.contextmanager
def little_memory(server, most=HOSTILE_MEMORY):
    server.forget_peak()
    before = server.memory()
    yield
    assert server.memory("VmHWM") - before < most


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_request_is_refused_clearly_and_in_little_memory(server, case):
    make, message = HOSTILE[case]
    signature, inputs = make()
    with little_memory(server):
        assert message in refusal(server, signature, inputs, DEADLINE_SECONDS)


BODIES = {
    "10,000 rows": (
        lambda: json.dumps({"signature_name": "tokenize", "instances": ["a"] * 10_000}).encode(),
        "must have at most 128 rows",
    ),
    "millions of lists": (
        lambda: b'{"inputs": [' + b"[]," * 5_000_000 + b"[]]}",
        "must have at most 1,000,000 lists and objects",
    ),
    "nested lists": (lambda: b'{"inputs": ' + b"[" * 900_000, "JSON Parse error"),
    "100 MB": (lambda: b" " * 100_000_000, "must have at most 33,554,432 bytes"),
}


@pytest.mark.parametrize("case", BODIES)
def test_a_hostile_body_is_refused_clearly_and_in_little_memory(server, case):
    make, message = BODIES[case]
    body = make()
    with little_memory(server):
        status, answer = request_http(server.ports[1], PREDICT, body, DEADLINE_SECONDS)
    assert 400 <= status < 500
    assert message in json.loads(answer)["error"]


def test_a_bomb_within_the_limit_is_an_image_like_any_other(server):
    height, width = 4_999, 5_000
    signature, inputs = image(black_png(height, width))
    with little_memory(server, most=4 * 3 * height * width):  # as decoded, as repaired, as resized so far
        assert refusal(server, signature, inputs, DEADLINE_SECONDS) == ""


def test_a_new_version_under_load_costs_no_request(server, pool, folder):
    load = Load(server.ports, pool, pause=PAUSE)
    shutil.copytree(folder / "1", folder / ".2")
    (folder / ".2").rename(folder / "2")
    deadline = time.monotonic() + DEADLINE_SECONDS
    while "version 1: unloaded" not in server.lines and time.monotonic() < deadline:
        time.sleep(0.05)
    load.stop()
    assert server.lines[-2:] == ["version 2: available", "version 1: unloaded"]
    assert load.results == {"right": load.sent}
    assert set(load.versions) == {1, 2}


def test_a_kill_and_a_new_start_under_load_lose_requests_but_answer_none_wrong(server, pool, folder):
    load = Load(server.ports, pool, pause=PAUSE)
    while load.sent < 100:
        time.sleep(0.01)
    server.end(signal.SIGKILL)
    after = Process(folder, server.ports)
    seen = load.results["right"]
    while load.results["right"] < seen + 200:
        time.sleep(0.01)
    load.stop()
    assert set(load.results) == {"right", "lost"}
    assert load.results.total() == load.sent
    assert after.end(signal.SIGTERM) == 0
    assert after.lines[-1] == "stopping"
