"""Beam's local runner with several processes, watched: it waits for ever for a worker that was killed.

The pipeline runs in a process of its own. Where a worker dies, all of its processes are ended and the job
begins again; shards that are finished are kept, so that little is lost.
"""

import contextlib
import os
import pathlib
import pickle
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from export.bulk.job import Prepared

WORKER_DIED = 75
"""Exit code of a pipeline that lost a worker."""
_MOST_LOSSES = 3
"""In a row without a shard in between."""
_POLL_SECONDS = 0.2
_START = "from export.bulk.local_workers import main; main()"


def run_workers(prepared: Prepared, workers: int, report: Callable[[], None]) -> None:
    """Runs a job in several processes, and waits.

    Args:
        prepared: the job.
        workers: how many processes.
        report: called now and then.

    Raises:
        ValueError, OSError: what a worker says is wrong with the job.
        RuntimeError: workers die without finishing a shard.
    """
    losses, finished = 0, len(prepared.job.layout.markers())
    while True:
        code, log = _run_once(prepared, workers, report)
        if code == 0:
            return
        if code != WORKER_DIED:
            raise _error(log)
        now = len(prepared.job.layout.markers())
        losses, finished = (1 if now > finished else losses + 1), now
        if losses == _MOST_LOSSES:
            raise RuntimeError(
                f"`workers`: processes must live to finish a shard; {losses} runs in a row lost one before "
                f"that, which is often memory. Pass fewer --workers or a smaller --batch-bytes. {log[-2000:]}"
            )


def _run_once(prepared: Prepared, workers: int, report: Callable[[], None]) -> tuple[int, str]:
    """Exit code of a pipeline, and what it logged."""
    with tempfile.TemporaryDirectory() as folder:
        given, log = pathlib.Path(folder, "job"), pathlib.Path(folder, "log")
        given.write_bytes(pickle.dumps((prepared, workers)))
        with log.open("wb") as stream, _group(given, stream) as process:
            while process.poll() is None:
                report()
                time.sleep(_POLL_SECONDS)
        return process.returncode, log.read_text(errors="replace")


@contextlib.contextmanager
def _group(given: pathlib.Path, log: Any) -> Iterator[subprocess.Popen]:
    """A pipeline's process, which with all of its workers is gone at the end."""
    root = str(pathlib.Path(__file__).parents[2])
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    # The current folder may have an `export` of its own.
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONSAFEPATH": "1"}
    process = subprocess.Popen(
        [sys.executable, "-c", _START, str(given)],
        stdout=log,
        stderr=log,
        env=environment,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _error(log: str) -> Exception:
    from export.bulk.pipeline import users_error

    return users_error(log) or RuntimeError(f"the pipeline failed: {log[-5000:]}")


def main() -> None:
    """The pipeline's process: ends with `WORKER_DIED` where a worker does, and with its parent."""
    prepared, workers = pickle.loads(pathlib.Path(sys.argv[1]).read_bytes())
    threading.excepthook = _on_thread_error
    threading.Thread(target=_follow, args=[os.getppid()], daemon=True).start()
    from export.bulk.pipeline import run

    run(prepared, workers=workers)
    sys.stdout.flush()
    os._exit(0)  # threads of the runner may be left


def _on_thread_error(arguments: Any) -> None:
    """Called for an exception in any thread; the runner's for a worker raises when that exits."""
    threading.__excepthook__(arguments)
    if "Worker subprocess exited" in str(arguments.exc_value):
        sys.stderr.flush()
        os._exit(WORKER_DIED)


def _follow(parent: int) -> None:
    """Ends this process and its workers with the one that started it."""
    while os.getppid() == parent:
        time.sleep(_POLL_SECONDS)
    os.killpg(os.getpid(), signal.SIGKILL)
