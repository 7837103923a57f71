"""An export in TensorFlow's C API, in an interpreter that cannot import tensorflow: every signature, both
engines.
"""

import pathlib
import pickle
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_text
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

import graph_ops
from export.saved_model import run as running
from export.saved_model.write import export_saved_model
from export.verify import samples
from tests.comparing import assert_same
from tests.data import DEMONSTRATION

FRAMEWORK = pathlib.Path(tf.__file__).with_name("libtensorflow_cc.so.2")
SENTENCEPIECE = (
    pathlib.Path(tensorflow_text.__file__).parent / "python" / "ops" / "_sentencepiece_tokenizer.so"
)


def strings(*rows):
    return np.array(rows, object)


@pytest.fixture(scope="module")
def inputs(photo, speech):
    """Inputs of each signature: good rows beside faulty ones."""
    prompts = strings(b"see <|image|>", b"nothing", b"hear <|audio|>", b"<|image|>")
    images, audio = strings([photo], [b""], [b""], [b"no image"]), strings([b""], [b""], [speech], [b""])
    pixels = samples.pixels(50, 70)
    arrays = {
        "images": np.stack([pixels] * 4)[:, np.newaxis],
        "image_sizes": np.array([[[50, 70]], [[0, 0]], [[0, 0]], [[40, 70]]], np.int32),
        "audio": np.stack([samples.sounds(9_000)["sweep"]] * 4)[:, np.newaxis],
        "audio_lengths": np.array([[0], [0], [8_000], [0]], np.int32),
    }
    ids = np.array([[5, 300, 4095], [2, 1, 7]], np.int32)
    given = {
        "generate_preprocess_text": {
            "prompts": strings(b"This is a test.", "日本\xff".encode("latin1", "replace"), b"")
        },
        "generate_preprocess_image": {"prompts": prompts, "images": images},
        "generate_preprocess_audio": {"prompts": prompts, "audio": audio},
        "generate_preprocess": {"prompts": prompts, "images": images, "audio": audio},
        "generate_preprocess_arrays": {"prompts": prompts, **arrays},
        "preprocess": {
            "prompts": prompts,
            "responses": strings(b"a cup", b"", b"he says", b"x"),
            "images": images,
            "audio": audio,
        },
        "generate_postprocess": {
            "token_ids": ids,
            "padding_mask": np.array([[True, True, True], [True, False, True]]),
        },
        "tokenize": {"text": strings(b"This is a test.", b"", b"\xff\xfe bytes")},
        "detokenize": {"token_ids": ids, "lengths": np.array([3, 2], np.int32)},
    }
    return given | {"serving_default": given["generate_preprocess"]}


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["sentencepiece", "builtin"])
def test_every_signature_gives_the_same_through_the_c_api(engine, inputs, tmp_path):
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
