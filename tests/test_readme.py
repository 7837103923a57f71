"""The README's examples run as they stand, and its tables are the code's."""

import contextlib
import io
import json
import os
import pathlib
import re
import shlex
from concurrent import futures

import grpc
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

import graph_ops
from export import running
from export.__main__ import app
from export.litert import export_litert
from export.litert_signatures import device_signatures
from export.samples import demonstration_file
from export.saved_model import export_saved_model
from export.signatures import signatures
from graph_ops.features import DIMS, FEATURES

ROOT = pathlib.Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(language, containing):
    """The one example in that language that holds a word."""
    (found,) = (text for text in re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL) if containing in text)
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
    return running.load(export_saved_model(preprocessor, tmp_path_factory.mktemp("readme")))


class Predict(prediction_service_pb2_grpc.PredictionServiceServicer):
    """TF Serving's Predict on a loaded SavedModel, enough of it to answer the README's client over real gRPC."""

    def __init__(self, signatures):
        self.signatures = signatures

    def Predict(self, request, context):
        inputs = {name: tf.constant(tf.make_ndarray(value)) for name, value in request.inputs.items()}
        response = predict_pb2.PredictResponse()
        for name, value in self.signatures[request.model_spec.signature_name](**inputs).items():
            response.outputs[name].CopyFrom(tf.make_tensor_proto(value))
        return response


def test_the_python_example_runs():
    example = block("python", "Gemma4ImageConverter()")
    assert run_python(example) == "(1024,) (1, 2520, 768) What is this? <|image>\n"


def test_the_grpc_example_runs_against_a_grpc_server(loaded):
    example = block("python", "import grpc")
    server = grpc.server(
        futures.ThreadPoolExecutor(2), options=[("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]
    )
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(Predict(loaded.signatures), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        printed = run_python(example.replace("localhost:8500", f"127.0.0.1:{port}"))
    finally:
        server.stop(None)
    assert printed == "(2, 1024) [b'', b'']\n"


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


def test_the_rest_example_is_a_request_of_an_existing_signature(loaded):
    example = block("sh", "generate_preprocess_text")
    command = shlex.split(example)
    body = json.loads(command[command.index("-d") + 1])
    outputs = loaded.signatures[body["signature_name"]](**{name: tf.constant(value) for name, value in body["inputs"].items()})
    assert outputs["status"].numpy().tolist() == [b""]


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
        lines.append(f"| `{feature.name}` | {feature.dtype.name} | [{shape}] | {feature.padding} | {feature.meaning} |")
    dims = " ".join(f"{letter}: {meaning}." for letter, meaning in DIMS.items())
    expected = "\n".join([*lines, "", dims])
    assert expected in README, f"put this into README.md:\n{expected}"


def test_the_signature_table_names_every_signature_with_its_inputs_and_outputs(preprocessor):
    rows = {match[1]: match[0] for match in re.finditer(r"^\| `(\w+)`[^|]*\|.*$", README, re.MULTILINE)}
    for name, signature in signatures(preprocessor.settings).items():
        row = rows[name] if name in rows else next(line for line in rows.values() if f"`{name}`" in line)
        if name not in ("generate_preprocess", "preprocess", "serving_default"):
            assert all(f"`{given}`" in row for given in signature.inputs if given != "prompts")
        assert all(f"`{output}`" in row for output in signature.outputs if output in ("status", "y", "text", "lengths"))


def test_nothing_mentions_one_machine():
    assert not re.search(r"/(home|root|work)/", README)
    assert os.sep == "/"
