"""What a bundle asks of a LiteRT: read from the .tflite, which is not loaded."""

import os
import pathlib
from collections import Counter
from typing import Any

from export.artifact import OpUse, Requirements
from export.litert.write import MODEL
from export.tensorflow_formats import schema

MIN_RUNTIME = "min_runtime_version"
"""Metadata in which the converter writes the oldest TensorFlow Lite that has all ops in these versions."""
_NAMES = {value: name for name, value in vars(schema.BuiltinOperator).items() if not name.startswith("_")}


def read_requirements(folder: "str | os.PathLike[str]") -> Requirements:
    """Versions and ops of a bundle.

    A runtime takes an op up to the newest version of it that it knows.

    Raises:
        FileNotFoundError: there is no .tflite.
    """
    model = schema.ModelT.InitFromPackedBuf(pathlib.Path(folder, MODEL).read_bytes(), 0)
    codes = model.operatorCodes
    counts = Counter(op.opcodeIndex for graph in model.subgraphs for op in graph.operators or ())
    uses = [OpUse(_name(codes[index]), codes[index].version, count) for index, count in counts.items()]
    facts: dict[str, str | int] = {"schema_version": model.version, MIN_RUNTIME: _min_runtime(model)}
    foreign = {code.customCode.decode() for code in codes if code.customCode}
    return Requirements(facts, sorted(uses), sorted(foreign))


def _name(code: Any) -> str:
    if code.customCode:
        return code.customCode.decode()
    return _NAMES[max(code.builtinCode, code.deprecatedBuiltinCode)]


def _min_runtime(model: Any) -> str:
    for metadata in model.metadata or ():
        if metadata.name.decode() == MIN_RUNTIME:
            return model.buffers[metadata.buffer].data.tobytes().rstrip(b"\0").decode()
    return "unknown"
