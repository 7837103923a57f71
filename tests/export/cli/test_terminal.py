"""What commands share of the terminal."""

import json
import warnings

import pytest
import typer
from rich.table import Table

from export.cli import mistakes, terminal


def test_our_own_warnings_are_notes_each_once(capsys):
    with terminal.at_work() as report:
        report("working")
        for text in ("`a`: is left out.", "`a`: is left out.", "`b`: is [too] large."):
            warnings.warn(text, UserWarning, stacklevel=1)
        warnings.warn("`c`: of another kind.", DeprecationWarning, stacklevel=1)
        warnings.warn("somebody else's", UserWarning, stacklevel=1)
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == "note: `a`: is left out.\nnote: `b`: is [too] large.\n"


def test_a_document_is_json_or_its_parts(capsys):
    table = Table("column")
    table.add_row("cell")
    terminal.show({"a": 1}, ["a line"], as_json=True)
    assert json.loads(capsys.readouterr().out) == {"a": 1}
    terminal.show({"a": 1}, ["[bold]a line[/bold]", table], as_json=False)
    out = capsys.readouterr().out
    assert out.startswith("a line\n")
    assert "cell" in out


@pytest.mark.parametrize(
    ("error", "is_users"),
    [
        (ValueError("`a`: must be b"), True),
        (FileNotFoundError("no file"), True),
        (ImportError("`model`: needs a package"), True),
        (ImportError("No module named 'x'"), False),
        (typer.BadParameter("must be b"), True),
        (RuntimeError("a bug"), False),
        (KeyboardInterrupt(), False),
    ],
)
def test_the_users_mistakes_are_told_from_ours(error, is_users):
    assert mistakes.is_users(error) is is_users


def test_a_mistake_is_one_line():
    assert mistakes.sentence(ValueError("image 0: a\nimage 2: b")) == "image 0: a image 2: b"
    assert mistakes.sentence(typer.BadParameter("must be b.")) == "Invalid value: must be b."
