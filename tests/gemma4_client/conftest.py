"""A server of a model that loads in a moment, and clients of it."""

import functools

import pytest
import tensorflow as tf

from export.saved_model.signatures import ARRAY_INPUTS, INPUTS
from export.serving.prediction import load_servable
from export.serving.server import Server, Settings
from export.signature import Signature
from gemma4_client import Client
from tests.export.tiny import TABLE, save_tiny

PATIENCE = 60


def _counted(tensors):
    sizes = tf.reduce_sum(tensors["image_sizes"], axis=[1, 2])
    count = tf.strings.length(tensors["prompts"]) + sizes
    return {"num_tokens": count, "fits": count < 16, "status": tf.where(count < 16, "", "too long")}


COUNTING = Signature(
    {"prompts": INPUTS["prompts"], "image_sizes": ARRAY_INPUTS["image_sizes"]},
    ("num_tokens", "fits", "status"),
    _counted,
    "for a test",
)
TRAINING = Signature(
    {**TABLE["generate_preprocess"].inputs, "responses": INPUTS["responses"]},
    ("y", "sizes"),
    lambda tensors: {
        "y": tf.strings.length(tensors["responses"]),
        "sizes": tf.reduce_sum(tf.strings.length(tensors["images"]), axis=1),
    },
    "for a test",
)


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    save_tiny(folder / "1", count_tokens=COUNTING, preprocess=TRAINING)
    return folder


@pytest.fixture(scope="session")
def server(tiny_folder):
    server = started(tiny_folder)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def demo_server(demo):
    """With what `make demo` exports, not warmed up."""
    load = functools.partial(load_servable, warm=False)
    server = Server(settings(demo / "gemma4"), load=load)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def address(server):
    return f"127.0.0.1:{server.port}"


@pytest.fixture
def client(address):
    with Client(address, timeout=PATIENCE) as client:
        yield client


def started(folder, port=0):
    server = Server(settings(folder, port))
    server.start()
    return server


def settings(folder, port=0):
    """Of a server that ends at once."""
    return Settings(folder, port=port, rest_port=0, grace_seconds=0, drain_seconds=0)
