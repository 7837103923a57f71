"""Writing a LiteRT bundle: one .tflite with every signature, in builtin ops only, and a JSON file that
describes it.
"""

import collections
import json
import os
import pathlib
import tempfile
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from export.litert.buckets import Buckets
from export.litert.compact import compact
from export.litert.gathers import use_gather
from export.litert.signatures import describe_output, device_signatures
from export.media import MEDIA_IN_EXPORTS
from export.publish import Report, check_new, publish
from export.saved_model.write import describe_settings
from export.signature import Signature, trace_signatures, variables_used
from export.tensorflow_formats import schema
from graph_ops import Gemma4CausalLMPreprocessor
from graph_ops.faults import SENTENCES
from graph_ops.file_types import describe_types
from graph_ops.settings import Settings

MODEL = "preprocessor.tflite"
DESCRIPTION = "signatures.json"
VOCABULARY = "vocabulary.spm"
"""For `gemma4-graph run` and `verify`; devices do not need it."""


def export_litert(
    preprocessor: Gemma4CausalLMPreprocessor,
    out: "str | os.PathLike[str]",
    *,
    buckets: Buckets | None = None,
    max_soft_tokens_input: bool = False,
    report: Report = lambda _: None,
) -> pathlib.Path:
    """Writes the folder `out` with the model, its description and the vocabulary.

    Args:
        preprocessor: what to export; its tokenizer's engine must be "builtin".
        out: folder; must not exist.
        buckets: fixed sizes of inputs, for browsers; None for sizes that vary.
        max_soft_tokens_input: whether signatures that take images take `max_soft_tokens` too.
        report: called with a line before each slow step.

    Returns:
        The folder.

    Raises:
        ValueError: the tokenizer's engine, or an op that LiteRT lacks.
        FileExistsError: the folder is there already.
    """
    table = device_signatures(preprocessor.settings, buckets, max_soft_tokens_input=max_soft_tokens_input)
    return write_bundle(preprocessor, table, out, report)


def write_bundle(
    preprocessor: Gemma4CausalLMPreprocessor,
    table: dict[str, Signature],
    out: "str | os.PathLike[str]",
    report: Report,
) -> pathlib.Path:
    """Converts a table of signatures and writes the folder `out`, under a hidden name until it is whole."""
    target = pathlib.Path(out).expanduser()
    check_new(target, argument="out")

    def write(folder: pathlib.Path) -> None:
        model = convert(trace_signatures(table, report), report, scratch=folder)
        report("writing")
        (folder / MODEL).write_bytes(model)
        (folder / VOCABULARY).write_bytes(preprocessor.tokenizer.proto)
        description = json.dumps(_description(preprocessor, table, model), indent=2)
        (folder / DESCRIPTION).write_text(description + "\n")

    return publish(target, write, report)


def convert(
    functions: dict[str, Any], report: Report = lambda _: None, *, scratch: pathlib.Path | None = None
) -> bytes:
    """A .tflite with these concrete functions as signatures.

    Args:
        functions: by the signature's name.
        report: called with a line before each slow step.
        scratch: folder for what lies between; by default the system's.

    Raises:
        ValueError: an op that is not a LiteRT builtin; names all.
    """
    module = tf.Module()
    module.functions = functions
    module.weights = variables_used(functions)
    with tempfile.TemporaryDirectory(dir=scratch) as saved:
        report("saving")
        tf.saved_model.save(module, saved, signatures=functions)
        use_gather(pathlib.Path(saved))
        report("converting")
        converter = tf.lite.TFLiteConverter.from_saved_model(saved, signature_keys=list(functions))
        converter.exclude_conversion_metadata = True  # which nothing reads, and takes seconds to add
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        model = compact(converter.convert())
    if foreign := [op for op in count_ops(model) if op.startswith(_CUSTOM)]:
        raise ValueError(
            f"`preprocessor`: its graph must hold LiteRT's builtin ops only; it also holds {foreign}."
        )
    return model


_CUSTOM = "custom:"


def count_ops(model: bytes) -> dict[str, int]:
    """How often each op stands in a .tflite, by builtin name, or by `custom:` and its own."""
    names = {value: name for name, value in vars(schema.BuiltinOperator).items() if isinstance(value, int)}
    parsed = schema.Model.GetRootAs(model, 0)
    codes = [_op_name(code, names) for code in _each(parsed.OperatorCodes, parsed.OperatorCodesLength())]
    counts = collections.Counter(
        codes[op.OpcodeIndex()]
        for graph in _each(parsed.Subgraphs, parsed.SubgraphsLength())
        for op in _each(graph.Operators, graph.OperatorsLength())
    )
    return dict(sorted(counts.items()))


def _each(entry: Callable[[int], Any], length: int) -> list[Any]:
    """A list in a .tflite, read in place: to unpack a whole model takes seconds."""
    return [entry(index) for index in range(length)]


def _op_name(code: Any, names: dict[int, str]) -> str:
    number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
    return f"{_CUSTOM}{code.CustomCode().decode()}" if code.CustomCode() else names[number]


def _description(
    preprocessor: Gemma4CausalLMPreprocessor, table: dict[str, Signature], model: bytes
) -> dict[str, Any]:
    return {
        "model": MODEL,
        "bytes": len(model),
        "signatures": _described(table, schema.Model.GetRootAs(model, 0)),
        "statuses": {0: ""} | {int(code): sentence for code, sentence in SENTENCES.items()},
        "ops": count_ops(model),
        "files": _files(preprocessor.settings),
        "file_types": describe_types(),
        **describe_settings(preprocessor),
    }


def _files(settings: Settings) -> dict[str, Any]:
    """What an app that decodes files must know, by the medium's name."""
    return {
        each.medium.name: MEDIA_IN_EXPORTS[each.medium.name].describe_files(each.config, settings.row.parity)
        for each in settings.media
    }


def _described(table: dict[str, Signature], model: Any) -> dict[str, Any]:
    """Dtype and shape of each signature's tensors as they are in the model, null where a size varies."""
    described = {}
    for definition in _each(model.SignatureDefs, model.SignatureDefsLength()):
        key, graph = definition.SignatureKey().decode(), model.Subgraphs(definition.SubgraphIndex())
        signature = table[key]
        given = _tensors(graph, definition.Inputs, definition.InputsLength())
        returned = _tensors(graph, definition.Outputs, definition.OutputsLength())
        described[key] = {
            "meaning": signature.meaning,
            "inputs": {
                name: _tensor(given[name], signature.inputs[name].meaning) for name in signature.inputs
            },
            "outputs": {name: _tensor(returned[name], describe_output(name)) for name in signature.outputs},
        }
    return {name: described[name] for name in table}


def _tensors(graph: Any, entry: Callable[[int], Any], length: int) -> dict[str, Any]:
    """A graph's tensors by the names that a signature gives them."""
    return {each.Name().decode(): graph.Tensors(each.TensorIndex()) for each in _each(entry, length)}


_DTYPES = {
    schema.TensorType.FLOAT32: "float32",
    schema.TensorType.INT32: "int32",
    schema.TensorType.UINT8: "uint8",
}
"""What LiteRT.js takes and gives; a signature has no other."""


def _tensor(tensor: Any, meaning: str) -> dict[str, Any]:
    sizes = tensor.ShapeAsNumpy() if tensor.ShapeSignatureIsNone() else tensor.ShapeSignatureAsNumpy()
    return {
        "dtype": _DTYPES[tensor.Type()],
        "shape": [None if size < 0 else int(size) for size in sizes],
        "meaning": meaning,
    }
