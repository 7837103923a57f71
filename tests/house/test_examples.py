"""The documentation's examples run as they stand."""

import base64
import contextlib
import io
import json
import re
import shlex
import shutil

import pytest
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from export.saved_model import run as running
from export.serving.server import Server, Settings
from export.serving.store import Servable
from tests.data import ROOT
from tests.export.cli.commands import run
from tests.export.serving.rig import http
from tests.house.pages import README, blocks, blocks_in


@pytest.fixture(scope="module")
def server(demo):
    """The embedded server with what was exported."""
    folder = demo / "gemma4" / "1"
    loaded = running.load(folder)
    description = SavedModel.FromString((folder / "saved_model.pb").read_bytes()).meta_graphs[0].signature_def
    servable = Servable(1, loaded.signatures, dict(description), loaded.module, {})
    server = Server(Settings(folder.parent, port=0, rest_port=0), load=lambda version, folder: servable)
    server.start()
    yield server
    server.stop()


PYTHON = [
    pytest.param(block, marks=() if "README" in str(block) else pytest.mark.slow, id=str(block))
    for block in blocks_in("python")
]


OPTIONAL = ("export.bulk.pipeline", "grain", "pyspark", "ray")
"""What examples import that stands in no extra of the tests."""


@pytest.mark.parametrize("block", PYTHON)
def test_the_python_example_prints_what_stands_below_it(block, request, tmp_path, monkeypatch):
    source = block.text
    for package in OPTIONAL:
        if re.search(rf"^(?:import|from) {package}\b", source, re.MULTILINE):
            pytest.importorskip(package, reason=f"the example needs {package}")
            if package == "pyspark" and not shutil.which("java"):
                pytest.skip("Spark needs a Java runtime: apt-get install default-jre-headless")
    if "localhost:8500" in source:
        source = source.replace("localhost:8500", f"127.0.0.1:{request.getfixturevalue('server').port}")
    if "build/demo/device" in source:
        request.getfixturevalue("demo_device")
    if "build/demo" in source:
        source = source.replace("build/demo", str(request.getfixturevalue("demo")))
    printed = io.StringIO()
    monkeypatch.chdir(ROOT)
    with contextlib.redirect_stdout(printed):
        exec(compile(source.replace('"build/', f'"{tmp_path}/'), str(block), "exec"), {})
    assert printed.getvalue() == block.output


@pytest.mark.slow
@pytest.mark.parametrize("block", blocks_in("sh"), ids=str)
def test_the_rest_examples_are_answered_by_a_server(block, server):
    commands = re.split(r"\n(?=curl|echo)", block.text.replace("\\\n", " "))
    assert all("curl localhost:8501" in command for command in commands)
    for command in commands:
        path, body = sent(command)
        status, answer = http(server.rest_port, path, body and body.encode())
        assert status == 200, answer
    assert last_status(json.loads(answer)) == ""


def last_status(answer):
    """The status of the first row of an image's preprocessing, by either protocol."""
    if "predictions" in answer:
        return answer["predictions"][0]["status"]
    (output,) = answer["outputs"]
    return output["data"][0] if output["name"] == "status" else None


def sent(command):
    """Path and body, if any, of a command with curl, with files in base64 filled in as the shell does."""
    command = re.sub(
        r"\$\(base64 -w0 (\S+)\)",
        lambda match: base64.b64encode((ROOT / match[1]).read_bytes()).decode(),
        command,
    )
    words = shlex.split(command)
    body = words[1] if words[0] == "echo" else words[words.index("-d") + 1] if "-d" in words else None
    (url,) = (word for word in words if word.startswith("localhost:8501"))
    return url.removeprefix("localhost:8501"), body


def test_the_readme_shows_what_make_demo_prints(demo, capsys, monkeypatch):
    """Up to line breaks, and without the lines that say what was written, which hold sizes of files."""
    monkeypatch.chdir(ROOT)
    makefile = (ROOT / "Makefile").read_text().replace("\\\n", "")
    options = shlex.split(re.findall(r"^REQUEST := (.*)$", makefile, re.MULTILINE)[0])
    code, printed, _ = run(capsys, "run", str(demo / "gemma4" / "1"), *options)
    assert code == 0
    (shown,) = (block.text for block in blocks(README) if block.text.startswith("$ make demo"))
    shown = [line for line in shown.splitlines() if not line.startswith(("$ ", "wrote "))]
    assert " ".join(shown).split() == printed.split()
