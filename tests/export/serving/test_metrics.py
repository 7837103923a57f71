"""Counters and histograms under TF Serving's names, read back by Prometheus' own parser."""

import threading

import grpc
import pytest
from prometheus_client.parser import text_string_to_metric_families

from export.serving.metrics import BOUNDS, Metrics

OK, INVALID = grpc.StatusCode.OK, grpc.StatusCode.INVALID_ARGUMENT


def samples_of(metrics):
    """Value of each sample, by its name and labels; and the type of each family. The parser names counters as
    OpenMetrics does.
    """
    families = list(text_string_to_metric_families(metrics.exposition().decode()))
    samples = {
        (sample.name.removesuffix("_total"), tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }
    return samples, {family.name: family.type for family in families}


def test_bounds_are_tf_servings():
    assert len(BOUNDS) == 33
    assert BOUNDS[:3] == pytest.approx((10, 18, 32.4))
    assert 20 * 60e6 < BOUNDS[-1] < 30 * 60e6  # about 20 minutes in microseconds


def test_nothing_was_counted_yet():
    samples, types = samples_of(Metrics())
    assert samples == {}
    assert types[":tensorflow:serving:request_latency"] == "histogram"
    text = Metrics().exposition().decode()
    assert "# TYPE :tensorflow:serving:request_count counter" in text
    assert "_total" not in text
    assert "_created" not in text


def test_requests_are_counted_and_the_answered_ones_timed():
    metrics = Metrics()
    metrics.requested("gemma4", "REST", OK, 15e-6)
    metrics.requested("gemma4", "REST", OK, 5000.0)
    metrics.requested("gemma4", "GRPC", INVALID, 1.0)
    metrics.ran("gemma4", 12e-6)
    metrics.loaded("/models/1", 1.5)
    metrics.loaded("/models/2", None)
    samples, _ = samples_of(metrics)
    count = ":tensorflow:serving:request_count"
    assert samples[count, (("model_name", "gemma4"), ("status", "OK"))] == 2
    assert samples[count, (("model_name", "gemma4"), ("status", "INVALID_ARGUMENT"))] == 1
    labels = {"API": "Predict", "entrypoint": "REST", "model_name": "gemma4"}

    def bucket(bound):
        name = ":tensorflow:serving:request_latency_bucket"
        return samples[name, tuple(sorted({**labels, "le": bound}.items()))]

    assert [bucket("10"), bucket("18"), bucket("+Inf")] == [0, 1, 2]
    total = samples[":tensorflow:serving:request_latency_sum", tuple(sorted(labels.items()))]
    assert total == pytest.approx(5e9 + 15)
    assert not any("GRPC" in str(labels) for name, labels in samples if "latency" in name)
    assert samples[":tensorflow:cc:saved_model:load_latency", (("model_path", "/models/1"),)] == 1.5e6
    attempts = ":tensorflow:cc:saved_model:load_attempt_count"
    assert samples[attempts, (("model_path", "/models/2"), ("status", "fail"))] == 1


def test_a_label_may_hold_anything():
    metrics = Metrics()
    metrics.loaded('/a "b"\\c\nd', 1.0)
    samples, _ = samples_of(metrics)
    assert (":tensorflow:cc:saved_model:load_latency", (("model_path", '/a "b"\\c\nd'),)) in samples


def test_threads_lose_no_count():
    metrics = Metrics()

    def add():
        for _ in range(500):
            metrics.requested("m", "GRPC", OK, 1e-3)

    threads = [threading.Thread(target=add) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    samples, _ = samples_of(metrics)
    assert samples[":tensorflow:serving:request_count", (("model_name", "m"), ("status", "OK"))] == 4000
