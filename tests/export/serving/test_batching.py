"""When requests run together: what a batch waits for, what is refused, and who is left out."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import grpc
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from export.batching_parameters import BatchingParameters
from export.serving.batching import Batcher, Scheduler
from export.serving.refusals import Refusal, invalid

LONG = 600_000_000
"""Microseconds that no test waits."""


class Graph:
    """Doubles its rows, and remembers how many it was called with; `gate` may hold it."""

    def __init__(self):
        self.sizes, self.gate, self.entered = [], threading.Event(), threading.Semaphore(0)
        self.gate.set()

    def __call__(self, name, inputs):
        self.sizes.append(len(inputs["x"]))
        self.entered.release()
        assert self.gate.wait(60)
        if (inputs["x"] < 0).any():
            raise invalid("negative")
        return {"y": 2 * inputs["x"]}


@pytest.fixture
def graph():
    return Graph()


@pytest.fixture
def batching(graph):
    """Makes a batcher of the graph; its scheduler is stopped afterwards."""
    made = []

    def make(**parameters):
        made.append(Scheduler(BatchingParameters(**{"num_batch_threads": 1, **parameters})))
        return Batcher(made[-1], graph)

    yield make
    graph.gate.set()
    for scheduler in made:
        scheduler.stop()


@pytest.fixture
def clients():
    with ThreadPoolExecutor(32) as pool:
        yield pool


def ask(batcher, *values, name="double", is_awaited=lambda: True):
    return batcher.run(name, {"x": np.array(values)}, is_awaited)["y"].tolist()


def waiting(batcher, rows, name="double"):
    """Waits until so many rows wait in the queue of a signature."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        queue = batcher._queues.get(name)
        if queue and sum(batch.rows for batch in queue.batches) == rows:
            return
        time.sleep(0.001)
    raise AssertionError("they never came")


def test_a_full_batch_waits_for_nobody_and_runs_once(batching, graph, clients):
    batcher = batching(max_batch_size=4, batch_timeout_micros=LONG)
    answers = [clients.submit(ask, batcher, value) for value in range(4)]
    assert [answer.result(60) for answer in answers] == [[0], [2], [4], [6]]
    assert graph.sizes == [4]


def test_a_batch_that_is_not_full_runs_when_its_time_is_over(batching, graph):
    batcher = batching(max_batch_size=4, batch_timeout_micros=1000, allowed_batch_sizes=(2, 4))
    assert ask(batcher, 7) == [14]
    assert graph.sizes == [2]


def test_a_request_that_does_not_fit_closes_the_batch(batching, graph, clients):
    batcher = batching(max_batch_size=4, batch_timeout_micros=LONG)
    first = clients.submit(ask, batcher, 1, 2, 3)
    waiting(batcher, 3)
    second = clients.submit(ask, batcher, 4, 5)
    assert first.result(60) == [2, 4, 6]
    third = clients.submit(ask, batcher, 6, 7)
    assert (second.result(60), third.result(60)) == ([8, 10], [12, 14])
    assert graph.sizes == [3, 4]


def test_signatures_have_batches_of_their_own(batching, graph, clients):
    batcher = batching(max_batch_size=2, batch_timeout_micros=LONG)
    answers = [clients.submit(ask, batcher, value, name=name) for value in (1, 2) for name in "ab"]
    assert sorted(answer.result(60)[0] for answer in answers) == [2, 2, 4, 4]
    assert graph.sizes == [2, 2]


def test_a_request_without_rows_runs_by_itself(batching, graph):
    assert ask(batching(batch_timeout_micros=LONG)) == []
    assert graph.sizes == [0]


def test_a_request_larger_than_a_batch_is_refused(batching, graph):
    with pytest.raises(Refusal, match=r"^Task size 9 is larger than maximum input batch size 8$") as refused:
        ask(batching(max_batch_size=8), *range(9))
    assert refused.value.code is grpc.StatusCode.INVALID_ARGUMENT
    assert graph.sizes == []


def test_what_comes_when_too_many_wait_is_refused(batching, graph, clients):
    batcher = batching(max_batch_size=1, max_enqueued_batches=2)
    graph.gate.clear()
    running = clients.submit(ask, batcher, 0)
    assert graph.entered.acquire(timeout=60)
    queued = []
    for value in (1, 2):
        queued.append(clients.submit(ask, batcher, value))
        waiting(batcher, value)
    sentence = "is full; currently 2 batches enqueued and max_enqueued_batches is 2$"
    with pytest.raises(Refusal, match=sentence) as refused:
        ask(batcher, 3)
    assert refused.value.code is grpc.StatusCode.UNAVAILABLE
    graph.gate.set()
    assert [answer.result(60) for answer in (running, *queued)] == [[0], [2], [4]]


def test_as_many_batches_run_at_a_time_as_there_are_threads(batching, graph, clients):
    batcher = batching(max_batch_size=1, num_batch_threads=3)
    graph.gate.clear()
    answers = [clients.submit(ask, batcher, value) for value in range(4)]
    for _ in range(3):
        assert graph.entered.acquire(timeout=60)
    assert len(graph.sizes) == 3
    graph.gate.set()
    assert sorted(answer.result(60)[0] for answer in answers) == [0, 2, 4, 6]


def test_a_client_that_has_gone_is_left_out_and_the_others_are_answered(batching, graph, clients):
    batcher = batching(max_batch_size=3, batch_timeout_micros=LONG)
    gone = clients.submit(ask, batcher, 1, is_awaited=lambda: False)
    others = [clients.submit(ask, batcher, value) for value in (2, 3)]
    assert [other.result(60) for other in others] == [[4], [6]]
    with pytest.raises(
        Refusal, match=r"^Run\(\) timeout exceeded while waiting in batching queue$"
    ) as refused:
        gone.result(60)
    assert refused.value.code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert graph.sizes == [2]


def test_a_request_that_makes_the_graph_fail_harms_no_other(batching, clients):
    batcher = batching(max_batch_size=3, batch_timeout_micros=LONG)
    answers = [clients.submit(ask, batcher, value) for value in (1, -1, 3)]
    assert (answers[0].result(60), answers[2].result(60)) == ([2], [6])
    with pytest.raises(Refusal, match="negative"):
        answers[1].result(60)


@pytest.mark.parametrize("pad", [True, False])
def test_rows_of_different_widths_are_padded_or_refused(batching, clients, pad):
    batcher = batching(max_batch_size=2, batch_timeout_micros=LONG, pad_variable_length_inputs=pad)
    answers = [clients.submit(ask, batcher, row) for row in ([1, 2], [3])]
    if pad:
        assert [answer.result(60) for answer in answers] == [[[2, 4]], [[6, 6]]]
        return
    for answer in answers:
        with pytest.raises(Refusal, match="from different tasks have different shapes"):
            answer.result(60)


def test_the_end_runs_what_waits_and_refuses_what_comes(graph, clients):
    scheduler = Scheduler(BatchingParameters(batch_timeout_micros=LONG))
    batcher = Batcher(scheduler, graph)
    answer = clients.submit(ask, batcher, 1)
    waiting(batcher, 1)
    scheduler.stop()
    assert answer.result(60) == [2]
    with pytest.raises(Refusal, match="the server is ending") as refused:
        ask(batcher, 1)
    assert refused.value.code is grpc.StatusCode.UNAVAILABLE


def test_in_a_hurry_no_batch_waits_for_more_rows(graph, clients):
    scheduler = Scheduler(BatchingParameters(batch_timeout_micros=LONG))
    batcher = Batcher(scheduler, graph)
    answer = clients.submit(ask, batcher, 1)
    waiting(batcher, 1)
    scheduler.hurry()
    assert answer.result(60) == [2]
    assert ask(batcher, 3) == [6]
    scheduler.stop()


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=40),
    st.integers(1, 8),
    st.integers(0, 300),
    st.integers(1, 3),
)
def test_any_requests_get_their_own_answers(rows, most, micros, threads):
    graph = Graph()
    scheduler = Scheduler(
        BatchingParameters(most, micros, max_enqueued_batches=100, num_batch_threads=threads)
    )
    batcher = Batcher(scheduler, graph)
    requests = [[100 * place + row for row in range(count)] for place, count in enumerate(rows)]
    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(ask, batcher, *request) for request in requests]
    scheduler.stop()
    for request, answer in zip(requests, answers, strict=True):
        if len(request) > most:
            assert isinstance(answer.exception(), Refusal)
        else:
            assert answer.result() == [2 * value for value in request]
    assert sum(graph.sizes) == sum(count for count in rows if count <= most)
    assert max(graph.sizes, default=0) <= most
