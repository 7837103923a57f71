"""`python bare.py KIND ARTIFACT REQUESTS ANSWERS`: runs signatures in the runtime of any environment.

KIND is `saved_model` or `bundle`, ARTIFACT a version folder or a .tflite. REQUESTS is JSON, {label: {input:
array}}, each array as `pack` writes it; a label is a signature, or a signature, `/` and a number. ANSWERS
gets the versions, the same of the outputs, and under `errors` the first line of what failed, by label or for
all of them as `load`. It imports nothing of this project, so that a bare environment will do.
"""

import base64
import importlib
import importlib.metadata
import importlib.util
import json
import pathlib
import platform
import sys

import numpy as np

INTERPRETERS = (
    "ai_edge_litert.interpreter",
    "tflite_runtime.interpreter",
    "tensorflow.lite.python.interpreter",
)
"""Modules that have an Interpreter: the first that is installed runs bundles."""
PACKAGES = ("tensorflow", "tensorflow-text", "ai-edge-litert", "tflite-runtime")


def pack(array):
    """An array as JSON can hold it: dtype, base64, shape."""
    array = np.asarray(array)
    strings = array.dtype.kind in "OSU"
    raw = (
        json.dumps([base64.b64encode(item).decode() for item in array.ravel()]).encode()
        if strings
        else array.tobytes()
    )
    return ["string" if strings else array.dtype.name, base64.b64encode(raw).decode(), list(array.shape)]


def unpack(packed):
    """The array of `pack`."""
    dtype, encoded, shape = packed
    raw = base64.b64decode(encoded)
    if dtype == "string":
        flat = np.empty(int(np.prod(shape, dtype=int)), object)
        flat[:] = [base64.b64decode(item) for item in json.loads(raw)]
        return flat.reshape(shape)
    return np.frombuffer(raw, dtype).reshape(shape)


def versions():
    """Of Python, NumPy and the runtimes that are installed."""
    found = {"python": platform.python_version(), "numpy": np.__version__}
    installed = {each.metadata["Name"].lower(): each.version for each in importlib.metadata.distributions()}
    return found | {name: installed[name] for name in PACKAGES if name in installed}


def saved_model(folder):
    """A function from a signature and its inputs to its outputs."""
    import tensorflow as tf

    if importlib.util.find_spec("tensorflow_text"):
        importlib.import_module("tensorflow_text")
    signatures = tf.saved_model.load(folder).signatures

    def run(name, inputs):
        found = signatures[name](**{key: tf.constant(value) for key, value in inputs.items()})
        return {key: value.numpy() for key, value in found.items()}

    return run


def bundle(model):
    """The same of a .tflite."""
    name = next(name for name in INTERPRETERS if importlib.util.find_spec(name.partition(".")[0]))
    interpreter = importlib.import_module(name).Interpreter(model)
    return lambda name, inputs: interpreter.get_signature_runner(name)(**inputs)


def answered(load, requests):
    """Outputs by label, and what failed."""
    outputs, errors = {}, {}
    try:
        run = load()
    except Exception as error:
        return outputs, {"load": first_line(error)}
    for label, inputs in requests.items():
        arrays = {key: unpack(value) for key, value in inputs.items()}
        try:
            found = run(label.partition("/")[0], arrays)
            outputs[label] = {key: pack(value) for key, value in found.items()}
        except Exception as error:
            errors[label] = first_line(error)
    return outputs, errors


def first_line(error):
    """What an exception says first, or the one that it comes from."""
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def main(kind, artifact, requests, answers):
    """Loads, runs and writes."""
    load = {"saved_model": saved_model, "bundle": bundle}[kind]
    outputs, errors = answered(lambda: load(artifact), json.loads(pathlib.Path(requests).read_text()))
    document = {"versions": versions(), "outputs": outputs, "errors": errors}
    pathlib.Path(answers).write_text(json.dumps(document))


if __name__ == "__main__":
    main(*sys.argv[1:])
