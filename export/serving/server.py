"""The embedded server: one model, its versions, both protocols, and an orderly end.

It is for development and tests, where TF Serving's binary or image is not at hand. It speaks TF Serving's two
protocols, the Open Inference Protocol beside them, and counts under TF Serving's names, but it knows one
model and has no TLS.
"""

import asyncio
import dataclasses
import functools
import pathlib
import signal
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import grpc
import uvicorn
from grpc_health.v1 import health, health_pb2_grpc
from grpc_health.v1.health_pb2 import HealthCheckResponse
from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc

from export.batching_parameters import BatchingParameters
from export.serving.admission import MAX_CONNECTED, MAX_WAITING, Admission, Turns
from export.serving.batching import Scheduler
from export.serving.grpc_service import ModelService, PredictionService
from export.serving.metrics import Metrics
from export.serving.observing import Observer
from export.serving.prediction import Limits, batched, load_servable
from export.serving.rest import Api, application
from export.serving.store import Choice, ModelStore, Servable
from export.serving.v2.messages import SERVICE as INFERENCE_SERVICE
from export.serving.v2.service import InferenceService
from export.serving_configuration import check_model_folder

GRPC, REST = 8500, 8501
"""Ports of TF Serving's image."""
PREDICTION_SERVICE = "tensorflow.serving.PredictionService"
_ACCEPTING_SECONDS = 0.05
"""How long a server that ends takes connections that were opened before."""

Load = Callable[[int, pathlib.Path], Servable]


@dataclass(frozen=True)
class Settings:
    """How to serve.

    Attributes:
        folder: of the model; holds version folders.
        name: of the model, as requests call it.
        host: address to listen on.
        port: of gRPC; 0 for any that is free.
        rest_port: of REST; 0 for any that is free.
        threads: requests of each protocol that are computed at a time.
        choice: which versions serve.
        limits: what a request may ask for.
        poll_seconds: how often the folder is looked at.
        warm: whether a version's warmup requests are replayed before it serves.
        grace_seconds: how long a shutdown waits for requests under way.
        drain_seconds: how long before that a shutdown still answers on connections that are open, each of
            which it closes behind its next answer: a client that writes in the moment when an idle one is
            closed finds it reset.
        batching: how requests of several clients become one batch; None to run each by itself.
    """

    folder: pathlib.Path
    name: str = "gemma4"
    host: str = "127.0.0.1"
    port: int = GRPC
    rest_port: int = REST
    threads: int = 8
    choice: Choice = field(default_factory=Choice)
    limits: Limits = field(default_factory=Limits)
    poll_seconds: float = 1.0
    warm: bool = True
    grace_seconds: float = 10.0
    drain_seconds: float = 1.0
    batching: BatchingParameters | None = None

    @property
    def handlers(self) -> int:
        """Threads of each protocol. Those of requests in a batch do nothing but wait; TF Serving recommends
        twice the largest batch.
        """
        waiting = 2 * self.batching.max_batch_size if self.batching else 0
        return min(max(self.threads, waiting), MAX_WAITING)


class Server:
    """A running server.

    Args:
        settings: how to serve.
        report: called with a line whenever a version comes or goes.
        load: makes the servable of a version, if not from its SavedModel.

    Raises:
        ValueError: there is nothing to serve, or a port is taken.
    """

    def __init__(
        self,
        settings: Settings,
        report: Callable[[str], None] = lambda _: None,
        load: Load | None = None,
    ) -> None:
        check_model_folder(settings.folder)
        self._settings = settings
        self._socket = _listen(settings.host, settings.rest_port)
        self._observer = Observer(Metrics(), settings.name)
        self._ending = threading.Event()
        self._health = health.HealthServicer()
        self._scheduler = Scheduler(settings.batching) if settings.batching else None
        load = self._timed(load or functools.partial(load_servable, warm=settings.warm))
        report = self._telling_health(report)
        self.store = ModelStore(settings.name, settings.folder, load, settings.choice, report)
        self._tell_health()
        self._grpc = _grpc_server(self.store, settings, self._observer, self._health)
        self._grpc.add_generic_rpc_handlers(
            [InferenceService(self.store, settings.limits, self._observer, self._ending).handler()]
        )
        self.port = _bind(self._grpc, settings)
        self.rest_port: int = self._socket.getsockname()[1]
        self._executor = ThreadPoolExecutor(settings.handlers, "rest")
        config = uvicorn.Config(
            application(self._api(), self._executor),
            log_config=None,  # its own would close the handlers of the whole process
            log_level="error",
            access_log=False,
            lifespan="off",
            ws="none",
            server_header=False,
            limit_concurrency=MAX_CONNECTED,
            timeout_graceful_shutdown=max(1, round(settings.grace_seconds)),
        )
        self._rest = uvicorn.Server(config)
        self._rest_thread = threading.Thread(
            target=self._rest.run, args=([self._socket],), name="rest", daemon=True
        )

    def _api(self) -> Api:
        settings = self._settings
        admission = Admission(MAX_WAITING, settings.limits.held_bytes)
        return Api(self.store, settings.limits, self._observer, self._ending, admission)

    def start(self) -> None:
        """Takes requests, and loads the versions that are there; until one is, requests are answered that it
        is loading.

        Raises:
            ValueError: none of them could be loaded.
        """
        self._grpc.start()
        self._rest_thread.start()
        self.store.refresh()
        serving = [
            version for version, state, _ in self.store.states(self._settings.name) if state == "AVAILABLE"
        ]
        if not serving:
            errors = "; ".join(str(error) for _, _, error in self.store.states(self._settings.name) if error)
            self._settings = dataclasses.replace(self._settings, grace_seconds=0, drain_seconds=0)
            self.stop()
            raise ValueError(f"`folder`: must hold a version that loads; got {errors}. Export it again.")
        self.store.watch(every_seconds=self._settings.poll_seconds)
        while not self._rest.started and self._rest_thread.is_alive():
            time.sleep(0.01)

    def stop(self) -> None:
        """Says that it is not ready, takes no new connections, closes those that there are behind their next
        answers, lets no batch wait for more rows, waits for requests under way as long as the settings say,
        and ends.
        """
        self._ending.set()
        if self._scheduler:
            self._scheduler.hurry()
        self._health.enter_graceful_shutdown()
        self._stop_accepting()
        until = time.monotonic() + self._settings.drain_seconds
        while self._rest.server_state.connections and time.monotonic() < until:
            time.sleep(0.01)
        self._rest.should_exit = True
        stopped = self._grpc.stop(self._settings.grace_seconds)
        self._rest_thread.join()
        stopped.wait()
        self._executor.shutdown()
        self.store.stop()
        if self._scheduler:
            self._scheduler.stop()

    def _stop_accepting(self) -> None:
        """Takes the connections that REST's clients have opened already, and no others: closing the socket
        would reset those that wait to be taken.
        """

        async def stop(servers: list[asyncio.Server]) -> None:
            self._socket.listen(0)
            await asyncio.sleep(_ACCEPTING_SECONDS)
            for server in servers:
                server.close()

        servers = getattr(self._rest, "servers", [])
        if servers:
            asyncio.run_coroutine_threadsafe(stop(servers), servers[0].get_loop()).result()

    def _timed(self, load: Load) -> Load:
        metrics, name = self._observer.metrics, self._settings.name

        def timed(version: int, folder: pathlib.Path) -> Servable:
            started, seconds = time.perf_counter(), None
            try:
                servable = load(version, folder)
                seconds = time.perf_counter() - started
            finally:
                metrics.loaded(str(folder), seconds)
            servable = servable._replace(ran=functools.partial(metrics.ran, name))
            return batched(servable, self._scheduler) if self._scheduler else servable

        return timed

    def _telling_health(self, report: Callable[[str], None]) -> Callable[[str], None]:
        def told(line: str) -> None:
            self._tell_health()
            report(line)

        return told

    def _tell_health(self) -> None:
        """What gRPC's health service says of the server, of its service, and of the model."""
        ready = self.store.is_ready()
        state = HealthCheckResponse.SERVING if ready else HealthCheckResponse.NOT_SERVING
        for service in ("", PREDICTION_SERVICE, INFERENCE_SERVICE, self._settings.name):
            self._health.set(service, state)


def stop_signal() -> threading.Event:
    """An event that SIGTERM and SIGINT set, from now on."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    return stopping


def _grpc_server(
    store: ModelStore, settings: Settings, observer: Observer, healthy: health.HealthServicer
) -> grpc.Server:
    options = [
        ("grpc.max_receive_message_length", settings.limits.request_bytes),
        ("grpc.max_send_message_length", -1),
        (
            "grpc.so_reuseport",
            0,
        ),  # otherwise a second server on the port would share its requests without a word
    ]
    # A stream holds a thread from its first byte on, so that clients that send slowly need many.
    threads = ThreadPoolExecutor(MAX_CONNECTED, "grpc")
    turns = Turns(Admission(MAX_WAITING, settings.limits.held_bytes), settings.handlers)
    server = grpc.server(
        threads, interceptors=[turns], options=options, maximum_concurrent_rpcs=MAX_CONNECTED
    )
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
        PredictionService(store, settings.limits, observer), server
    )
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(ModelService(store, observer), server)
    health_pb2_grpc.add_HealthServicer_to_server(healthy, server)
    return server


def _bind(server: grpc.Server, settings: Settings) -> int:
    try:
        return server.add_insecure_port(f"{settings.host}:{settings.port}")
    except RuntimeError:
        raise ValueError(
            f"`port`: must be free; {settings.host}:{settings.port} is not. Pass another one."
        ) from None


def _listen(host: str, port: int) -> socket.socket:
    try:
        listening = socket.create_server((host, port), backlog=MAX_CONNECTED)
    except OSError as error:
        raise ValueError(
            f"`rest_port`: must be free; {host}:{port} is not ({error.strerror}). Pass another one."
        ) from None
    # Connections inherit it. asyncio sets it for sockets that name their protocol, which this one does not;
    # without, the second part of an answer on a kept-alive connection waits 40 ms for an acknowledgement.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening
