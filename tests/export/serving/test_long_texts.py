"""A long text is answered in memory that grows as the text does, over both protocols, with both engines."""

import pytest

from benchmarks.long_texts import ENGINES, PROTOCOLS, export, prose
from tools.faults.process import ServerProcess

pytestmark = pytest.mark.slow

SHORT, LONG = 1_000_000, 8_000_000
"""Bytes of text. Memory that grows with the square would be 64 times as much for the long one."""
MOST_TIMES = 16
"""Twice what the text grows by: buffers grow by doubling."""


@pytest.mark.parametrize(
    "engine",
    [
        engine if engine == "builtin" else pytest.param(engine, marks=pytest.mark.release)
        for engine in ENGINES
    ],
)
def test_memory_grows_as_the_text_does(tmp_path, engine):
    export(engine, tmp_path)
    for ask in PROTOCOLS.values():
        server = ServerProcess(tmp_path)
        try:
            ask(server, "hello")
            server.forget_peak()
            before, peaks = server.memory(), []
            for size in (SHORT, LONG):
                assert ask(server, prose(size)) > size // 10
                peaks.append(server.memory("VmHWM") - before)
        finally:
            server.end()
        assert peaks[1] < MOST_TIMES * peaks[0]
