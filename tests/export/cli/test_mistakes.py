"""Which errors are the user's, and the one line that a user reads."""

from typing import Annotated

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from export.cli.mistakes import is_users, sentence
from tests.twins.vocabularies import REPEATABLE

USERS = [
    ValueError("`out`: must be new"),
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
    FileNotFoundError(2, "No such file or directory", "x.spm"),
    ConnectionError("localhost:1: UNAVAILABLE"),
    ImportError("`model`: a preset is loaded by keras-hub"),
    typer.BadParameter("must be one of a, b"),
]
OURS = [
    TypeError("`x`"),
    KeyError("`x`"),
    ImportError("No module named 'x'"),
    ModuleNotFoundError("No module named `x`"),
    RuntimeError("`x`"),
    KeyboardInterrupt(),
]


@pytest.mark.parametrize("error", USERS, ids=repr)
def test_our_checks_missing_files_and_wrong_options_are_the_users(error):
    assert is_users(error)
    assert len(sentence(error).splitlines()) == 1


@pytest.mark.parametrize("error", OURS, ids=repr)
def test_other_errors_are_ours(error):
    assert not is_users(error)


@REPEATABLE
@given(st.lists(st.text("ab.` ", max_size=6), max_size=4))
def test_the_lines_of_a_message_become_one(lines):
    assert sentence(ValueError("\n".join(lines))) == " ".join(lines)


PROGRAM = typer.Typer()
"""With one command, `run --times N`."""


@PROGRAM.callback()
def program():
    pass


@PROGRAM.command()
def run(times: Annotated[int, typer.Option()]):
    del times


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["run"], "Missing option '--times'. See `gemma4-graph run --help`."),
        (["fly"], "No such command 'fly'. See `gemma4-graph --help`."),
    ],
)
def test_a_wrong_option_names_the_help_of_its_command(arguments, line):
    with pytest.raises(Exception, match=r"such|Missing") as raised:
        PROGRAM(arguments, prog_name="gemma4-graph", standalone_mode=False)
    assert is_users(raised.value)
    assert sentence(raised.value) == line


@pytest.mark.parametrize("message", ["must be a number", "must be a number."])
def test_a_wrong_option_without_a_command_is_a_sentence_of_its_own(message):
    assert sentence(typer.BadParameter(message)) == "Invalid value: must be a number."
