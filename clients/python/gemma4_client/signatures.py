"""What a model takes and gives, as its server says."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from gemma4_client.messages import MESSAGES
from gemma4_client.tensor import NAMES

_INTERNAL = "__"
"""What TensorFlow's own names begin with, such as `__saved_model_init_op`."""
SIGNATURE_DEF = "signature_def"
"""The one metadata field that servers have."""


class Spec(NamedTuple):
    """Dtype and dims of a tensor; None is a dim that a request chooses, and of a tensor of any rank."""

    dtype: str
    shape: tuple[int | None, ...] | None

    def __str__(self) -> str:
        if self.shape is None:
            return f"{self.dtype} of any rank"
        return f"{self.dtype} [{', '.join('?' if size is None else str(size) for size in self.shape)}]"


class Signature(NamedTuple):
    """Inputs and outputs of a signature, by name."""

    inputs: Mapping[str, Spec]
    outputs: Mapping[str, Spec]


def read_signatures(response: Any) -> dict[str, Signature]:
    """The signatures of a GetModelMetadataResponse, by name."""
    table = MESSAGES["SignatureDefMap"].FromString(response.metadata[SIGNATURE_DEF].value)
    return {
        name: Signature(_specs(definition.inputs), _specs(definition.outputs))
        for name, definition in sorted(table.signature_def.items())
        if not name.startswith(_INTERNAL)
    }


def _specs(infos: Mapping[str, Any]) -> dict[str, Spec]:
    return {name: _spec(info) for name, info in sorted(infos.items())}


def _spec(info: Any) -> Spec:
    dtype = NAMES.get(info.dtype, f"dtype {info.dtype}")
    if info.tensor_shape.unknown_rank:
        return Spec(dtype, None)
    return Spec(dtype, tuple(None if dim.size < 0 else dim.size for dim in info.tensor_shape.dim))
