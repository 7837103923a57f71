"""When rows of several requests run as one batch: by the rules and with the sentences of TF Serving's
shared_batch_scheduler.h.

Each signature of each version has a queue of batches, the last of which is open. A request is added to the
open one, or opens another where it does not fit. A batch runs in one of a few threads, shared by all queues,
once it is closed or full or its first request has waited long enough.
"""

import collections
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field

import grpc
import numpy as np

from export.batching_parameters import BatchingParameters
from export.serving.batches import Arrays, merge, split
from export.serving.refusals import Refusal, invalid

Outputs = dict[str, np.ndarray]
Run = Callable[[str, Arrays], Outputs]
"""Runs a signature by its name."""


@dataclass(eq=False)
class _Task:
    """A request that waits for its answer."""

    inputs: Arrays
    rows: int
    is_awaited: Callable[[], bool]
    answer: Future[Outputs] = field(default_factory=Future)


class _Batch:
    """Requests that are to run together; `opened` is when the first of them came, by the monotonic clock."""

    def __init__(self) -> None:
        self.tasks: list[_Task] = []
        self.rows, self.opened = 0, 0.0

    def add(self, task: _Task) -> None:
        if not self.tasks:
            self.opened = time.monotonic()
        self.tasks.append(task)
        self.rows += task.rows


@dataclass(eq=False)
class _Queue:
    """Batches of one signature that wait; `run` computes its outputs."""

    run: Callable[[Arrays], Outputs]
    batches: collections.deque[_Batch] = field(default_factory=lambda: collections.deque([_Batch()]))


class Scheduler:
    """Threads that run batches, until `stop`.

    Args:
        parameters: how large batches are, how long they wait, how many run.
    """

    def __init__(self, parameters: BatchingParameters) -> None:
        self.parameters = parameters
        self._queues: collections.deque[_Queue] = collections.deque()
        self._changed = threading.Condition()
        self._hurrying = self._stopping = False
        self._threads = [
            threading.Thread(target=self._work, name=f"batch {number}", daemon=True)
            for number in range(parameters.num_batch_threads)
        ]
        for thread in self._threads:
            thread.start()

    def hurry(self) -> None:
        """Runs what waits, and from now on each batch as soon as a thread is free."""
        with self._changed:
            self._hurrying = True
            self._changed.notify_all()

    def stop(self) -> None:
        """Runs what waits, and ends."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def schedule(self, queue: _Queue, task: _Task) -> None:
        """Adds a request to the queue.

        Raises:
            Refusal: it is too large, or too many wait.
        """
        most = self.parameters.max_batch_size
        if task.rows > most:
            raise invalid(f"Task size {task.rows} is larger than maximum input batch size {most}")
        with self._changed:
            if self._stopping:
                raise Refusal(grpc.StatusCode.UNAVAILABLE, "the server is ending; try again elsewhere")
            waiting = queue.batches
            if waiting[-1].rows + task.rows > most:
                self._check_queue(len(waiting))
                waiting.append(_Batch())
            waiting[-1].add(task)
            if queue not in self._queues:
                self._queues.append(queue)
            self._changed.notify()

    def _check_queue(self, waiting: int) -> None:
        if waiting >= self.parameters.max_enqueued_batches:
            raise Refusal(
                grpc.StatusCode.UNAVAILABLE,
                "The batch scheduling queue to which this task was submitted is full; currently "
                f"{waiting} batches enqueued and max_enqueued_batches is "
                f"{self.parameters.max_enqueued_batches}",
            )

    def _work(self) -> None:
        while self._run_next():  # nothing here keeps a queue, and with it a version, until the next batch
            pass

    def _run_next(self) -> bool:
        taken = self._take()
        if taken:
            run_batch(taken[1].tasks, taken[0].run, self.parameters)
        return taken is not None

    def _take(self) -> tuple[_Queue, _Batch] | None:
        """The next batch that may run, when there is one; None at the end."""
        with self._changed:
            while True:
                seconds = [self._seconds_until_ready(queue) for queue in self._queues]
                soonest = min(seconds, default=None)
                if soonest is not None and soonest <= 0:
                    return self._pop(seconds.index(soonest))
                if soonest is None and self._stopping:
                    return None
                self._changed.wait(soonest)

    def _seconds_until_ready(self, queue: _Queue) -> float:
        """How long the first batch still waits; the longer it could have run, the less."""
        batch = queue.batches[0]
        waited = time.monotonic() - batch.opened
        is_closed = len(queue.batches) > 1 or batch.rows >= self.parameters.max_batch_size
        is_closed |= self._hurrying or self._stopping
        return -waited if is_closed else self.parameters.batch_timeout_micros / 1e6 - waited

    def _pop(self, place: int) -> tuple[_Queue, _Batch]:
        """Takes a queue's first batch; a queue is kept here only while something waits in it."""
        queue = self._queues[place]
        batch = queue.batches.popleft()
        if not queue.batches:
            queue.batches.append(_Batch())
        if not queue.batches[0].tasks:
            del self._queues[place]
        return queue, batch


class Batcher:
    """The queues of one version.

    Args:
        scheduler: its threads compute the batches.
        run: computes a signature's outputs.
    """

    def __init__(self, scheduler: Scheduler, run: Run) -> None:
        self._scheduler, self._run = scheduler, run
        self._queues: dict[str, _Queue] = {}
        self._lock = threading.Lock()

    def run(self, name: str, inputs: Mapping[str, np.ndarray], is_awaited: Callable[[], bool]) -> Outputs:
        """The outputs of one request, computed beside those of others.

        Args:
            name: of the signature.
            inputs: by name, each [rows, …]. Without a row it runs by itself.
            is_awaited: whether the client still waits; asked when its batch is about to run.

        Raises:
            Refusal: it is too large, too many wait, the rows of its batch differ in width, or the graph
                fails.
        """
        rows = len(next(iter(inputs.values())))
        if not rows:
            return self._run(name, inputs)
        with self._lock:
            queue = self._queues.setdefault(name, _Queue(lambda merged: self._run(name, merged)))
        task = _Task(inputs, rows, is_awaited)
        self._scheduler.schedule(queue, task)
        return task.answer.result()


def run_batch(tasks: list[_Task], run: Callable[[Arrays], Outputs], parameters: BatchingParameters) -> None:
    """Runs the requests that are still awaited, and answers all of them."""
    awaited = []
    for task in tasks:
        if task.is_awaited():
            awaited.append(task)
        else:
            task.answer.set_exception(_gone())
    if awaited:
        _answer(awaited, run, parameters)


def _gone() -> Refusal:
    return Refusal(
        grpc.StatusCode.RESOURCE_EXHAUSTED, "Run() timeout exceeded while waiting in batching queue"
    )


def _answer(tasks: list[_Task], run: Callable[[Arrays], Outputs], parameters: BatchingParameters) -> None:
    """Runs requests together; where the graph fails, each by itself, so that none suffers from another."""
    rows = [task.rows for task in tasks]
    size = parameters.filled_size(sum(rows))
    try:
        inputs = [task.inputs for task in tasks]
        merged = merge(inputs, size=size, pad=parameters.pad_variable_length_inputs)
    except BaseException as error:
        return _refuse(tasks, error)
    try:
        answers = split(run(merged), rows, size=size)
    except BaseException as error:
        if len(tasks) == 1:
            return _refuse(tasks, error)
        for task in tasks:
            _answer([task], run, parameters)
        return None
    for task, answer in zip(tasks, answers, strict=True):
        task.answer.set_result(answer)
    return None


def _refuse(tasks: list[_Task], error: BaseException) -> None:
    for task in tasks:
        task.answer.set_exception(error)
