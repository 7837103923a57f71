"""Where an artifact goes: the numbers of versions, and a folder that is there whole or not at all.

DIR/.export-x1/   while it is written; a server that watches DIR passes over it
DIR/3             afterwards, by one rename
"""

import contextlib
import errno
import fcntl
import os
import pathlib
import shutil
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator

Report = Callable[[str], None]
"""Called with a line before each slow step."""

_HIDDEN, _ARTIFACT = ".export-", "artifact"
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def numbered_versions(folder: str | os.PathLike[str]) -> dict[int, pathlib.Path]:
    """The version folders of a model's folder by number, rising; none where there is no such folder."""
    folder = pathlib.Path(folder)
    children = folder.iterdir() if folder.is_dir() else ()
    numbers = {int(child.name): child for child in children if _is_number(child.name) and child.is_dir()}
    return dict(sorted(numbers.items()))


def version_folder(out: str | os.PathLike[str], version: int | None) -> pathlib.Path:
    """The folder of a new version.

    Args:
        out: folder of the model, which need not be there.
        version: its number; by default one more than the highest that is there.

    Raises:
        ValueError: the number is not positive.
    """
    folder = pathlib.Path(out).expanduser()
    number = max(numbered_versions(folder), default=0) + 1 if version is None else version
    if number < 1:
        raise ValueError(
            f"`version`: must be a positive whole number; got {number}. TF Serving takes the highest."
        )
    return folder / str(number)


def check_new(target: pathlib.Path, *, argument: str) -> None:
    """Checks that nothing would be overwritten.

    Raises:
        FileExistsError: something is there; names `argument`.
    """
    if target.exists():
        raise FileExistsError(f"`{argument}`: must be new; {target} exists. Pass another one, or remove it.")


def publish(
    target: pathlib.Path, write: Callable[[pathlib.Path], None], report: Report = lambda _: None
) -> pathlib.Path:
    """Has `write` fill a folder under a hidden name beside `target`, and renames it when it is whole.

    Whatever stops it, an error or Ctrl-C, nothing is left behind, neither folders above `target` that were
    made for it. A process that was killed leaves its hidden folder, which the next one here removes.

    Args:
        target: the folder to be; must not exist.
        write: fills the folder that it is given, which is there and empty.
        report: called with a line before the renaming.

    Returns:
        `target`.

    Raises:
        OSError: the file system has no room, or `target` cannot be written.
    """
    made = [path for path in target.parents if not path.exists()]  # the innermost first
    scratch = lock = None
    try:
        with room_errors(target, argument="out"):
            target.parent.mkdir(parents=True, exist_ok=True)
            remove_abandoned(target.parent)
            scratch = pathlib.Path(tempfile.mkdtemp(prefix=_HIDDEN, dir=target.parent))
            lock = _lock(scratch)
            whole = scratch / _ARTIFACT
            whole.mkdir()
            write(whole)
            report(f"renaming to {target}")
            whole.chmod(0o755)
            whole.rename(target)
    finally:
        with _uninterrupted():
            if scratch:
                shutil.rmtree(scratch, ignore_errors=True)
            if lock is not None:
                os.close(lock)
            for folder in made:
                with contextlib.suppress(OSError):  # it holds the artifact, or somebody else's
                    folder.rmdir()
    return target


def remove_abandoned(folder: pathlib.Path) -> None:
    """Removes hidden folders of exports that were killed: their lock is free."""
    for scratch in folder.glob(f"{_HIDDEN}*"):
        if (scratch / _ARTIFACT).is_dir():  # it was locked before that was made
            lock = _lock(scratch)
            if lock is not None:
                shutil.rmtree(scratch, ignore_errors=True)
                os.close(lock)


def _lock(folder: pathlib.Path) -> int | None:
    """A descriptor that holds the folder's lock until it is closed or the process ends; None where another
    holds it, or the file system has no locks.
    """
    descriptor = None
    try:
        descriptor = os.open(folder, os.O_RDONLY)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        if descriptor is not None:
            os.close(descriptor)
        return None
    return descriptor


@contextlib.contextmanager
def room_errors(target: str | os.PathLike[str], *, argument: str) -> Iterator[None]:
    """A full disk, whether Python or TensorFlow met it, as an OSError that says what to do.

    TensorFlow's errors carry no number of the system's, only its sentence.
    """
    try:
        yield
    except Exception as error:
        reasons = [os.strerror(number) for number in _NO_ROOM]
        number = getattr(error, "errno", None)
        if number not in _NO_ROOM and not any(reason in str(error) for reason in reasons):
            raise
        reason = os.strerror(number) if number else next(text for text in reasons if text in str(error))
        raise OSError(
            f"`{argument}`: its disk must have room for the whole artifact; writing {target} ended with "
            f"{reason!r}. Free some, or pass a folder on another disk. Nothing was left behind."
        ) from error


def _is_number(name: str) -> bool:
    return name.isascii() and name.isdigit()


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Ctrl-C has no effect while it lasts: pressed twice, it would stop the cleaning up."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
