"""The versions of one model: found in a folder, loaded beside the ones that serve, switched to, drained and
unloaded.

The rules are TF Serving's. A version is a folder with a number for a name; the policy says which of them are
wanted. A wanted version is loaded while the others serve; a version that is no longer wanted goes when a
wanted one is there, after its last request.
"""

import contextlib
import gc
import pathlib
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import grpc

from export.publish import numbered_versions
from export.serving.batching import Batcher
from export.serving.refusals import Refusal, invalid, not_found

Report = Callable[[str], None]


class Servable(NamedTuple):
    """One loaded version.

    Attributes:
        version: its number.
        functions: signature name -> function.
        signature_defs: what the SavedModel says of its signatures, by name.
        module: keeps the resources alive.
        cold: a lock for each signature that has not run yet: first calls at the same time would each optimize
            the graph for themselves.
        ran: called with the seconds that a signature took.
        batcher: runs rows of several requests together; None where each request runs by itself.
    """

    version: int
    functions: Mapping[str, Any]
    signature_defs: Mapping[str, Any]
    module: Any
    cold: dict[str, threading.Lock]
    ran: Callable[[float], None] = lambda _: None
    batcher: Batcher | None = None


class Choice(NamedTuple):
    """Which versions serve: the highest `latest` ones, or the `specific` ones, or all (both None); and what
    labels stand for.
    """

    latest: int | None = 1
    specific: tuple[int, ...] | None = None
    labels: Mapping[str, int] = {}

    def wanted(self, versions: list[int]) -> list[int]:
        """Those of the versions that should serve, the highest first."""
        if self.specific is not None:
            versions = [version for version in versions if version in self.specific]
        return sorted(versions, reverse=True)[: self.latest if self.specific is None else None]


@dataclass
class _Entry:
    """What is known of a version. States are those of `ModelVersionStatus`."""

    state: str = "START"
    error: Refusal | None = None
    servable: Servable | None = None
    users: int = 0
    stamp: float | None = field(default=None)


class ModelStore:
    """Holds the versions of a model and keeps them as its folder says.

    Args:
        name: of the model, as requests call it.
        folder: holds the version folders.
        load: makes the servable of a version.
        choice: which versions serve.
        report: called with a line whenever a version comes or goes.
    """

    def __init__(
        self,
        name: str,
        folder: pathlib.Path,
        load: Callable[[int, pathlib.Path], Servable],
        choice: Choice,
        report: Report,
    ) -> None:
        self.name = name
        self._folder, self._load, self._choice, self._report = folder, load, choice, report
        self._entries: dict[int, _Entry] = {}
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._watcher: threading.Thread | None = None
        self._looked = False

    def watch(self, *, every_seconds: float) -> None:
        """Looks at the folder again and again, in a thread of its own, until `stop`."""
        self._watcher = threading.Thread(
            target=self._keep_watching, args=(every_seconds,), name="versions", daemon=True
        )
        self._watcher.start()

    def stop(self) -> None:
        """Ends the watching; what is loaded keeps serving."""
        self._stopping.set()
        with self._changed:
            self._changed.notify_all()
        if self._watcher:
            self._watcher.join()

    def refresh(self) -> None:
        """Makes what is loaded agree with the folder, now. A folder without versions unloads the model; one
        that is not there changes nothing.
        """
        found = self._found()
        wanted = self._choice.wanted(list(found))
        for version in wanted:
            if self._may_load(version, found[version]):
                self._bring(version, found[version])
        serving = [version for version, entry in self._entries.items() if entry.servable]
        if (not wanted and self._folder.is_dir()) or set(wanted) & set(serving):
            for version in serving:
                if version not in wanted:
                    self._retire(version)
        self._looked = True

    @contextlib.contextmanager
    def use(self, name: str, *, version: int | None = None, label: str | None = None) -> Iterator[Servable]:
        """The servable that a request means, kept loaded inside the `with` block: the highest version unless
        told otherwise.

        Raises:
            Refusal: no such model, version or label.
        """
        with self._changed:
            entry = self._entry(name, version, label)
            entry.users += 1
        try:
            assert entry.servable
            yield entry.servable
        finally:
            with self._changed:
                entry.users -= 1
                self._changed.notify_all()

    def is_ready(self) -> bool:
        """Whether a version answers."""
        with self._changed:
            return any(entry.servable for entry in self._entries.values())

    def states(self, name: str, version: int | None = None) -> list[tuple[int, str, Refusal | None]]:
        """Version, state and error of every version that was ever seen, or of one.

        Raises:
            Refusal: nothing is known of it.
        """
        with self._changed:
            entries = dict(self._entries) if name == self.name else {}
        if version is not None and version not in entries:
            raise not_found(f"Could not find version {version} of model {name}")
        if not entries:
            raise not_found(f"Could not find any versions of model {name}")
        return [
            (number, entry.state, entry.error)
            for number, entry in sorted(entries.items())
            if version in (None, number)
        ]

    def _entry(self, name: str, version: int | None, label: str | None) -> _Entry:
        if not name:
            raise invalid("ModelSpec has no name specified.")
        if label is not None:
            if name != self.name or label not in self._choice.labels:
                raise invalid(f"Unrecognized servable version label: {label}")
            version = self._choice.labels[label]
        serving = (
            [number for number, entry in self._entries.items() if entry.state == "AVAILABLE"]
            if name == self.name
            else []
        )
        number = max(serving, default=None) if version is None else version
        if number not in serving and name == self.name and self._is_coming(number):
            raise Refusal(
                grpc.StatusCode.UNAVAILABLE,
                f"{name}: is loading and cannot answer yet. Try again soon.",
            )
        if number not in serving:
            wish = f"Latest({name})" if version is None else f"Specific({name}, {version})"
            raise not_found(f"Servable not found for request: {wish}")
        return self._entries[number]

    def _is_coming(self, version: int | None) -> bool:
        """Whether the version, or any if None, is being loaded, or the folder was not looked at yet."""
        states = {number: entry.state for number, entry in self._entries.items()}
        loading = "LOADING" in (states.values() if version is None else [states.get(version, "")])
        return loading or not self._looked

    def _found(self) -> dict[int, pathlib.Path]:
        """Version folders by number; hidden folders, where exports are being written, have no number for a
        name.
        """
        try:
            return numbered_versions(self._folder)
        except OSError:  # it went while it was read
            return {}

    def _may_load(self, version: int, path: pathlib.Path) -> bool:
        """Whether it is neither loaded nor known to fail as it is."""
        entry = self._entries.get(version)
        return not entry or (not entry.servable and (entry.error is None or entry.stamp != _stamp(path)))

    def _bring(self, version: int, path: pathlib.Path) -> None:
        entry = _Entry("LOADING", stamp=_stamp(path))
        with self._changed:
            self._entries[version] = entry
        try:
            servable = self._load(version, path)
        except Exception as error:
            with self._changed:
                entry.state, entry.error = "END", Refusal(grpc.StatusCode.INTERNAL, f"{path}: {error}")
            self._report(f"version {version}: failed to load: {error}")
            return
        with self._changed:
            entry.servable, entry.state = servable, "AVAILABLE"
        self._report(f"version {version}: available")

    def _retire(self, version: int) -> None:
        entry = self._entries[version]
        with self._changed:
            entry.state = "UNLOADING"
            self._changed.wait_for(lambda: not entry.users or self._stopping.is_set())
            entry.servable, entry.state = None, "END"
        gc.collect()
        self._report(f"version {version}: unloaded")

    def _keep_watching(self, every_seconds: float) -> None:
        while not self._stopping.wait(every_seconds):
            try:
                self.refresh()
            except (
                OSError
            ) as error:  # a folder that went while it was looked at; the next look finds what is there
                self._report(f"{self._folder}: {error}")


def _stamp(path: pathlib.Path) -> float | None:
    model = path / "saved_model.pb"
    return model.stat().st_mtime if model.exists() else None
