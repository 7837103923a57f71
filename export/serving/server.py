"""The embedded server: one model, its versions, both protocols, and an orderly end.

It is for development and tests, where TF Serving's binary or image is not at hand. It speaks TF Serving's two
protocols, but it does not batch requests of different clients, knows one model, and has neither TLS nor
metrics.
"""

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
from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc

from export.serving.grpc_service import ModelService, PredictionService
from export.serving.prediction import Limits, load_servable
from export.serving.rest import application
from export.serving.store import Choice, ModelStore, Servable
from export.serving_configuration import check_model_folder

GRPC, REST = 8500, 8501
"""Ports of TF Serving's image."""
MAX_WAITING = 256
"""Requests under way or waiting, for each protocol; more are turned away as unavailable."""


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
        load: Callable[[int, pathlib.Path], Servable] | None = None,
    ) -> None:
        check_model_folder(settings.folder)
        self._settings = settings
        self._socket = _listen(settings.host, settings.rest_port)
        load = load or functools.partial(load_servable, warm=settings.warm)
        self.store = ModelStore(settings.name, settings.folder, load, settings.choice, report)
        self._grpc = _grpc_server(self.store, settings)
        self.port = _bind(self._grpc, settings)
        self.rest_port: int = self._socket.getsockname()[1]
        self._executor = ThreadPoolExecutor(settings.threads, "rest")
        config = uvicorn.Config(
            application(self.store, settings.limits, self._executor),
            log_level="error",
            access_log=False,
            lifespan="off",
            ws="none",
            server_header=False,
            limit_concurrency=MAX_WAITING,
            timeout_graceful_shutdown=max(1, round(settings.grace_seconds)),
        )
        self._rest = uvicorn.Server(config)
        self._rest_thread = threading.Thread(
            target=self._rest.run, args=([self._socket],), name="rest", daemon=True
        )

    def start(self) -> None:
        """Loads the versions that are there, then takes requests.

        Raises:
            ValueError: none of them could be loaded.
        """
        self.store.refresh()
        serving = [
            version for version, state, _ in self.store.states(self._settings.name) if state == "AVAILABLE"
        ]
        if not serving:
            errors = "; ".join(str(error) for _, _, error in self.store.states(self._settings.name) if error)
            raise ValueError(f"`folder`: must hold a version that loads; got {errors}. Export it again.")
        self.store.watch(every_seconds=self._settings.poll_seconds)
        self._grpc.start()
        self._rest_thread.start()
        while not self._rest.started and self._rest_thread.is_alive():
            time.sleep(0.01)

    def stop(self) -> None:
        """Takes no new requests, waits for those under way as long as the settings say, and ends."""
        self._rest.should_exit = True
        stopped = self._grpc.stop(self._settings.grace_seconds)
        self._rest_thread.join()
        stopped.wait()
        self._executor.shutdown()
        self.store.stop()


def stop_signal() -> threading.Event:
    """An event that SIGTERM and SIGINT set, from now on."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    return stopping


def _grpc_server(store: ModelStore, settings: Settings) -> grpc.Server:
    options = [
        ("grpc.max_receive_message_length", settings.limits.request_bytes),
        ("grpc.max_send_message_length", -1),
        (
            "grpc.so_reuseport",
            0,
        ),  # otherwise a second server on the port would share its requests without a word
    ]
    threads = ThreadPoolExecutor(settings.threads, "grpc")
    server = grpc.server(threads, options=options, maximum_concurrent_rpcs=MAX_WAITING)
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
        PredictionService(store, settings.limits), server
    )
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(ModelService(store), server)
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
        listening = socket.create_server((host, port), backlog=MAX_WAITING)
    except OSError as error:
        raise ValueError(
            f"`rest_port`: must be free; {host}:{port} is not ({error.strerror}). Pass another one."
        ) from None
    # Connections inherit it. asyncio sets it for sockets that name their protocol, which this one does not;
    # without, the second part of an answer on a kept-alive connection waits 40 ms for an acknowledgement.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening
