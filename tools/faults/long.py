"""Hours of requests in a few minutes: whether memory stays, and whether two versions stay apart."""

import time
from collections.abc import Callable

from tools.faults.bench import Bench, surplus_descriptors
from tools.faults.load import Choice, Load
from tools.faults.outcome import Outcome

REQUESTS, PARTS = 100_000, 10
MARGIN = 64 << 20
"""Bytes that the server may grow by after its warm-up: 16 answers of the largest kind, in both forms."""
SECONDS = 600.0
CONFIG = """model_config_list {{ config {{
  name: "gemma4" base_path: "{folder}" model_platform: "tensorflow"
  model_version_policy {{ specific {{ versions: 1 versions: 2 }} }}
  version_labels {{ key: "stable" value: 1 }} version_labels {{ key: "canary" value: 2 }}
}} }}"""
CHOICES = (
    Choice("/versions/1", version=1, expected=1),
    Choice("/versions/2", version=2, expected=2),
    Choice("/labels/stable", label="stable", expected=1),
    Choice("/labels/canary", label="canary", expected=2),
)


def steady_memory(bench: Bench) -> Outcome:
    """Many mixed requests; memory after the first tenth, which warms the server up, and at the end."""
    count, sizes, started = bench.times(REQUESTS), [], time.perf_counter()
    wrong, lost, notes = 0, 0, []
    with bench.serving(bench.folder(1)) as server:
        before = server.descriptors()
        for part in range(PARTS):
            load = Load(server.ports, bench.known, count=count // PARTS)
            load.join(_teller(bench, part * count // PARTS, count))
            sizes.append(server.memory())
            wrong, lost = wrong + load.results["wrong"], lost + load.results["lost"]
            notes += load.notes
        descriptors = surplus_descriptors(server, before)
    seconds = time.perf_counter() - started
    grown = max(sizes[1:]) - sizes[1]
    course = ", ".join(f"{size / 1e6:.0f}" for size in sizes)
    return Outcome(
        f"{count:,} mixed requests, 5% of them faulty",
        wrong,
        lost,
        descriptors + (grown > MARGIN),
        f"MB after each tenth: {course}; {count / seconds:.0f} requests/s",
        tuple(notes),
    )


def _teller(bench: Bench, before: int, count: int) -> Callable[[int], None]:
    return lambda done: bench.tell(f"{before + done:,} of {count:,}")


def two_versions(bench: Bench) -> Outcome:
    """Requests for two versions, by number and by label, for ten minutes."""
    seconds, folder = SECONDS * bench.scale, bench.folder(1, 2)
    config = bench.scratch / "models.config"
    config.write_text(CONFIG.format(folder=folder))
    with bench.serving(folder, ("--no-warmup", "--model-config", str(config))) as server:
        Load(server.ports, bench.known, count=400, choices=CHOICES).join()
        warm, before = server.memory(), server.descriptors()
        load = Load(server.ports, bench.known, choices=CHOICES)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            time.sleep(0.5)
            bench.tell(f"{until - time.monotonic():.0f} s left, {load.results.total():,} requests")
        load.stop()
        after = server.memory()
        descriptors = surplus_descriptors(server, before)
    return Outcome(
        f"two versions asked by number and by label for {seconds:.0f} s",
        load.results["wrong"],
        load.results["lost"],
        descriptors,
        f"{load.answered[1]:,} and {load.answered[2]:,} answers; "
        f"{warm / 1e6:.0f} MB before, {after / 1e6:.0f} MB after",
        tuple(load.notes),
    )
