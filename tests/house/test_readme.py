"""The README's examples run as they stand, and its tables are the code's."""

import base64
import contextlib
import io
import json
import os
import re
import shlex

import pytest
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

import graph_ops
from export.cli.main import app
from export.litert.signatures import device_signatures
from export.litert.write import export_litert
from export.saved_model import run as running
from export.saved_model.signatures import signatures
from export.saved_model.write import export_saved_model
from export.serving.server import Server, Settings
from export.serving.store import Servable
from export.verify.samples import demonstration_file
from graph_ops.features import DIMS, FEATURES
from tests.data import ROOT
from tests.export.serving.rig import http

README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(language, containing):
    """The one example in that language that holds a word."""
    (found,) = (
        text for text in re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL) if containing in text
    )
    return found


def run_python(source):
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.chdir(ROOT):
        exec(compile(source, "README.md", "exec"), {})
    return printed.getvalue()


@pytest.fixture(scope="module")
def preprocessor():
    return graph_ops.Gemma4CausalLMPreprocessor(
        graph_ops.Gemma4Tokenizer(demonstration_file("demonstration.spm")),
        graph_ops.Gemma4ImageConverter(),
        graph_ops.Gemma4AudioConverter(),
    )


@pytest.fixture(scope="module")
def loaded(preprocessor, tmp_path_factory):
    folder = export_saved_model(preprocessor, tmp_path_factory.mktemp("readme"))
    return folder, running.load(folder)


@pytest.fixture(scope="module")
def server(loaded):
    """The embedded server with the export that is loaded already."""
    description = (
        SavedModel.FromString((loaded[0] / "saved_model.pb").read_bytes()).meta_graphs[0].signature_def
    )
    servable = Servable(1, loaded[1].signatures, dict(description), loaded[1].module, {})
    server = Server(Settings(loaded[0].parent, port=0, rest_port=0), load=lambda version, folder: servable)
    server.start()
    yield server
    server.stop()


def test_the_python_example_runs():
    example = block("python", "Gemma4ImageConverter()")
    assert run_python(example) == "(1024,) (1, 2520, 768) What is this? <|image>\n"


def test_the_grpc_example_runs_against_a_server(server):
    example = block("python", "import grpc")
    assert (
        run_python(example.replace("localhost:8500", f"127.0.0.1:{server.port}")) == "(2, 1024) [b'', b'']\n"
    )


def test_the_rest_examples_run_against_a_server(server):
    examples = block("sh", "generate_preprocess_text")
    for line in examples.splitlines():
        path, body = posted(line)
        status, answer = http(server.rest_port, path, body.encode())
        assert status == 200, answer
    assert json.loads(answer)["predictions"][0]["status"] == ""


def posted(line):
    """Path and body of a line with curl, with files in base64 filled in as the shell does."""
    line = re.sub(
        r"\$\(base64 -w0 (\S+)\)",
        lambda match: base64.b64encode((ROOT / match[1]).read_bytes()).decode(),
        line,
    )
    words = shlex.split(line)
    body = words[1] if words[0] == "echo" else words[words.index("-d") + 1]
    return next(word for word in words if word.startswith("localhost:8501")).removeprefix(
        "localhost:8501"
    ), body


def test_the_preset_example_runs():
    example = block("python", "from_preset")
    assert run_python(example) == "2048 0.001\n"


def test_the_device_example_runs(tmp_path):
    tokenizer = graph_ops.Gemma4Tokenizer(demonstration_file("demonstration.spm"), engine="builtin")
    export_litert(graph_ops.Gemma4CausalLMPreprocessor(tokenizer), tmp_path / "device")
    example = block("python", "ai_edge_litert").replace("build/demo", str(tmp_path))
    assert run_python(example) == f"{tokenizer('This is a test.').numpy()}\n"


def test_the_device_table_names_every_signature_with_its_inputs_and_outputs(preprocessor):
    section = README[README.index("## On the device") : README.index("## What goes in")]
    rows = {match[1]: match[0] for match in re.finditer(r"^\| `(\w+)` \|.*$", section, re.MULTILINE)}
    table = device_signatures(preprocessor.settings)
    assert rows.keys() == table.keys()
    for name, signature in table.items():
        outputs = [] if name.startswith("generate_preprocess") else signature.outputs[:-2]
        assert all(f"`{tensor}`" in rows[name] for tensor in (*signature.inputs, *outputs))


def test_the_fusing_example_runs(tmp_path):
    example = block("python", "import fuse").replace("build/fused", str(tmp_path))
    assert run_python(example) == "(2,) (2, 64) [b'' b'']\n"


def test_make_targets_and_commands_of_the_readme_exist():
    makefile = (ROOT / "Makefile").read_text()
    for target in set(re.findall(r"`?make (\w+)", README)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    commands = {command.name or command.callback.__name__ for command in app.registered_commands}
    used = set(re.findall(r"python -m export ([\w-]+)", README))
    assert used == commands


def test_the_feature_table_is_the_codes():
    lines = ["| feature | dtype | shape | padding | meaning |", "| --- | --- | --- | --- | --- |"]
    for feature in FEATURES:
        shape = ", ".join(map(str, feature.dims))
        lines.append(
            f"| `{feature.name}` | {feature.dtype.name} | [{shape}] | {feature.padding} | {feature.meaning} |"
        )
    dims = " ".join(f"{letter}: {meaning}." for letter, meaning in DIMS.items())
    expected = "\n".join([*lines, "", dims])
    assert expected in README, f"put this into README.md:\n{expected}"


def test_the_signature_table_names_every_signature_with_its_inputs_and_outputs(preprocessor):
    rows = {match[1]: match[0] for match in re.finditer(r"^\| `(\w+)`[^|]*\|.*$", README, re.MULTILINE)}
    for name, signature in signatures(preprocessor.settings).items():
        row = rows[name] if name in rows else next(line for line in rows.values() if f"`{name}`" in line)
        if name not in ("generate_preprocess", "preprocess", "serving_default"):
            assert all(f"`{given}`" in row for given in signature.inputs if given != "prompts")
        assert all(
            f"`{output}`" in row
            for output in signature.outputs
            if output in ("status", "y", "text", "lengths")
        )


def test_nothing_mentions_one_machine():
    assert not re.search(r"/(home|root|work)/", README)
    assert os.sep == "/"
