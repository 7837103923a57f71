"""The client in JavaScript, beside the embedded server; `make test-clients` runs it."""

import hashlib
import json
import os
import shutil
import subprocess

import pytest

from export.verify.samples import demonstration_file
from gemma4_client import Client, Retries
from tests.data import ROOT
from tests.gemma4_client.conftest import PATIENCE

FOLDER = ROOT / "clients" / "javascript"
NODE = shutil.which("node") or ""


def golden(server):
    """A row by way of gRPC, with what it was made of."""
    photo, speech = (demonstration_file(name) for name in ("photo.jpg", "speech.wav"))
    prompts = ["See <|image|> and hear <|audio|>", "<|image|>"]
    with Client(f"127.0.0.1:{server.port}", timeout=PATIENCE) as client:
        answer = client.generate_preprocess(prompts, [[photo.read_bytes()], []], [[speech.read_bytes()], []])
    return {
        "photo": str(photo),
        "speech": str(speech),
        "prompts": prompts,
        "statuses": answer.statuses,
        "token_ids": answer.outputs["token_ids"].tolist(),
        "pixels_sha256": hashlib.sha256(answer.outputs["pixel_values"].view()).hexdigest(),
    }


@pytest.mark.slow
@pytest.mark.skipif(not NODE, reason="needs Node; `make test-clients` installs it")
def test_the_javascript_client_is_answered_by_the_embedded_server(server, demo_server, tmp_path):
    file = tmp_path / "golden.json"
    file.write_text(json.dumps(golden(demo_server)))
    environment = os.environ | {
        "TINY": f"http://127.0.0.1:{server.rest_port}",
        "DEMO": f"http://127.0.0.1:{demo_server.rest_port}",
        "GOLDEN": str(file),
    }
    command = [NODE, "--test", "test_client.js"]
    done = subprocess.run(command, cwd=FOLDER, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_both_clients_send_again_alike():
    """The numbers of Retries are those of the Python client, in milliseconds."""
    ours = Retries()
    text = (FOLDER / "gemma4_client.js").read_text()
    stated = (
        f"{{attempts: {ours.attempts}, initialMs: {ours.initial_seconds * 1000:g}, "
        f"multiplier: {ours.multiplier:g}, maxMs: {ours.max_seconds * 1000:g}, jitter: {ours.jitter:g}}}"
    )
    assert f"RETRIES = Object.freeze({stated})" in text
