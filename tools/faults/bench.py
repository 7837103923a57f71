"""What the cases share: models, known requests, how much is to be done, and where progress is told."""

import contextlib
import pathlib
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from tools.faults.known import Known
from tools.faults.process import ServerProcess

SETTLE_SECONDS = 20.0
"""How long closed connections may take to go."""
SPARE_DESCRIPTORS = 8
"""More than before that are no leak: connections of a health check, files of a library."""


@dataclass
class Bench:
    """Shared by all cases.

    Attributes:
        scratch: a folder for everything that is written.
        scale: 1 for the full sizes.
        tell: shows a line of progress.
        models: folder with versions 1 and 2, which are copied from.
        known: requests and their answers.
    """

    scratch: pathlib.Path
    scale: float
    tell: Callable[[str], None]
    models: pathlib.Path
    known: list[Known]
    _folders: int = field(default=0)

    def times(self, full: int) -> int:
        """How often something is done: `full` times the scale, at least once."""
        return max(1, round(full * self.scale))

    def folder(self, *versions: int) -> pathlib.Path:
        """A new model's folder with copies of these versions."""
        self._folders += 1
        folder = self.scratch / f"model-{self._folders}"
        folder.mkdir()
        for version in versions:
            self.bring(folder, version, version)
        return folder

    def bring(self, folder: pathlib.Path, version: int, number: int) -> None:
        """Puts a copy of a version into a folder, under a number, whole at once."""
        hidden = folder / f".coming-{number}"
        shutil.copytree(self.models / str(version), hidden)
        hidden.rename(folder / str(number))

    @contextlib.contextmanager
    def serving(
        self,
        folder: pathlib.Path,
        options: Sequence[str] = ("--no-warmup",),
        *,
        ports: tuple[int, int] = (0, 0),
        environment: dict[str, str] | None = None,
    ) -> Iterator[ServerProcess]:
        """A server of the folder, which is ended afterwards."""
        server = ServerProcess(folder, options, ports=ports, environment=environment or {})
        try:
            yield server
        finally:
            if server.is_running():
                server.end()


def surplus_descriptors(server: ServerProcess, before: int) -> int:
    """Descriptors beyond those before, once what was closed had time to go."""
    until = time.monotonic() + SETTLE_SECONDS
    while server.descriptors() > before + SPARE_DESCRIPTORS and time.monotonic() < until:
        time.sleep(0.2)
    return max(0, server.descriptors() - before - SPARE_DESCRIPTORS)
