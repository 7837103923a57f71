"""An export in TensorFlow's C API, in an interpreter that cannot import tensorflow: every signature, both
engines.
"""

import pathlib
import pickle
import subprocess
import sys

import pytest
import tensorflow as tf
import tensorflow_text
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

import graph_ops
from export.saved_model import run as running
from export.saved_model.write import export_saved_model
from tests.comparing import assert_same
from tests.data import DEMONSTRATION
from tools.across_tensorflows import requests

FRAMEWORK = pathlib.Path(tf.__file__).with_name("libtensorflow_cc.so.2")
SENTENCEPIECE = (
    pathlib.Path(tensorflow_text.__file__).parent / "python" / "ops" / "_sentencepiece_tokenizer.so"
)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["sentencepiece", pytest.param("builtin", marks=pytest.mark.release)])
def test_every_signature_gives_the_same_through_the_c_api(engine, demo, tmp_path):
    inputs, folder = requests(), demo / "gemma4" / "1"
    if engine == "builtin":
        tokenizer = graph_ops.Gemma4Tokenizer(DEMONSTRATION, engine=engine)
        converters = graph_ops.Gemma4ImageConverter(), graph_ops.Gemma4AudioConverter()
        folder = export_saved_model(
            graph_ops.Gemma4CausalLMPreprocessor(tokenizer, *converters), tmp_path / "model"
        )
    definitions = SavedModel.FromString((folder / "saved_model.pb").read_bytes()).meta_graphs[0].signature_def
    loaded = running.load(folder)
    assert set(inputs) == set(loaded.signatures)
    calls = [
        {
            "inputs": {definitions[name].inputs[key].name: array for key, array in given.items()},
            "outputs": {key: tensor.name for key, tensor in definitions[name].outputs.items()},
        }
        for name, given in inputs.items()
    ]
    job = {"framework": str(FRAMEWORK), "folder": str(folder), "calls": calls}
    job["libraries"] = [str(SENTENCEPIECE)] if engine == "sentencepiece" else []
    (tmp_path / "job").write_bytes(pickle.dumps(job))
    script = pathlib.Path(__file__).with_name("c_api.py")
    subprocess.run(
        [sys.executable, str(script), str(tmp_path / "job"), str(tmp_path / "answer")],
        check=True,
        capture_output=True,
    )
    answers = pickle.loads((tmp_path / "answer").read_bytes())
    for (name, given), answer in zip(inputs.items(), answers, strict=True):
        expected = loaded.signatures[name](**{key: tf.constant(array) for key, array in given.items()})
        assert expected.keys() == answer.keys()
        for key, tensor in expected.items():
            assert_same(answer[key], tensor.numpy(), key)
