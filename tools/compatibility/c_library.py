"""A SavedModel in the C library of a TensorFlow wheel, in a process that cannot import TensorFlow."""

import pathlib
import pickle
import subprocess
import sys

import numpy as np

from export.tensorflow_formats import SavedModel
from tools.compatibility.requests import Arrays

SCRIPT = pathlib.Path(__file__).with_name("c_api.py")


def run_c_library(
    packages: pathlib.Path, folder: pathlib.Path, requests: Arrays
) -> dict[str, dict[str, np.ndarray]]:
    """Outputs of every signature.

    Args:
        packages: a folder with the packages tensorflow and tensorflow_text.
        folder: DIR/N of the export.
        requests: inputs by signature.

    Raises:
        ValueError: with the library's own words, where it does not load or run the export.
    """
    ops = SavedModel.FromString((folder / "saved_model.pb").read_bytes()).meta_graphs[0]
    definitions = ops.signature_def
    calls = [
        {
            "inputs": {definitions[name].inputs[key].name: array for key, array in given.items()},
            "outputs": {key: tensor.name for key, tensor in definitions[name].outputs.items()},
        }
        for name, given in requests.items()
    ]
    needs_text = any("Sentencepiece" in op.name for op in ops.meta_info_def.stripped_op_list.op)
    text = packages / "tensorflow_text" / "python" / "ops" / "_sentencepiece_tokenizer.so"
    job = {
        "framework": str(packages / "tensorflow" / "libtensorflow_cc.so.2"),
        "libraries": [str(text)] if needs_text else [],
        "folder": str(folder),
        "calls": calls,
    }
    command = [sys.executable, "-I", str(SCRIPT)]
    process = subprocess.run(command, input=pickle.dumps(job), capture_output=True)
    if process.returncode:
        raise ValueError(process.stderr.decode(errors="replace").strip().splitlines()[-1])
    return dict(zip(requests, pickle.loads(process.stdout), strict=True))
