"""The commands as a user types them."""

import json
import os
import re
import signal
import socket
import subprocess
import sys

import pytest

from export.cli import serving as commands_serving
from export.cli.main import main
from export.cli.options import PreprocessorOptions, make_preprocessor
from export.verify.samples import demonstration_file
from tests.export.cli.commands import run

VOCABULARY = str(demonstration_file("demonstration.spm"))
PHOTO, SPEECH = str(demonstration_file("photo.jpg")), str(demonstration_file("speech.wav"))


@pytest.fixture(scope="module")
def export_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("commands") / "gemma4"
    with pytest.raises(SystemExit) as stop:
        main(["saved-model", "--tokenizer", VOCABULARY, "--out", str(folder), "--sequence-length", "800"])
    assert stop.value.code == 0
    return folder / "1"


@pytest.fixture(scope="module")
def server(export_folder):
    """An embedded server of the export."""
    from export.serving.server import Server, Settings

    server = Server(Settings(export_folder.parent, port=0, rest_port=0, warm=False))
    server.start()
    yield server
    server.stop()


@pytest.fixture(params=["gRPC", "REST"])
def address(request, server):
    return f"127.0.0.1:{server.port}" if request.param == "gRPC" else f"http://127.0.0.1:{server.rest_port}"


def test_inspect_prints_every_signature(capsys, export_folder):
    code, out, _ = run(capsys, "inspect", str(export_folder))
    assert code == 0
    for name in (
        "generate_preprocess",
        "generate_preprocess_arrays",
        "preprocess",
        "generate_postprocess",
        "tokenize",
        "serving_default",
    ):
        assert name in out
    assert "[?, 2, 2520, 768]" in out
    code, out, _ = run(capsys, "inspect", str(export_folder), "--json")
    assert {
        "signature": "tokenize",
        "direction": "output",
        "name": "lengths",
        "dtype": "int32",
        "shape": [None],
    } in json.loads(out)


def test_run_prints_tokens_counts_and_tensors(capsys, export_folder):
    arguments = (
        "run",
        str(export_folder),
        "--prompt",
        "see <|image|> hear <|audio|>",
        "--image",
        PHOTO,
        "--audio",
        SPEECH,
    )
    code, out, _ = run(capsys, *arguments)
    assert code == 0
    assert "soft tokens per image: 280" in out
    assert "soft tokens per audio: 123" in out
    assert "[1, 2, 2520, 768]" in out
    result = json.loads(run(capsys, *arguments, "--json")[1])
    assert result["soft_tokens"] == {"image": [280], "audio": [123]}
    assert result["pieces"][0] == "<bos>"
    assert len(result["pieces"]) == len(result["token_ids"])


def test_run_draws_what_the_model_sees(capsys, export_folder, tmp_path):
    code, out, _ = run(
        capsys,
        "run",
        str(export_folder),
        "--prompt",
        "<|image|><|audio|>",
        "--image",
        PHOTO,
        "--audio",
        SPEECH,
        "--pictures",
        str(tmp_path / "drawn"),
    )
    assert code == 0
    from PIL import Image

    patches, mel = (
        Image.open(tmp_path / "drawn" / "image-0.png"),
        Image.open(tmp_path / "drawn" / "audio-0.png"),
    )
    assert patches.size == (960, 624)  # 60 × 39 patches: a 600 × 400 photograph at 960 × 624
    assert mel.height == 128 * 3
    assert "image-0.png" in out


def test_run_on_several_images(capsys, export_folder):
    code, out, _ = run(
        capsys,
        "run",
        str(export_folder),
        "--prompt",
        "<|image|>or<|image|>",
        "--image",
        PHOTO,
        "--image",
        PHOTO,
        "--json",
    )
    assert code == 0
    assert json.loads(out)["soft_tokens"]["image"] == [280, 280]


def test_verify_compares_every_step(capsys, export_folder):
    code, out, _ = run(capsys, "verify", str(export_folder), "--texts", "200", "--json")
    results = json.loads(out)
    assert code == 0
    steps = [result["step"] for result in results]
    assert any(step.startswith("tokenize") for step in steps)
    assert any(step.startswith("pixels") for step in steps)
    assert any(step.startswith("log-mel") for step in steps)
    assert any(step == "row: token_ids" for step in steps)
    assert all(
        result["differing"] == 0 and not result["skipped"] and result["compared"] > 0 for result in results
    )


def test_verify_fails_where_a_step_is_off(capsys, export_folder, monkeypatch):
    monkeypatch.setattr("export.verify.media.MEL_TOLERANCE", -1.0)
    code, out, _ = run(capsys, "verify", str(export_folder), "--texts", "5")
    assert code == 1
    assert "FAR" in out


MEDIA = ("--prompt", "see <|image|>\n hear <|audio|>", "--image", PHOTO, "--audio", SPEECH)


@pytest.mark.slow
def test_request_prints_what_run_prints(capsys, export_folder, server):
    addresses = f"127.0.0.1:{server.port}", f"http://127.0.0.1:{server.rest_port}"
    for arguments in (MEDIA, (*MEDIA, "--json")):
        printed = run(capsys, "run", str(export_folder), *arguments)
        for address in addresses:
            assert run(capsys, "request", address, *arguments) == printed


def test_request_runs_other_signatures(capsys, address):
    code, out, _ = run(
        capsys, "request", address, "--prompt", "hello", "--signature", "generate_preprocess_text", "--json"
    )
    assert code == 0
    assert json.loads(out)["tensors"].keys() == {"token_ids", "padding_mask", "position_ids", "status"}
    code, out, _ = run(capsys, "request", address, "--prompt", "hello", "--signature", "tokenize", "--json")
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
    code, out, err = run(capsys, "request", address, *arguments)
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
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PATH": ""})
    lines = [server.stdout.readline().strip() for _ in range(5)]
    server.send_signal(signal.SIGTERM)
    assert server.wait(30) == 0
    assert lines[0] == "embedded server, for development only (tensorflow_model_server is not on the PATH)"
    assert lines[1:3] == ["loading and warming up", "version 1: available"]
    assert re.fullmatch(r"gRPC 127.0.0.1:\d+, REST http://127.0.0.1:\d+/v1/models/gemma4", lines[3])
    assert [lines[4], server.stdout.read().strip()] == ["ready", "stopping"]


def test_serve_runs_tf_serving_where_it_is_installed(export_folder, tmp_path):
    binary = tmp_path / commands_serving.TF_SERVING
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
    assert given[:-1] == commands_serving.tf_serving_arguments(
        export_folder.parent, 8500, 8501, "gemma4", None, 1
    )
    assert given[-1] == "--enable_model_warmup=true"


MISTAKES = {
    "no vocabulary": (("saved-model", "--tokenizer", "nowhere.spm", "--out", "x"), "no file at nowhere.spm"),
    "not a vocabulary": (
        ("saved-model", "--tokenizer", PHOTO, "--out", "x"),
        "must be a whole SentencePiece model",
    ),
    "missing option": (("saved-model", "--tokenizer", VOCABULARY), "Missing option '--out'"),
    "no source": (("saved-model", "--out", "x"), "--preset or --tokenizer: one of them must be given"),
    "misspelt preset": (
        ("saved-model", "--preset", "gemma4_32b", "--out", "x"),
        "Did you mean gemma4_2b or gemma4_31b",
    ),
    "deaf preset": (
        ("saved-model", "--preset", "gemma4_31b", "--audio", "--out", "x"),
        "must be of a model that reads audio; 'gemma4_31b'",
    ),
    "pinned": (
        ("saved-model", "--tokenizer", VOCABULARY, "--vocabulary-sha256", "00", "--out", "x"),
        "sha256 must be the pinned 00",
    ),
    "half a handle": (
        ("saved-model", "--preset", "hf://nobody", "--out", "x"),
        "a handle must be 'hf://owner/name",
    ),
    "bad parity": (
        ("saved-model", "--tokenizer", VOCABULARY, "--out", "x", "--parity", "torch"),
        "`parity`: must be one of",
    ),
    "no export": (("inspect", "nowhere"), "no saved_model.pb in nowhere"),
    "no image file": (
        ("run", "EXPORT", "--prompt", "<|image|>", "--image", "nowhere.jpg"),
        "No such file or directory: 'nowhere.jpg'",
    ),
    "surplus placeholder": (
        ("run", "EXPORT", "--prompt", "<|image|>"),
        "got 1 placeholder(s) and 0 image(s)",
    ),
    "not an image": (
        ("run", "EXPORT", "--prompt", "<|image|>", "--image", VOCABULARY),
        "must be an intact JPEG",
    ),
    "not a model's folder": (("serve", "nowhere", "--embedded"), "`folder`: must hold a version"),
    "a version to serve": (
        ("serve", "EXPORT", "--embedded"),
        "must be the folder of a model, above its versions",
    ),
    "unknown command": (("fly",), "No such command 'fly'"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_one_line_and_exit_code_2(capsys, export_folder, mistake):
    arguments, message = MISTAKES[mistake]
    code, out, err = run(
        capsys, *(str(export_folder) if argument == "EXPORT" else argument for argument in arguments)
    )
    assert code == 2
    assert message in err
    assert "Traceback" not in err + out


def test_the_module_is_quiet_in_a_process_of_its_own(export_folder):
    ran = subprocess.run(
        [sys.executable, "-m", "export", "inspect", export_folder, "--json"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stderr == ""
    assert json.loads(ran.stdout)


def test_presets_prints_the_eight_presets(capsys):
    code, out, _ = run(capsys, "presets")
    assert code == 0
    for part in ("gemma4_instruct_26b_a4b", "26.0 B", "text, image, audio", "mixture of experts"):
        assert part in out
    listed = json.loads(run(capsys, "presets", "--json")[1])
    assert len(listed) == 8
    assert listed["gemma4_2b"]["parameters"] == 5_100_000_000


def test_options_replace_a_presets_settings():
    options = PreprocessorOptions(
        preset="gemma4_31b",
        tokenizer=VOCABULARY,
        sequence_length=700,
        max_image_pixels=10**6,
        add_end_token=False,
    )
    made = make_preprocessor(options)
    assert (made.sequence_length, made.add_start_token, made.add_end_token, made.audio_converter) == (
        700,
        True,
        False,
        None,
    )
    assert made.image_converter.config.max_image_pixels == 10**6
    assert make_preprocessor(PreprocessorOptions(tokenizer=VOCABULARY, images=False)).image_converter is None


def test_a_preset_folder_is_exported_and_what_it_leaves_out_is_said(capsys, tmp_path):
    make_preprocessor(PreprocessorOptions(tokenizer=VOCABULARY)).save_to_preset(tmp_path / "preset")
    config = tmp_path / "preset" / "preprocessor.json"
    config.write_text(config.read_text().replace('"config": {', '"config": {"video_converter": {},', 1))
    code, _, err = run(
        capsys,
        "saved-model",
        "--preset",
        str(tmp_path / "preset"),
        "--no-images",
        "--no-audio",
        "--out",
        str(tmp_path / "out"),
    )
    assert code == 0
    assert "note: `video_converter`: is left out" in err
