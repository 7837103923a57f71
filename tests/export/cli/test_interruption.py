"""Ctrl-C and a full disk in the middle of an export: one line, the exit code, nothing left behind."""

import errno
import os
import pathlib
import signal
import time

import pytest

from export.cli import interruption
from tests.export.cli.commands import VOCABULARY, run, run_alone, start

TEXT_ONLY = ("--tokenizer", VOCABULARY, "--no-images", "--no-audio")


def wait_for_hidden_folder(process, folder):
    """Until an export has begun to write."""
    while not list(folder.glob(".export-*")):
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("command", "times"), [("saved-model", 2), pytest.param("litert", 1, marks=pytest.mark.release)]
)
def test_ctrl_c_is_one_line_and_leaves_nothing(tmp_path, command, times):
    parent = tmp_path / "new"
    out = parent / "gemma4"
    process = start(command, *TEXT_ONLY, "--out", out)
    wait_for_hidden_folder(process, out if command == "saved-model" else parent)
    for _ in range(times):
        process.send_signal(signal.SIGINT)
    printed, said = process.communicate()
    assert (process.returncode, printed, said) == (130, "", "interrupted\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "size"),
    [
        ("saved-model", 200_000),
        ("litert", 1000),
        pytest.param("saved-model", 1000, marks=pytest.mark.release),
        pytest.param("litert", 200_000, marks=pytest.mark.release),
    ],
)
def test_a_file_that_may_not_grow_is_one_line_and_leaves_nothing(tmp_path, command, size):
    """Met by TensorFlow's C++ code, which has errors of its own."""
    limit = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size}))"
    code, out, err = run_alone(command, *TEXT_ONLY, "--out", tmp_path / "new" / "gemma4", before=limit)
    assert (code, out) == (2, "")
    assert "`out`: its disk must have room for the whole artifact;" in err
    assert "ended with 'File too large'" in err
    assert len(err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("command", "step"),
    [("saved-model", "rename"), pytest.param("litert", "write_bytes", marks=pytest.mark.slow)],
)
def test_a_full_disk_is_one_line_and_leaves_nothing(capsys, tmp_path, monkeypatch, command, step):
    """Met by Python's code."""

    def fail(*args, **kwargs):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(pathlib.Path, step, fail)
    code, out, err = run(capsys, command, *TEXT_ONLY, "--out", str(tmp_path / "new" / "gemma4"))
    assert (code, out) == (2, "")
    assert "ended with 'No space left on device'. Free some, or pass a folder on another disk." in err
    assert len(err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_may_not_be_written_is_one_line(capsys, tmp_path):
    (tmp_path / "file").touch()
    code, _, err = run(capsys, "saved-model", *TEXT_ONLY, "--out", str(tmp_path / "file" / "gemma4"))
    assert code == 2
    assert "Not a directory" in err
    assert len(err.splitlines()) == 1


SWALLOWED = """
import signal
from export.cli import interruption, terminal

def swallow(*arguments):
    class Object:
        def __del__(self):
            signal.raise_signal(signal.SIGINT)  # what is raised here, Python prints and forgets

    Object()

{}
"""


@pytest.mark.slow
@pytest.mark.parametrize("failing", ["", "    raise TypeError('what C++ makes of it')\n"])
def test_ctrl_c_that_a_library_swallows_ends_the_command_at_its_next_step(tmp_path, failing):
    patch = "import export.cli.preprocessor as making\nmake = making.make_preprocessor\n"
    patch += f"def swallowing(*a, **k):\n    swallow()\n{failing}    return make(*a, **k)\n"
    patch += "import export.cli.artifacts\nexport.cli.artifacts.make_preprocessor = swallowing\n"
    out = tmp_path / "new" / "gemma4"
    code, printed, err = run_alone("saved-model", *TEXT_ONLY, "--out", out, before=SWALLOWED.format(patch))
    assert (code, printed, err) == (130, "", "interrupted\n")
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_is_raised_once_and_remembered():
    before = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with interruption.remembered():
            interruption.check()
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
            assert interruption.pressed()
            with pytest.raises(KeyboardInterrupt):
                interruption.check()
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        with interruption.remembered():
            assert not interruption.pressed()
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_handler_of_somebody_elses_stays():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with interruption.remembered():
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
            signal.raise_signal(signal.SIGINT)
            assert not interruption.pressed()
    finally:
        signal.signal(signal.SIGINT, before)
