"""Requests observed: counted, timed and written down, without what they hold."""

import contextlib
import datetime
import json
import logging
import re
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import grpc

from export.serving.metrics import API, Metrics
from export.serving.refusals import Refusal

LOG = logging.getLogger("gemma4_graph.requests")
"""A line of JSON for each request, at level INFO."""
INFER = "ModelInfer"
"""A prediction by the Open Inference Protocol; it is counted as one by TF Serving's API."""
REQUEST_ID = "x-request-id"
"""Header, or metadata key in gRPC, of a request's id; an answer has it too."""
_ID = re.compile(r"[\w.:/+=-]{1,128}", re.ASCII)


@dataclass
class Call:
    """One request, as far as it is known.

    Attributes:
        id: the client's, or a new one if it sent none or one that is no plain word.
        entrypoint: "GRPC" or "REST".
        method: what is asked for, as gRPC names it: "Predict", "GetModelMetadata", ….
        model: name in the request.
        signature: name of the signature that runs.
        version: of the model that answers.
        request_bytes: size of the body or message.
        answer_bytes: size of the answer.
        code: how it ended.
        is_awaited: whether the client still waits.
    """

    id: str
    entrypoint: str
    method: str = ""
    model: str = ""
    signature: str = ""
    version: int | None = None
    request_bytes: int = 0
    answer_bytes: int = 0
    code: grpc.StatusCode = grpc.StatusCode.OK
    is_awaited: Callable[[], bool] = lambda: True
    started: float = field(default_factory=time.perf_counter)


def request_id(sent: str | bytes | None) -> str:
    """The id that a client sent, or a new one."""
    text = sent.decode("latin-1") if isinstance(sent, bytes) else sent or ""
    return text if _ID.fullmatch(text) else uuid.uuid4().hex


class Observer:
    """Observes the requests of a server.

    Args:
        metrics: where they are counted.
        model: the one name that metrics have as a label; others have an empty one, since a client may send as
            many names as it likes.
    """

    def __init__(self, metrics: Metrics, model: str) -> None:
        self.metrics, self._model = metrics, model

    @contextlib.contextmanager
    def observed(self, call: Call) -> Iterator[Call]:
        """A block that answers a request; what is raised in it says how it ended."""
        try:
            yield call
        except Refusal as refusal:
            call.code = refusal.code
            raise
        except Exception:
            call.code = grpc.StatusCode.INTERNAL
            raise
        finally:
            self._note(call, time.perf_counter() - call.started)

    def _note(self, call: Call, seconds: float) -> None:
        if call.method in (API, INFER):
            model = call.model if call.model == self._model else ""
            self.metrics.requested(model, call.entrypoint, call.code, seconds)
        if LOG.isEnabledFor(logging.INFO):
            LOG.info(_line(call, seconds))


def _line(call: Call, seconds: float) -> str:
    known = {
        "time": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds"),
        "id": call.id,
        "entrypoint": call.entrypoint,
        "method": call.method,
        "model": call.model[:100],
        "version": call.version,
        "signature": call.signature[:100],
        "status": call.code.name,
        "ms": round(seconds * 1e3, 3),
        "request_bytes": call.request_bytes,
        "answer_bytes": call.answer_bytes,
    }
    return json.dumps({name: value for name, value in known.items() if value not in ("", None)})
