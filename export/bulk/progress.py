"""How far a job is, by the markers of its shards: whatever runner does the work."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

from export.bulk.files import is_uri, read_text
from export.bulk.layout import Layout
from export.bulk.statistics import Tally, total

POLL_SECONDS = 0.5
_STORE_POLLS = 30
"""How many times less often a store is asked than a disk."""


class Progress:
    """Says how far a job is."""

    def __init__(self, layout: Layout, report: Callable[[str], None]) -> None:
        self._layout, self._report = layout, report
        self._pause = POLL_SECONDS * (_STORE_POLLS if is_uri(layout.output) else 1)
        self._begun, self._last = time.monotonic(), 0.0
        self._finished: set[str] = set()
        self._tally = Tally()
        self._read()
        self._kept, self._samples_kept = len(self._finished), self._tally.samples

    def tell(self) -> None:
        """Says it, if it has not just been said."""
        if time.monotonic() - self._last >= self._pause:
            self._last = time.monotonic()
            self._report(self.line())

    def line(self) -> str:
        """What is done, and how fast."""
        self._read()
        if not self._finished:
            return "working on the first shards"
        of = int(next(iter(self._finished)).removesuffix(".json").rpartition("-")[2])
        rate = (self._tally.samples - self._samples_kept) / max(time.monotonic() - self._begun, 1e-9)
        kept = f", {self._kept} of them kept" if self._kept else ""
        faults = f", {sum(self._tally.faults.values()):,} dead letters" if self._tally.faults else ""
        return (
            f"{len(self._finished)} of {of} shards{kept}: {self._tally.samples:,} samples, "
            f"{self._tally.tokens:,} tokens{faults}, {rate:.1f} samples/s"
        )

    def _read(self) -> None:
        """Reads the markers that are new."""
        for marker in self._layout.markers():
            if marker not in self._finished and (text := read_text(marker)) is not None:
                self._finished.add(marker)
                self._tally.add(total([text]))

    @contextlib.contextmanager
    def told_meanwhile(self) -> Iterator[None]:
        """Says it from another thread while this one works."""
        done = threading.Event()

        def follow() -> None:
            while not done.wait(POLL_SECONDS):
                with contextlib.suppress(KeyboardInterrupt):  # the other thread has it too
                    self.tell()

        thread = threading.Thread(target=follow, daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()
