"""The options that say what is exported."""

import pytest

from export.cli.options import ENGINES, PreprocessorOptions
from graph_ops.text import engines
from tests.export.cli.commands import run


def test_the_engines_are_those_of_the_tokenizer():
    assert ENGINES == engines.ENGINES


def test_nothing_is_said_of_what_is_left_to_the_preset():
    assert set(vars(PreprocessorOptions()).values()) == {None}


@pytest.mark.parametrize("medium", ["image", "audio"])
def test_an_empty_file_is_refused(capsys, tmp_path, medium):
    empty = tmp_path / "empty"
    empty.touch()
    code, _, err = run(capsys, "run", str(tmp_path), "--prompt", "a", f"--{medium}", str(empty))
    assert code == 2
    assert f"--{medium}: a file must hold something; {empty} is empty." in " ".join(err.split())
