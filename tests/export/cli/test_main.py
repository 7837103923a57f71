"""What the program does before any TensorFlow: help, versions, completions, wrong options."""

import json
import os
import pathlib
import re
import subprocess
import sys
import sysconfig
from typing import Any

import pytest
import typer

from export.cli.main import PACKAGES, app, versions
from tests.data import ROOT
from tests.export.cli.commands import PHOTO, VOCABULARY, run, run_alone

COMMANDS = [command.name for command in app.registered_commands]

LIGHT = [
    ("--help",),
    ("--version",),
    ("presets",),
    ("presets", "--json"),
    (),
    *((command, "--help") for command in COMMANDS),
    *((command, "--no-such-option") for command in COMMANDS),
    ("fly",),
    ("saved-model", "--tokenizer", VOCABULARY),
    ("saved-model", "--out", "x"),
    ("saved-model", "--preset", "gemma4_32b", "--out", "x"),
    ("saved-model", "--tokenizer", "nowhere.spm", "--out", "x"),
    ("saved-model", "--tokenizer", PHOTO, "--out", "x"),
    ("saved-model", "--tokenizer", VOCABULARY, "--vocabulary-sha256", "00", "--out", "x"),
    ("saved-model", "--tokenizer", VOCABULARY, "--out", "x", "--parity", "torch"),
    ("saved-model", "--tokenizer", VOCABULARY, "--out", "x", "--engine", "unigram"),
    ("saved-model", "--tokenizer", VOCABULARY, "--out", "x", "--version", "0"),
    ("saved-model", "--tokenizer", VOCABULARY, "--out", "x", "--sequence-length", "long"),
    ("litert", "--tokenizer", VOCABULARY, "--out", "."),
    ("fuse", "--tokenizer", VOCABULARY, "--out", "x", "--model", "m", "--sampler", "beam"),
    ("fuse", "--tokenizer", VOCABULARY, "--out", "x", "--model", "m", "--litert", "--version", "2"),
    ("inspect", "nowhere"),
    ("run", "nowhere", "--prompt", "a"),
    ("verify", "nowhere"),
    ("serve", "nowhere"),
    ("request", "localhost:1", "--prompt", "a", "--image", "nowhere.jpg"),
]

SCRIPT = """
import contextlib, io, json, sys
from export.cli.main import main

heavy = ("tensorflow", "keras", "keras_hub", "grpc", "ai_edge_litert")
for arguments in json.loads(sys.argv[1]):
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        try:
            main(arguments)
        except SystemExit as stop:
            code = stop.code
    print(json.dumps([arguments, code, [name for name in heavy if name in sys.modules]]))
"""


def test_help_presets_versions_and_wrong_options_need_no_tensorflow():
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps(LIGHT)], capture_output=True, text=True, check=True
    )
    results = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [result[0] for result in results] == [list(arguments) for arguments in LIGHT]
    for arguments, code, loaded in results:
        assert loaded == [], arguments
        is_fine = arguments in (["--version"], ["presets"], ["presets", "--json"]) or "--help" in arguments
        assert code == (0 if is_fine else 2), arguments


@pytest.mark.parametrize("command", [(), *((command,) for command in COMMANDS)])
def test_help_is_whole_at_80_columns(capsys, monkeypatch, command):
    monkeypatch.setenv("COLUMNS", "80")
    code, out, err = run(capsys, *command, "--help")
    assert (code, err) == (0, "")
    assert max(map(len, out.splitlines())) <= 80
    assert "…" not in out
    assert "..." not in out.split("\n", 1)[1]  # but in the line of usage, where it says "several"
    for name in option_names(command):
        assert re.search(rf"(^|\s|/ ){name}(\s|$)", out, re.MULTILINE), name


def option_names(command):
    """The options of the program, or of a command of it, as typer has them."""
    node: Any = typer.main.get_command(app)
    for name in command:
        node = node.commands[name]
    options = (parameter for parameter in node.params if parameter.param_type_name == "option")
    return [name for option in options for name in (*option.opts, *option.secondary_opts)]


def test_the_program_alone_prints_its_help(capsys):
    code, out, err = run(capsys)
    assert (code, err) == (2, "")
    assert out == run(capsys, "--help")[1]


def test_versions_name_every_package_and_load_none():
    lines = dict(line.split(" ", 1) for line in versions().splitlines())
    assert lines.keys() == {"gemma4-graph", "Python", *PACKAGES}
    assert re.match(r"\d+\.\d+", lines["tensorflow"])
    assert lines["Python"] == ".".join(map(str, sys.version_info[:3]))


def test_a_package_that_is_missing_is_said_to_be(monkeypatch):
    monkeypatch.setattr("export.cli.main.PACKAGES", ("no-such-package",))
    assert "no-such-package is not installed" in versions()


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("gemma4-graph sa", {"saved-model"}),
        ("gemma4-graph saved-model --vocab", {"--vocabulary-sha256"}),
        ("gemma4-graph saved-model --parity ", {"keras_hub", "transformers"}),
        ("gemma4-graph fuse --sampler top", {"top_k", "top_p"}),
    ],
)
def test_the_shell_completes_commands_options_and_words(typed, offered):
    words = typed.split(" ")
    environment = {
        **os.environ,
        "_GEMMA4_GRAPH_COMPLETE": "complete_bash",
        "COMP_WORDS": typed,
        "COMP_CWORD": str(len(words) - 1),
    }
    code, out, err = run_alone(env=environment)
    assert (code, err) == (0, "")
    assert set(out.split()) == offered


def test_a_folder_with_an_export_of_its_own_is_no_trap(tmp_path):
    (tmp_path / "export").mkdir()
    (tmp_path / "export" / "__init__.py").write_text("raise SystemExit('the wrong one')")
    program = pathlib.Path(sysconfig.get_path("scripts"), "gemma4-graph")
    ran = subprocess.run([program, "--version"], capture_output=True, text=True, cwd=tmp_path)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, versions() + "\n", "")


def test_hints_name_the_program():
    sources = [*(ROOT / "export").rglob("*.py")]
    assert sources
    for source in sources:
        if source.parts[-2:] not in (("export", "__main__.py"), ("cli", "main.py")):
            text = source.read_text()
            assert "python -m export" not in text, source
            assert not re.search(r"`export [a-z]", text), source
