"""What the protocol says of a server and of its model: names, versions, tensors, whether they are ready."""

import contextlib
import importlib.metadata
from collections.abc import Iterator
from typing import NamedTuple

import grpc

from export.serving.refusals import Refusal, not_found
from export.serving.store import ModelStore, Servable
from export.serving.v2.inference import signature_of, tensors_metadata

SERVER = "gemma4-graph"
EXTENSIONS = ("binary_tensor_data",)
PLATFORM = "tensorflow_savedmodel"
"""The protocol's word for a SavedModel."""
_MAX_VERSION = (1 << 63) - 1

Tensor = tuple[str, str, list[int]]
"""Name, datatype, shape."""


class ModelMetadata(NamedTuple):
    """What the metadata of a model say, of one signature."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[Tensor]
    outputs: list[Tensor]


def server_version() -> str:
    """The version of this project; "" where it runs without being installed."""
    try:
        return importlib.metadata.version(SERVER)
    except importlib.metadata.PackageNotFoundError:
        return ""


@contextlib.contextmanager
def chosen(store: ModelStore, name: str, version: str) -> Iterator[Servable]:
    """The servable of a model's version, kept loaded inside the block.

    Args:
        store: the model's versions.
        name: of the model.
        version: its number; a label, for the version that it stands for; or "" for the highest.

    Raises:
        Refusal: there is no such model or version, or it is still loading.
    """
    if not version:
        choice: dict[str, int | str] = {}
    elif version.isascii() and version.isdecimal():
        choice = {"version": min(int(version[:20]), _MAX_VERSION)}
    else:
        choice = {"label": version}
    with contextlib.ExitStack() as stack:
        try:
            servable = stack.enter_context(store.use(name, **choice))  # type: ignore[arg-type]
        except Refusal as refusal:
            if refusal.code is grpc.StatusCode.INVALID_ARGUMENT:  # no such label
                raise not_found(refusal.message) from None
            raise
        yield servable


def is_model_ready(store: ModelStore, name: str, version: str) -> bool:
    """Whether a model's version answers; False while it is loading.

    Raises:
        Refusal: there is no such model or version.
    """
    try:
        with chosen(store, name, version):
            return True
    except Refusal as refusal:
        if refusal.code is grpc.StatusCode.UNAVAILABLE:
            return False
        raise


def model_metadata(store: ModelStore, name: str, version: str, signature: str = "") -> ModelMetadata:
    """The metadata of a signature, by default of the default one.

    Raises:
        Refusal: there is no such model, version or signature.
    """
    with chosen(store, name, version) as servable:
        found = servable.signature_defs[signature_of(servable, signature)]
        inputs, outputs = (list(tensors_metadata(side)) for side in (found.inputs, found.outputs))
    versions = [str(number) for number, state, _ in store.states(name) if state == "AVAILABLE"]
    return ModelMetadata(name, versions, PLATFORM, inputs, outputs)
