"""`python run_signatures.py FOLDER REQUESTS ANSWERS`: runs signatures of a SavedModel, in any TensorFlow.

REQUESTS is JSON, {signature: {input: array}}, each array as `pack` writes it. ANSWERS gets the same of the
outputs, and the versions. It imports nothing of this project, so that a bare environment will do.
"""

import base64
import contextlib
import json
import pathlib
import platform
import sys

import numpy as np


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


def main(folder, requests, answers):
    """Loads, runs and writes."""
    import tensorflow as tf

    versions = {"python": platform.python_version(), "numpy": np.__version__, "tensorflow": tf.__version__}
    with contextlib.suppress(ImportError):
        import tensorflow_text

        versions["tensorflow-text"] = tensorflow_text.__version__
    module = tf.saved_model.load(folder)
    outputs = {
        name: module.signatures[name](**{key: tf.constant(unpack(value)) for key, value in inputs.items()})
        for name, inputs in json.loads(pathlib.Path(requests).read_text()).items()
    }
    packed = {
        name: {key: pack(value.numpy()) for key, value in output.items()} for name, output in outputs.items()
    }
    pathlib.Path(answers).write_text(json.dumps({"versions": versions, "outputs": packed}))


if __name__ == "__main__":
    main(*sys.argv[1:])
