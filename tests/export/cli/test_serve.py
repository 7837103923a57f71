"""`serve` as a user types it."""

import os
import re
import signal
import subprocess
import sys

import pytest

from export.cli import serving


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
