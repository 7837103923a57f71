"""No command lets TensorFlow, Keras, LiteRT or SentencePiece print log lines, from start to exit."""

import json
import os
import subprocess
import sys

import keras
import pytest

from examples.small_gemma4 import small_gemma4
from export.cli.quiet import quiet_stderr
from tests.data import ROOT
from tests.export.cli.commands import PHOTO, SPEECH, VOCABULARY, run_alone

SOURCE = ("--tokenizer", VOCABULARY)
TEXT_ONLY = ("--no-images", "--no-audio")
REQUEST = ("--prompt", "see <|image|> hear <|audio|>", "--image", PHOTO, "--audio", SPEECH)


def assert_quiet(*arguments):
    assert_was_quiet(*run_alone(*arguments))


def assert_was_quiet(code, out, err):
    assert (code, err) == (0, "")
    assert out


@pytest.mark.release
def test_inspect_is_quiet(export_folder):
    assert_quiet("inspect", export_folder)


@pytest.mark.slow
def test_run_of_a_saved_model_is_quiet(export_folder, tmp_path):
    assert_quiet("run", export_folder, *REQUEST, "--pictures", tmp_path)


@pytest.mark.release
def test_run_of_a_bundle_is_quiet(bundle_folder):
    assert_quiet("run", bundle_folder, "--prompt", "hello")


def test_saved_model_is_quiet(demo):
    assert_was_quiet(*json.loads((demo / "gemma4.json").read_text()))


@pytest.mark.release
def test_litert_is_quiet(demo_device):
    assert_was_quiet(*json.loads(demo_device.with_suffix(".json").read_text()))


@pytest.mark.release
def test_verify_is_quiet(bundle_folder):
    assert_quiet("verify", bundle_folder, "--texts", "20")


@pytest.mark.release
def test_request_is_quiet(server):
    assert_quiet("request", f"127.0.0.1:{server.port}", "--prompt", "hello", "--timeout", "600")


@pytest.mark.release
@pytest.mark.parametrize("litert", [(), ("--litert",)])
def test_fuse_is_quiet(tmp_path, litert):
    keras.utils.set_random_seed(0)
    model = tmp_path / "small.keras"
    small_gemma4(4096, images=False, audio=False).save(model)
    options = (*SOURCE, *TEXT_ONLY, "--sequence-length", "64", "--model", model)
    assert_quiet("fuse", *options, *litert, "--out", tmp_path / "fused")


FAILING = """
import os
from export.cli.quiet import quiet_stderr

with quiet_stderr():
    os.write(2, b"what the C++ code said\\n")
    raise {error}
"""


@pytest.mark.parametrize(
    ("error", "is_shown"),
    [("RuntimeError", True), ("ValueError", False), ("OSError", False), ("KeyboardInterrupt", False)],
)
def test_chatter_is_shown_only_where_it_may_explain_a_failure_of_ours(error, is_shown):
    ran = subprocess.run(
        [sys.executable, "-c", FAILING.format(error=error)], capture_output=True, text=True, cwd=ROOT
    )
    assert ("what the C++ code said" in ran.stderr) == is_shown


def test_the_error_stream_is_itself_again(capfd):
    with quiet_stderr():
        os.write(2, b"held")
    os.write(2, b"shown")
    assert capfd.readouterr().err == "shown"
