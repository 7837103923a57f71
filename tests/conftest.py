"""Fixtures: vocabularies, references, and the demonstration's media."""

import fcntl
import gc
import json
import lzma
import os
import pathlib
import shutil
import tempfile

import hypothesis
import pytest
import sentencepiece
import tensorflow as tf
import tokenizers

import graph_ops
from export.verify import samples
from graph_ops.text.vocabulary.vocabulary import load_vocabulary
from tests import time_limit
from tests.data import CORPUS, DEMONSTRATION, REAL, needs_real
from tests.export.cli.commands import write_demo

hypothesis.settings.register_profile("repeatable", derandomize=True, database=None, deadline=None)
hypothesis.settings.load_profile("repeatable")


def pytest_addoption(parser):
    parser.addoption(
        "--without-grappler",
        action="store_true",
        help="run graphs in this process as they were traced; Grappler takes much of each first call",
    )
    parser.addoption("--seconds", type=float, help="begin no test later than this")


def pytest_configure(config):
    """A cache and Keras settings that are this session's own, which its workers and processes share."""
    gc.set_threshold(100_000, 20, 50)  # the objects of traced graphs stay: looking through them took a tenth
    if config.getoption("--without-grappler"):
        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    if hasattr(config, "workerinput"):  # xdist's workers inherit them
        return
    time_limit.begin(config.getoption("--seconds"))
    folder = tempfile.mkdtemp(prefix="gemma4-graph-tests-")
    config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
    os.environ.update(XDG_CACHE_HOME=folder, KERAS_HOME=folder, HF_HOME=folder)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Tests with the real vocabulary are part of `make test-slow`, where there is one; those of a release are
    slow ones that it leaves out.
    """
    for item in items:
        if item.get_closest_marker("release"):
            item.add_marker(pytest.mark.slow)
        if item.get_closest_marker("real"):
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.skipif(not REAL, reason="GEMMA4_TOKENIZER names no vocabulary"))
    items[:] = time_limit.in_turns(items)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup():
    time_limit.skip_if_over()


def pytest_terminal_summary(terminalreporter):
    if count := time_limit.left_out(terminalreporter.stats.get("skipped", [])):
        terminalreporter.write_line(f"{count} tests had no time")


@pytest.fixture(scope="session")
def made_once(tmp_path_factory):
    """`made_once(name, write)` is a folder that `write(folder)` filled, once for all of xdist's workers."""
    own = tmp_path_factory.getbasetemp()
    root = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own

    def make(name, write):
        folder, whole = root / name, root / f"{name}.whole"
        with (root / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not whole.exists():
                write(folder)
                whole.touch()
        return folder

    return make


@pytest.fixture(scope="session")
def demo(made_once):
    """What `make demo` exports for servers: `gemma4/1`; and what the command printed."""

    def write(folder):
        write_demo(folder, "saved-model", "gemma4")

    return made_once("demo", write)


@pytest.fixture(scope="session")
def demo_device(demo, made_once):
    """What `make demo` exports for devices, beside the former: `device`."""
    made_once("demo_device", lambda _: write_demo(demo, "litert", "device"))
    return demo / "device"


@pytest.fixture(scope="session", params=["demonstration", pytest.param("real", marks=needs_real)])
def vocabulary_file(request):
    """Each test that uses it runs with the shipped vocabulary and, in `make test-slow` and where it is there,
    with the real one.
    """
    return DEMONSTRATION if request.param == "demonstration" else pathlib.Path(REAL)


@pytest.fixture(scope="session")
def vocabulary(vocabulary_file):
    return load_vocabulary(vocabulary_file)


@pytest.fixture(scope="session")
def tokenizer(vocabulary_file):
    return graph_ops.Gemma4Tokenizer(vocabulary_file)


@pytest.fixture(scope="session")
def demonstration_tokenizer():
    return graph_ops.Gemma4Tokenizer(DEMONSTRATION)


@pytest.fixture(scope="session")
def sentencepiece_processor(vocabulary):
    return sentencepiece.SentencePieceProcessor(model_proto=vocabulary.proto)


@pytest.fixture(scope="session")
def real_tokenizer():
    """The real vocabulary; for tests marked `needs_real`."""
    return graph_ops.Gemma4Tokenizer(pathlib.Path(REAL))


@pytest.fixture(scope="session")
def huggingface_tokenizer():
    """`tokenizers` with the real vocabulary, whose tokenizer.json lies beside the SentencePiece model; for
    tests marked `needs_real`.
    """
    packed = pathlib.Path(REAL).with_name("tokenizer.json.xz").read_bytes()
    return tokenizers.Tokenizer.from_str(lzma.decompress(packed).decode())


@pytest.fixture(scope="session")
def corpus():
    """Texts of the corpus in 266 languages."""
    return [
        json.loads(line)["text"] for line in pathlib.Path(CORPUS).read_text(encoding="utf-8").splitlines()
    ]


@pytest.fixture(scope="session")
def photo():
    return samples.demonstration_file("photo.jpg").read_bytes()


@pytest.fixture(scope="session")
def speech():
    return samples.demonstration_file("speech.wav").read_bytes()


@pytest.fixture(scope="session")
def make_preprocessor(demonstration_tokenizer):
    """A preprocessor with every medium and the demonstration vocabulary, unless told otherwise."""

    def make(tokenizer=demonstration_tokenizer, images=True, audio=True, **settings):
        return graph_ops.Gemma4CausalLMPreprocessor(
            tokenizer,
            graph_ops.Gemma4ImageConverter() if images else None,
            graph_ops.Gemma4AudioConverter() if audio else None,
            **settings,
        )

    return make
