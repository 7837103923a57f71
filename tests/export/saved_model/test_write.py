"""Writing a SavedModel: versions, what it says of itself, and what is refused."""

import json
import lzma
import pathlib

import numpy as np
import pytest
import tensorflow as tf

import graph_ops
from export.outputs import scaled
from export.saved_model import run as running
from export.saved_model.write import (
    DESCRIPTION,
    VOCABULARY,
    describe,
    describe_settings,
    export_saved_model,
    publish_version,
    read_description,
    read_vocabulary,
    save_checked,
)
from export.verify import samples
from tests.export.tiny import tiny_preprocessor


def servable(function):
    """A module of one signature, `run`, from `x` to what the function returns."""
    module = tf.Module()
    trace = tf.function(lambda x: {"y": function(x)}, autograph=False)
    module.functions = {"run": trace.get_concrete_function(tf.TensorSpec([None], tf.float32, name="x"))}
    return module


def test_a_module_is_saved_with_its_functions_as_signatures(tmp_path):
    save_checked(servable(lambda x: 2 * x), tmp_path)
    signatures = running.load(tmp_path).signatures
    assert signatures["run"](x=tf.constant([1.0, -3.0]))["y"].numpy().tolist() == [2, -6]


def test_an_op_that_a_server_lacks_is_refused_by_name(tmp_path):
    python = servable(lambda x: tf.numpy_function(lambda values: values, [x], tf.float32))
    with pytest.raises(ValueError, match=r"ops of stock TF Serving only; it also holds .*PyFunc"):
        save_checked(python, tmp_path)


@pytest.mark.parametrize(("given", "found"), [(None, "4"), (7, "7"), (1, "1")])
def test_a_version_is_published_with_what_fills_it(tmp_path, given, found):
    (tmp_path / "3").mkdir()
    said = []
    written = publish_version(tmp_path, given, lambda folder: (folder / "x").touch(), said.append)
    assert written == tmp_path / found
    assert [path.name for path in written.iterdir()] == ["x"]
    assert said == [f"renaming to {written}"]


def test_a_description_names_settings_the_vocabulary_and_versions():
    preprocessor = tiny_preprocessor(parity="transformers")
    description = json.loads(json.dumps(describe_settings(preprocessor)))
    assert description["preprocessor"]["parity"] == "transformers"
    vocabulary = preprocessor.tokenizer.vocabulary
    assert description["preprocessor"]["tokenizer"] == {
        "pieces": len(vocabulary),
        "sha256": vocabulary.sha256,
        "engine": "builtin",
    }
    assert description["versions"]["tensorflow"] == tf.__version__


def test_the_vocabulary_is_beside_a_graph_that_does_not_hold_it(tmp_path, make_preprocessor):
    describe(tiny_preprocessor(), tmp_path / "builtin", compact=True)
    describe(make_preprocessor(images=False, audio=False), tmp_path / "sentencepiece")
    assert read_description(tmp_path / "builtin")["compact"] is True
    assert read_description(tmp_path / "sentencepiece")["compact"] is False
    packed = (tmp_path / "builtin" / VOCABULARY).read_bytes()
    assert lzma.decompress(packed) == tiny_preprocessor().tokenizer.proto
    assert not (tmp_path / "sentencepiece" / VOCABULARY).exists()


def test_the_vocabulary_beside_a_graph_is_read(tiny_saved_model):
    assert read_vocabulary(tiny_saved_model).pieces == tiny_preprocessor().tokenizer.vocabulary.pieces


def test_a_folder_without_a_description_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=f"must be a version folder .*{DESCRIPTION} is missing"):
        read_description(tmp_path)


def test_versions_count_up_and_are_never_overwritten(make_preprocessor, tmp_path):
    text_only = make_preprocessor(images=False, audio=False)
    (tmp_path / "7").mkdir()
    assert export_saved_model(text_only, tmp_path).name == "8"
    with pytest.raises(FileExistsError, match="`version`: must be new"):
        export_saved_model(text_only, tmp_path, version=8)
    with pytest.raises(ValueError, match="`version`: must be a positive whole number; got 0"):
        export_saved_model(text_only, tmp_path, version=0)


def test_text_only_export_has_text_signatures_only(make_preprocessor, tmp_path):
    written = export_saved_model(make_preprocessor(images=False, audio=False), tmp_path)
    names = set(running.load(written).signatures)
    assert names == {
        "generate_preprocess_text",
        "generate_preprocess",
        "serving_default",
        "preprocess",
        "generate_postprocess",
        "tokenize",
        "tokenize_with_offsets",
        "detokenize",
        "detokenize_stream",
        "parse_response",
        "count_tokens",
        "generate_preprocess_chat",
        "generate_preprocess_chat_tools",
        "preprocess_chat",
    }
    with pytest.raises(ValueError, match="`images`: this export takes"):
        running.request(running.load(written), "x", {"image": [b"image"]})


def test_a_failed_export_leaves_nothing(make_preprocessor, tmp_path, monkeypatch):
    def fail(*args, **kwargs):
        raise OSError("disk full")

    monkeypatch.setattr(pathlib.Path, "rename", fail)
    with pytest.raises(OSError, match="disk full"):
        export_saved_model(make_preprocessor(images=False, audio=False), tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "converter",
    [
        pytest.param({}, id="released", marks=pytest.mark.release),
        pytest.param({"scale": (0.01, 0.02, 0.03), "offset": (-1.0, 0.5, 0.0)}, id="normalised"),
    ],
)
def test_a_compact_export_gives_the_pixels_in_a_quarter_of_the_bytes(
    converter, demonstration_tokenizer, tmp_path
):
    preprocessor = graph_ops.Gemma4CausalLMPreprocessor(
        demonstration_tokenizer, graph_ops.Gemma4ImageConverter(**converter)
    )
    folder = export_saved_model(preprocessor, tmp_path, compact=True)
    settings = read_description(folder)["preprocessor"]
    image = samples.pixels(90, 130)
    loaded = running.load(folder)
    given = {"prompts": tf.constant(["see <|image|>"]), "images": tf.constant(image)[tf.newaxis, tf.newaxis]}
    outputs = loaded.signatures["generate_preprocess_arrays"](**given, image_sizes=tf.constant([[[90, 130]]]))
    assert outputs["pixel_values"].dtype == tf.uint8
    expected = preprocessor.generate_preprocess({"prompts": ["see <|image|>"], "images": [image]})[
        "pixel_values"
    ][0, 0]
    found = scaled({name: value.numpy() for name, value in outputs.items()}, settings)["pixel_values"][0, 0]
    np.testing.assert_allclose(found, expected, rtol=0, atol=0 if not converter else 1e-6)
