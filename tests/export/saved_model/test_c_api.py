"""An export in TensorFlow's C API, in an interpreter that cannot import tensorflow: every signature, both
engines.
"""

import pathlib

import pytest
import tensorflow as tf

import graph_ops
from export.saved_model import run as running
from export.saved_model.write import export_saved_model
from export.tensorflow_formats import SavedModel
from tests.comparing import assert_same
from tests.data import DEMONSTRATION
from tools.compatibility.c_library import run_c_library
from tools.compatibility.requests import saved_model_requests

PACKAGES = pathlib.Path(tf.__file__).parents[1]


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["sentencepiece", pytest.param("builtin", marks=pytest.mark.release)])
def test_every_signature_gives_the_same_through_the_c_api(engine, demo, tmp_path):
    inputs, folder = saved_model_requests(), demo / "gemma4" / "1"
    if engine == "builtin":
        tokenizer = graph_ops.Gemma4Tokenizer(DEMONSTRATION, engine=engine)
        converters = graph_ops.Gemma4ImageConverter(), graph_ops.Gemma4AudioConverter()
        folder = export_saved_model(
            graph_ops.Gemma4CausalLMPreprocessor(tokenizer, *converters), tmp_path / "model"
        )
    loaded = running.load(folder)
    assert set(inputs) == set(loaded.signatures)
    answers = run_c_library(PACKAGES, folder, inputs)
    for name, given in inputs.items():
        expected = loaded.signatures[name](**{key: tf.constant(array) for key, array in given.items()})
        assert expected.keys() == answers[name].keys()
        for key, tensor in expected.items():
            assert_same(answers[name][key], tensor.numpy(), key)


@pytest.mark.slow
def test_a_folder_that_the_library_does_not_load_is_refused_in_its_own_words(tmp_path):
    saved = SavedModel()
    saved.meta_graphs.add()
    (tmp_path / "saved_model.pb").write_bytes(saved.SerializeToString())
    with pytest.raises(ValueError, match="Could not find meta graph def matching supplied tags"):
        run_c_library(PACKAGES, tmp_path, {})
