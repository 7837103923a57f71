"""`serve` and `request` as a user types them, over both protocols."""

import http.server
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading

import pytest

from export.batching_parameters import BatchingParameters
from export.cli import serving
from export.cli.serving import read_choice
from export.serving.store import Choice
from export.serving_configuration import BATCHING, FOLDER
from tests.export.cli.commands import PHOTO, SPEECH, run


@pytest.mark.slow
def test_serve_says_what_it_is_and_where_and_ends_in_order_on_a_signal(export_folder):
    command = [
        sys.executable,
        "-m",
        "export",
        "serve",
        export_folder.parent,
        "--port",
        "0",
        "--rest-port",
        "0",
    ]
    server = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PATH": ""},
    )
    lines = [server.stdout.readline().strip() for _ in range(5)]
    server.send_signal(signal.SIGTERM)
    assert server.wait() == 0
    assert lines[0] == "embedded server, for development only (tensorflow_model_server is not on the PATH)"
    assert lines[1:3] == ["loading and warming up", "version 1: available"]
    assert re.fullmatch(r"gRPC 127.0.0.1:\d+, REST http://127.0.0.1:\d+/v1/models/gemma4", lines[3])
    assert [lines[4], server.stdout.read().strip()] == ["ready", "stopping"]
    assert server.stderr.read() == ""


def test_serve_runs_tf_serving_where_it_is_installed(export_folder, tmp_path):
    binary = tmp_path / serving.TF_SERVING
    binary.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    binary.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:/usr/bin:/bin"}
    ran = subprocess.run(
        [sys.executable, "-m", "export", "serve", export_folder.parent],
        env=environment,
        capture_output=True,
        text=True,
    )
    first, second, *given = ran.stdout.splitlines()
    assert (ran.returncode, first) == (0, f"TF Serving: {binary}")
    assert second == "gRPC 0.0.0.0:8500, REST http://0.0.0.0:8501/v1/models/gemma4"
    assert f"--model_base_path={export_folder.parent}" in given
    assert given[:-1] == serving.tf_serving_arguments(export_folder.parent, 8500, 8501, "gemma4", None, 1)
    assert given[-1] == "--enable_model_warmup=true"


def test_batching_parameters_reach_whichever_server_there_is(export_folder, monkeypatch, tmp_path):
    file = tmp_path / "batching.txt"
    file.write_text("max_batch_size { value: 3 }")
    arguments = (export_folder.parent, 8500, 8501, "gemma4", None, 1)
    assert f"--batching_parameters_file={file}" in serving.tf_serving_arguments(*arguments, file)
    assert f"--batching_parameters_file={BATCHING}" in serving.tf_serving_arguments(*arguments)
    started = []
    monkeypatch.setattr(serving, "_serve_embedded", lambda *given: started.append(given[1]["batching"]))
    for given in ({}, {"batching_parameters": file}):
        serving.serve(export_folder.parent, embedded=True, **given)
    assert started == [None, BatchingParameters(max_batch_size=3)]


def test_the_embedded_server_serves_the_versions_that_tf_serving_would(tmp_path):
    assert read_choice(None, "gemma4") == Choice(latest=1)
    assert read_choice(FOLDER / "models.config", "gemma4") == Choice(
        latest=2, labels={"stable": 1, "canary": 2}
    )
    policies = {
        "": Choice(latest=1),
        "model_version_policy { latest {} }": Choice(latest=1),
        "model_version_policy { all {} }": Choice(latest=None),
        "model_version_policy { specific { versions: 3 versions: 5 } }": Choice(specific=(3, 5)),
    }
    for policy, choice in policies.items():
        path = tmp_path / "models.config"
        path.write_text(f"model_config_list {{ config {{ name: 'm' {policy} }} }}")
        assert read_choice(path, "m") == choice


@pytest.fixture(params=["gRPC", "REST", "REST found out"])
def address(request, server):
    return {
        "gRPC": f"127.0.0.1:{server.port}",
        "REST": f"http://127.0.0.1:{server.rest_port}",
        "REST found out": f"127.0.0.1:{server.rest_port}",
    }[request.param]


PATIENT = ("--timeout", "600")
MEDIA = (*PATIENT, "--prompt", "see <|image|>\n hear <|audio|>", "--image", PHOTO, "--audio", SPEECH)


@pytest.mark.slow
def test_request_prints_what_run_prints(capsys, export_folder, server):
    addresses = f"127.0.0.1:{server.port}", f"127.0.0.1:{server.rest_port}"
    for arguments in (MEDIA, (*MEDIA, "--json")):
        printed = run(capsys, "run", str(export_folder), *arguments[len(PATIENT) :])
        for address in addresses:
            assert run(capsys, "request", address, *arguments) == printed


def test_request_runs_other_signatures(capsys, address):
    code, out, _ = run(
        capsys,
        "request",
        address,
        *PATIENT,
        "--prompt",
        "hello",
        "--signature",
        "generate_preprocess_text",
        "--json",
    )
    assert code == 0
    assert json.loads(out)["tensors"].keys() == {"token_ids", "padding_mask", "position_ids", "status"}
    request = ("request", address, *PATIENT, "--prompt", "hello", "--json", "--signature")
    code, out, _ = run(capsys, *request, "generate_preprocess_text")
    assert code == 0
    assert json.loads(out)["tensors"].keys() == {"token_ids", "padding_mask", "position_ids", "status"}
    code, out, _ = run(capsys, *request, "tokenize")
    assert json.loads(out) == {
        "tensors": {
            "lengths": {"dtype": "int32", "shape": [1]},
            "token_ids": {"dtype": "int32", "shape": [1, 3]},
        }
    }


REQUEST_MISTAKES = {
    "row with a fault": (("--prompt", "<|image|>"), "got 1 placeholder(s) and 0 image(s)"),
    "other model": (
        ("--prompt", "a", "--model-name", "other"),
        "Servable not found for request: Latest(other)",
    ),
    "other signature": (("--prompt", "a", "--signature", "fly"), "`signature`: must be one of the model's"),
    "signature of ids": (
        ("--prompt", "a", "--signature", "detokenize"),
        "must take a prompt and files; detokenize takes",
    ),
    "surplus image": (
        ("--prompt", "a", "--image", PHOTO, "--signature", "tokenize"),
        "`images`: tokenize takes ['text'] only",
    ),
    "no time": (("--prompt", "a", "--timeout", "0.000001"), "127.0.0.1"),
}


@pytest.mark.parametrize("mistake", REQUEST_MISTAKES)
def test_mistakes_in_requests_are_one_line_and_exit_code_2(capsys, address, mistake):
    arguments, message = REQUEST_MISTAKES[mistake]
    code, out, err = run(capsys, "request", address, *PATIENT, *arguments)
    assert code == 2
    assert message in err
    assert len(err.splitlines()) == 1
    assert out == ""


@pytest.mark.parametrize("scheme", ["", "http://"])
def test_request_to_nobody_is_one_line_and_exit_code_2(capsys, scheme):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    code, _, err = run(capsys, "request", f"{scheme}127.0.0.1:{port}", "--prompt", "a", "--timeout", "5")
    assert code == 2
    assert "onnection refused" in err
    assert len(err.splitlines()) == 1


def test_a_grpc_port_with_http_before_it_is_explained(capsys, server):
    code, _, err = run(capsys, "request", f"http://127.0.0.1:{server.port}", *PATIENT, "--prompt", "a")
    assert code == 2
    assert "what answers does not speak HTTP. For gRPC leave out http://." in err
    assert len(err.splitlines()) == 1


class Page(http.server.BaseHTTPRequestHandler):
    """Some web server."""

    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>hello</html>")

    def log_message(self, *args):
        pass


@pytest.mark.parametrize("scheme", ["", "http://"])
def test_another_kind_of_server_is_said_to_be_one(capsys, scheme):
    with http.server.HTTPServer(("127.0.0.1", 0), Page) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        address = f"{scheme}127.0.0.1:{other.server_port}"
        code, _, err = run(capsys, "request", address, *PATIENT, "--prompt", "a")
        other.shutdown()
    assert code == 2
    assert "must be TF Serving or the embedded server; what answers over HTTP sends no JSON" in err
