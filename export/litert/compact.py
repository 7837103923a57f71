"""A .tflite without the bytes that no runtime reads.

The converter gives each tensor a name, a description of its quantization and a buffer of its own, and writes
each list of numbers anew: an eighth of a bundle, most of it for tensors inside that nobody asks for. Here

* only inputs and outputs keep their names;
* a quantization that says nothing goes;
* tensors without data share the one empty buffer that the format sets aside for them;
* of equal lists of numbers, such as shapes, one is written.

Constants stay where they can be used in place: at multiples of 16 bytes, as `force_align` in the schema says.
"""

from typing import Any

import flatbuffers
import numpy as np

from export.litert import constants
from export.tensorflow_formats import schema

_ALIGNMENT = 16
_IDENTIFIER = b"TFL3"


def compact(model: bytes) -> bytes:
    """The same model in fewer bytes."""
    parsed = schema.ModelT.InitFromPackedBuf(model, 0)
    constants.move_in(parsed)
    for graph in parsed.subgraphs:
        ends = {*graph.inputs, *graph.outputs}
        for place, tensor in enumerate(graph.tensors):
            tensor.name = tensor.name if place in ends else None
            tensor.quantization = tensor.quantization if _says(tensor.quantization) else None
    _share_empty_buffer(parsed)
    builder = _Builder(len(model))
    builder.Finish(parsed.Pack(builder), file_identifier=_IDENTIFIER)
    return bytes(builder.Output())


def _says(quantization: Any) -> bool:
    said = ("scale", "zeroPoint", "min", "max", "details")
    return quantization is not None and any(getattr(quantization, name) is not None for name in said)


def _share_empty_buffer(model: Any) -> None:
    """Buffer 0 is empty; tensors, and the metadata, are numbered anew by the buffers that hold something."""
    full = [number for number, buffer in enumerate(model.buffers) if number and _holds(buffer)]
    numbers = {old: new for new, old in enumerate(full, start=1)}
    for each in (*(tensor for graph in model.subgraphs for tensor in graph.tensors), *(model.metadata or ())):
        each.buffer = numbers.get(each.buffer, 0)
    model.buffers = [model.buffers[number] for number in (0, *full)]
    model.metadataBuffer = None


def _holds(buffer: Any) -> bool:
    return buffer.data is not None and len(buffer.data) > 0


class _Builder(flatbuffers.Builder):
    """Writes equal vectors once, and bytes where they can be read as numbers."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self._vectors: dict[tuple[str, bytes], int] = {}

    def CreateNumpyVector(self, x: np.ndarray) -> int:
        key = (x.dtype.str, x.tobytes())
        if key not in self._vectors:
            if x.dtype == np.uint8:
                self.Prep(_ALIGNMENT, x.nbytes)
            self._vectors[key] = super().CreateNumpyVector(x)
        return self._vectors[key]
