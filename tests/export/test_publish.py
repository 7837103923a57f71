"""Version numbers, and folders that are there whole or not at all."""

import errno
import os
import signal
import subprocess
import sys

import pytest
import tensorflow as tf

from export.publish import check_new, numbered_versions, publish, remove_abandoned, version_folder


def test_versions_are_folders_with_a_number_for_a_name(tmp_path):
    for name in ("10", "9", "0", "a1", "²", "٣", ".export-1"):
        (tmp_path / name).mkdir()
    (tmp_path / "11").touch()
    assert list(numbered_versions(tmp_path).items()) == [(n, tmp_path / str(n)) for n in (0, 9, 10)]
    assert numbered_versions(tmp_path / "nowhere") == {}


def test_a_new_version_is_one_more_than_the_highest_or_the_given_one(tmp_path):
    assert version_folder(tmp_path / "new", None) == tmp_path / "new" / "1"
    (tmp_path / "7").mkdir()
    assert version_folder(tmp_path, None).name == "8"
    assert version_folder(tmp_path, 3).name == "3"
    with pytest.raises(ValueError, match="`version`: must be a positive whole number; got 0"):
        version_folder(tmp_path, 0)


def test_what_is_there_is_not_overwritten(tmp_path):
    check_new(tmp_path / "new", argument="out")
    with pytest.raises(FileExistsError, match=r"`out`: must be new; .* exists"):
        check_new(tmp_path, argument="out")


def test_a_folder_appears_whole_under_its_name(tmp_path):
    target = tmp_path / "a" / "b" / "1"

    def write(folder):
        assert folder.parent.name.startswith(".export-")
        assert list(folder.iterdir()) == []
        assert not target.exists()
        (folder / "file").write_text("whole")

    assert publish(target, write) == target
    assert [path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()] == [
        target.relative_to(tmp_path) / "file"
    ]
    assert list(target.parent.iterdir()) == [target]
    assert target.stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("error", [RuntimeError("a bug"), KeyboardInterrupt(), SystemExit(1)])
def test_what_stops_it_leaves_nothing_and_is_raised_as_it_is(tmp_path, error):
    (tmp_path / "a").mkdir()

    def write(folder):
        (folder / "file").write_text("half")
        raise error

    with pytest.raises(type(error)) as raised:
        publish(tmp_path / "a" / "b" / "c" / "1", write)
    assert raised.value is error
    assert list(tmp_path.rglob("*")) == [tmp_path / "a"]


def test_a_folder_that_somebody_else_uses_by_then_stays(tmp_path):
    def write(folder):
        (tmp_path / "a" / "theirs").touch()
        raise RuntimeError

    with pytest.raises(RuntimeError):
        publish(tmp_path / "a" / "1", write)
    assert list(tmp_path.rglob("*")) == [tmp_path / "a", tmp_path / "a" / "theirs"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
@pytest.mark.parametrize("library", ["Python", "TensorFlow"])
def test_a_full_disk_is_an_error_that_says_what_to_do(tmp_path, number, library):
    reason = os.strerror(number)
    error = OSError(number, reason)
    if library == "TensorFlow":
        error = tf.errors.ResourceExhaustedError(None, None, f"somewhere/saved_model.pb; {reason}")

    def write(folder):
        raise error

    with pytest.raises(OSError, match=f"`out`: its disk must have room .*{reason}.* Free some") as raised:
        publish(tmp_path / "1", write)
    assert raised.value.__cause__ is error
    assert list(tmp_path.iterdir()) == []


def test_another_error_of_the_system_is_raised_as_it_is(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError):
        publish(tmp_path / "file" / "gemma4" / "1", lambda folder: None)


KILLED = """
import os, pathlib, signal, sys
from export.publish import publish
def write(folder):
    (folder / "half").touch()
    os.kill(os.getpid(), signal.SIGKILL)
publish(pathlib.Path(sys.argv[1]), write)
"""


def test_what_a_killed_export_left_is_removed_by_the_next_and_what_is_being_written_is_not(tmp_path):
    killed = subprocess.run([sys.executable, "-c", KILLED, tmp_path / "1"])
    assert killed.returncode == -signal.SIGKILL
    assert [path.name[:8] for path in tmp_path.iterdir()] == [".export-"]

    def write(folder):
        assert len(list(tmp_path.glob(".export-*"))) == 1
        remove_abandoned(tmp_path)  # as an export beside this one would
        publish(tmp_path / "3", lambda other: (other / "file").touch())
        (folder / "file").touch()

    publish(tmp_path / "2", write)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["2", "3"]
    assert (tmp_path / "2" / "file").is_file()
