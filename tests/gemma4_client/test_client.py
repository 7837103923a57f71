"""A client beside its server: late, gone, back, slow; and what it loads."""

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from export.saved_model import run as running
from export.serving.server import Server
from export.verify.samples import demonstration_file
from gemma4_client import Client, DeadlineExceeded, Refused, Retries, Unavailable
from tests.data import ROOT
from tests.export.serving.rig import call
from tests.gemma4_client.conftest import PATIENCE, settings, started

OFTEN = Retries(attempts=1000, initial_seconds=0.02, max_seconds=0.1)


@pytest.fixture
def port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def test_a_server_that_starts_late_is_waited_for(tiny_folder, port):
    late = []
    starting = threading.Timer(0.3, lambda: late.append(started(tiny_folder, port)))
    with Client(f"127.0.0.1:{port}", retries=OFTEN, timeout=PATIENCE) as client:
        assert not client.ready()
        starting.start()
        assert client.tokenize(["ab"]).token_ids == [[97, 98]]
        assert client.ready()
    starting.join()
    late[0].stop()


def test_a_server_that_goes_and_comes_back_is_asked_again(tiny_folder, port):
    first = started(tiny_folder, port)
    with Client(f"127.0.0.1:{port}", retries=OFTEN, timeout=PATIENCE) as client:
        assert client.tokenize(["a"]).token_ids == [[97]]
        first.stop()
        with pytest.raises(Unavailable, match=r"got UNAVAILABLE in each of \d+ attempts"):
            client.tokenize(["a"], timeout=0.3)
        second = started(tiny_folder, port)
        assert client.tokenize(["b"]).token_ids == [[98]]
        second.stop()


def test_nobody_there_is_said_after_few_attempts(port):
    begin = time.monotonic()
    retries = Retries(attempts=3, initial_seconds=0.01)
    with (
        Client(f"127.0.0.1:{port}", retries=retries) as client,
        pytest.raises(Unavailable, match=f"127.0.0.1:{port}: .* in each of 3 attempts .*Start the server"),
    ):
        client.versions()
    assert time.monotonic() - begin < 10


def test_a_deadline_passes_over_all_attempts():
    """Of a port that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        with Client(address, timeout=0.3, retries=OFTEN) as client:
            begin = time.monotonic()
            with pytest.raises(DeadlineExceeded, match=r"must answer within 0\.3 s; got no answer"):
                client.tokenize(["a"])
            assert 0.25 < time.monotonic() - begin < 5


def test_a_model_that_loads_is_not_there_yet(tiny_folder):
    gate, begun = threading.Event(), threading.Event()

    def load(version, folder):
        begun.set()
        gate.wait(PATIENCE)
        raise ValueError("never mind")

    def start():
        with contextlib.suppress(ValueError):
            server.start()

    server = Server(settings(tiny_folder), load=load)
    starting = threading.Thread(target=start)
    starting.start()
    begun.wait(PATIENCE)
    with Client(f"127.0.0.1:{server.port}", retries=Retries(attempts=2)) as client:
        assert not client.ready()
        assert [version.state for version in client.versions()] == ["LOADING"]
        with pytest.raises(Unavailable, match="is loading"):
            client.tokenize(["a"])
    gate.set()
    starting.join()


def test_a_port_of_rest_is_refused(server):
    with (
        Client(f"127.0.0.1:{server.rest_port}", retries=Retries(attempts=1), timeout=5) as client,
        pytest.raises((Unavailable, Refused, DeadlineExceeded)),
    ):
        client.versions()


def test_versions_and_signatures_are_told(client):
    assert [tuple(version) for version in client.versions()] == [(1, "AVAILABLE", "")]
    assert "tokenize" in client.signatures()
    assert not [name for name in client.signatures() if name.startswith("__")]


BARE = """
import sys

class Nothing:
    def find_spec(self, name, *_):
        if name.split(".")[0] in ("numpy", "tensorflow", "graph_ops", "export"):
            raise ImportError(name)

sys.meta_path.insert(0, Nothing())
from gemma4_client import Client
with Client(sys.argv[1], timeout=60) as client:
    row = client.generate_preprocess(["ab", ""], [[b"123"], []])
    print(client.tokenize(["ab"]).token_ids, row.outputs["sizes"].tolist(), list(row.faults))
print(sorted({name.split(".")[0] for name in sys.modules} & {"numpy", "tensorflow", "graph_ops", "export"}))
"""


def test_it_runs_where_there_is_neither_tensorflow_nor_numpy(address):
    environment = os.environ | {"PYTHONPATH": str(ROOT / "clients" / "python")}
    command = [sys.executable, "-c", BARE, address]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd="/", check=True)
    assert done.stdout.splitlines() == ["[[97, 98]] [3, 0] [1]", "[]"]


@pytest.mark.slow
def test_a_whole_row_is_that_of_the_saved_model(demo, demo_server):
    """Strings, a photograph and a voice; the last row has a fault."""
    photo, speech = (demonstration_file(name).read_bytes() for name in ("photo.jpg", "speech.wav"))
    prompts = ["See <|image|> and hear <|audio|>", "nothing", "<|image|>"]
    with Client(f"127.0.0.1:{demo_server.port}", timeout=PATIENCE) as client:
        answer = client.generate_preprocess(prompts, [[photo], [], []], [[speech], [], []])
        counts = client.count_tokens(["See <|image|>", "nothing"], [[(876, 1300)], []])
    inputs = {"prompts": prompts, "images": [[photo], [b""], [b""]], "audio": [[speech], [b""], [b""]]}
    expected = call(running.load(demo / "gemma4" / "1"), "generate_preprocess", inputs)
    assert answer.outputs.keys() == expected.keys()
    for name, array in expected.items():
        if name == "status":
            assert answer.statuses == tuple(status.decode() for status in array)
        else:
            np.testing.assert_array_equal(np.asarray(answer.outputs[name]), array, strict=True, err_msg=name)
    assert list(answer.faults) == [2]
    assert counts.checked() == [287, 3]
