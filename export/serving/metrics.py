"""What a server counts and times, in Prometheus' text format, under TF Serving's names."""

import bisect
import threading
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

import grpc
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
BOUNDS = tuple(10 * 1.8**power for power in range(33))
"""Upper bounds of latencies in microseconds, as TF Serving's (`Buckets::Exponential(10, 1.8, 33)`)."""
API = "Predict"
_COUNT = ":tensorflow:serving:request_count"
_LATENCY = ":tensorflow:serving:request_latency"
_RUNTIME = ":tensorflow:serving:runtime_latency"
_LOADS = ":tensorflow:cc:saved_model:load_attempt_count"
_LOAD_TIME = ":tensorflow:cc:saved_model:load_latency"
_COUNTERS = {
    _COUNT: ("The total number of requests.", ("model_name", "status")),
    _LOADS: (
        "The number of times that loading a SavedModel was tried, by how it ended.",
        ("model_path", "status"),
    ),
    _LOAD_TIME: ("Microseconds that SavedModels took which loaded.", ("model_path",)),
}
_HISTOGRAMS = {
    _LATENCY: (
        "Wall time of requests that were answered, in microseconds.",
        ("model_name", "API", "entrypoint"),
    ),
    _RUNTIME: ("Wall time of TensorFlow, in microseconds.", ("model_name", "API", "runtime")),
}
"""Names and labels are those of TF Serving's util.cc and of TensorFlow's loader."""

Labels = tuple[str, ...]


@dataclass
class _Histogram:
    """How many values fell under each bound of `BOUNDS` or beyond the last, and their sum."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    total: float = 0.0


class Metrics(Collector):
    """Counters and histograms; any thread may add to them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counters: dict[tuple[str, Labels], float] = defaultdict(float)
        self._histograms: dict[tuple[str, Labels], _Histogram] = defaultdict(_Histogram)
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def requested(self, model: str, entrypoint: str, code: grpc.StatusCode, seconds: float) -> None:
        """A request to a model ended; TF Serving times those alone that were answered."""
        self._count(_COUNT, (model, code.name))
        if code is grpc.StatusCode.OK:
            self._time(_LATENCY, (model, API, entrypoint), seconds)

    def ran(self, model: str, seconds: float) -> None:
        """A graph ran."""
        self._time(_RUNTIME, (model, API, "TF1"), seconds)

    def loaded(self, path: str, seconds: float | None) -> None:
        """A version was loaded in so many seconds, or failed to load (None)."""
        self._count(_LOADS, (path, "fail" if seconds is None else "success"))
        if seconds is not None:
            self._count(_LOAD_TIME, (path,), round(seconds * 1e6))

    def exposition(self) -> bytes:
        """All of them in Prometheus' text format."""
        text = generate_latest(self._registry)
        for name in _COUNTERS:  # the library would have a counter's name end so; TF Serving's do not
            text = text.replace(f" {name}_total ".encode(), f" {name} ".encode())
        return text

    def collect(self) -> Iterator[Metric]:
        """For the registry."""
        with self._lock:
            counters = dict(self._counters)
            histograms = {key: (list(value.counts), value.total) for key, value in self._histograms.items()}
        for name, (meaning, labels) in _COUNTERS.items():
            counter = Metric(name, meaning, "counter")
            for (own, values), count in counters.items():
                if own == name:
                    counter.add_sample(name, dict(zip(labels, values, strict=True)), count)
            yield counter
        for name, (meaning, labels) in _HISTOGRAMS.items():
            family = HistogramMetricFamily(name, meaning, labels=labels)
            for (own, values), (counts, total) in histograms.items():
                if own == name:
                    family.add_metric(values, _cumulative(counts), total)
            yield family

    def _count(self, name: str, labels: Labels, by: float = 1) -> None:
        with self._lock:
            self._counters[name, labels] += by

    def _time(self, name: str, labels: Labels, seconds: float) -> None:
        microseconds = seconds * 1e6
        with self._lock:
            histogram = self._histograms[name, labels]
            histogram.counts[bisect.bisect_left(BOUNDS, microseconds)] += 1
            histogram.total += microseconds


def _cumulative(counts: list[int]) -> list[tuple[str, float]]:
    """Upper bound and number of values up to it, for each bound and infinity."""
    bounds = [*(f"{bound:g}" for bound in BOUNDS), "+Inf"]
    sums, so_far = [], 0
    for bound, count in zip(bounds, counts, strict=True):
        so_far += count
        sums.append((bound, float(so_far)))
    return sums
