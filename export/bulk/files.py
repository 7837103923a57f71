"""Files in folders and in stores: local paths by Python alone, URIs by Beam's file systems.

out/.rows/tmp-…          while it is written
out/rows-00000-of-00100  afterwards, by one rename
"""

import contextlib
import glob
import importlib
import os
import pathlib
import shutil
import uuid
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, NamedTuple

from export.publish import room_errors

SCRATCH = "tmp-"
"""Begins the names of files that are being written."""


class Found(NamedTuple):
    """A file that a pattern names.

    Attributes:
        path: local, or a URI.
        size: bytes; 0 for a folder.
        is_folder: whether it is one; then its files are rows.
    """

    path: str
    size: int
    is_folder: bool = False


def is_uri(path: str) -> bool:
    """Whether a path names a file system, as `gs://bucket/name` does."""
    return "://" in path


def joined(folder: str, path: str) -> str:
    """A path as one reads it from a file in `folder`: URIs and absolute paths stay."""
    return path if is_uri(path) or os.path.isabs(path) else f"{folder.rstrip('/')}/{path}" if folder else path


def folder_of(path: str) -> str:
    """What stands before a path's last slash, or "" in the current folder."""
    return path.rpartition("/")[0]


def find(pattern: str) -> list[Found]:
    """The files that a pattern names, by name; a pattern that is a folder names the folder.

    Raises:
        ValueError: there are none, or the file system cannot be asked.
    """
    if is_uri(pattern):
        found = [Found(each.path, each.size_in_bytes) for each in _matched(pattern)]
    else:
        paths = (
            [pattern] if os.path.exists(pattern) else glob.glob(os.path.expanduser(pattern), recursive=True)
        )
        found = [Found(path, os.path.getsize(path), os.path.isdir(path)) for path in sorted(paths)]
        found = [each._replace(size=0) if each.is_folder else each for each in found]
    if not found:
        raise ValueError(
            f"`input`: a pattern must name files that can be read; {pattern!r} names none. Check it, and "
            "quote it so that the shell leaves it alone."
        )
    return sorted(found)


def listed(folder: str) -> list[str]:
    """The names of the files in a folder, sorted; none where there is no such folder."""
    if is_uri(folder):
        with contextlib.suppress(ValueError):
            return sorted(each.path.rpartition("/")[2] for each in _matched(f"{folder.rstrip('/')}/*"))
        return []
    return sorted(os.listdir(folder)) if os.path.isdir(folder) else []


def open_file(path: str) -> BinaryIO:
    """A file for reading, not decompressed.

    Raises:
        OSError: it cannot be read.
    """
    if is_uri(path):
        return _beam().open(path, compression_type="uncompressed")
    return open(path, "rb")


def read_file(path: str, most: int) -> bytes:
    """A file's bytes.

    Raises:
        OSError: it cannot be read.
        OverflowError: it has more than `most` bytes.
    """
    with open_file(path) as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise OverflowError(path)
    return data


def read_text(path: str) -> str | None:
    """A small file of ours, or None where there is none."""
    try:
        with open_file(path) as file:
            return file.read().decode()
    except OSError:
        return None


@contextlib.contextmanager
def local_copy(path: str) -> Iterator[str]:
    """A file where libraries find it that read local files alone."""
    if not is_uri(path):
        yield path
        return
    with scratch_file("") as name:
        with open_file(path) as source, open(name, "wb") as target:
            shutil.copyfileobj(source, target)
        yield name


@contextlib.contextmanager
def scratch_file(folder: str) -> Iterator[str]:
    """A name for a file to be written, beside what is to be published; nothing stays there."""
    import tempfile

    if folder and not is_uri(folder):
        os.makedirs(folder, exist_ok=True)
    where = tempfile.gettempdir() if is_uri(folder) or not folder else folder
    name = os.path.join(where, f"{SCRATCH}{uuid.uuid4().hex}")
    try:
        yield name
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.remove(name)


def publish_file(local: str, target: str, folder: str) -> None:
    """Gives a written file its name, whole or not at all; one that is there is replaced.

    Args:
        local: the file.
        target: its path or URI.
        folder: of what is being written, in the same file system.
    """
    if not is_uri(target):
        os.makedirs(folder_of(target) or ".", exist_ok=True)
        os.replace(local, target)
        return
    beam, uploaded = _beam(), f"{folder}/{SCRATCH}{uuid.uuid4().hex}"
    with open(local, "rb") as source, beam.create(uploaded, compression_type="uncompressed") as copy:
        shutil.copyfileobj(source, copy)
    if beam.exists(target):
        beam.delete([target])
    beam.rename([uploaded], [target])


def write_text(path: str, text: str, folder: str) -> None:
    """Publishes a small file."""
    write_file(path, lambda name: pathlib.Path(name).write_text(text, encoding="utf-8"), folder)


def write_file(path: str, write: Callable[[str], Any], folder: str) -> None:
    """Publishes what `write` puts into the file that it is given the name of.

    Raises:
        OSError: the disk is full, or `path` cannot be written.
    """
    with room_errors(path, argument="output"), scratch_file(folder) as name:
        write(name)
        publish_file(name, path, folder)


def sweep(folder: str) -> None:
    """Removes what a killed run was writing."""
    names = [name for name in listed(folder) if name.startswith(SCRATCH)]
    for name in names:
        if is_uri(folder):
            _beam().delete([f"{folder}/{name}"])
        else:
            os.remove(os.path.join(folder, name))


def _matched(pattern: str) -> list[Any]:
    try:
        return list(_beam().match([pattern])[0].metadata_list)
    except (OSError, ValueError) as error:
        raise ValueError(
            f"`input`: the file system of a URI must be one of Beam's that is installed; {pattern!r} cannot "
            f"be asked: {error}. Install its extra, for example apache-beam[gcp]."
        ) from None
    except Exception as error:  # BeamIOError is none of Python's
        raise ValueError(f"`input`: a pattern must be readable; {pattern!r}: {error}. Check it.") from None


def _beam() -> Any:
    try:
        return importlib.import_module("apache_beam.io.filesystems").FileSystems
    except ImportError:
        raise ImportError(
            "`input`: URIs are read by Apache Beam's file systems, which are not installed. Run: pip install "
            "'gemma4-graph[bulk]'."
        ) from None
