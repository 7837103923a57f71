"""Public attributes of KerasHub's classes beside those of ours: the same names, the same values."""

from typing import Any

import keras
import keras_hub
import numpy as np
import pytest
import tensorflow as tf

import graph_ops
from tests.data import DEMONSTRATION

LAYERS, MODELS = keras_hub.layers, keras_hub.models

OURS_ELSEWHERE = {
    "backbone_cls": "KerasHub's registry finds its classes by their model; ours must not be among them",
    "export_to_transformers": "writes Hugging Face's files; KerasHub's own layers do, from a saved preset",
}
VOCABULARY_IN_CONFIG = dict.fromkeys(
    ["file_assets", "load_assets", "load_preset_assets", "save_assets", "set_proto"],
    "KerasHub's vocabulary is an asset that is loaded after construction; ours is in the configuration",
)
MISSING = {
    "tokenizer": OURS_ELSEWHERE | VOCABULARY_IN_CONFIG,
    "image": {
        "backbone_cls": OURS_ELSEWHERE["backbone_cls"],
        "resizing": "the layer of KerasHub's implementation",
    },
    "audio": {
        "backbone_cls": OURS_ELSEWHERE["backbone_cls"],
        **dict.fromkeys(["indices", "mel_filters", "window"], "arrays of KerasHub's implementation"),
    },
    "preprocessor": {
        **OURS_ELSEWHERE,
        "load_preset_assets": VOCABULARY_IN_CONFIG["load_assets"],
        "packer": "the layer of KerasHub's implementation",
    },
}
OTHER_VALUES = {
    "image_size": "(1, 1) there, a placeholder of its implementation; None is what no fixed size is called",
    "presets": "compared by test_catalogue.py",
    **dict.fromkeys(
        ["tokenizer_cls", "image_converter_cls", "audio_converter_cls", "video_converter_cls"],
        "our own classes",
    ),
}

FLAGS: dict[str, Any] = {"has_vision_tokens": False, "has_audio_tokens": True, "has_video_tokens": False}


def pairs():
    tokenizers = MODELS.Gemma4Tokenizer(str(DEMONSTRATION)), graph_ops.Gemma4Tokenizer(DEMONSTRATION)
    yield "tokenizer", *tokenizers
    yield (
        "tokenizer",
        MODELS.Gemma4Tokenizer(str(DEMONSTRATION), **FLAGS),
        graph_ops.Gemma4Tokenizer(DEMONSTRATION, **FLAGS),
    )
    images: dict[str, Any] = {
        "scale": [0.5, 1.0, 2.0],
        "offset": 0.25,
        "patch_size": 8,
        "max_soft_tokens": 70,
        "antialias": True,
    }
    yield "image", LAYERS.Gemma4ImageConverter(**images), graph_ops.Gemma4ImageConverter(**images)
    audio: dict[str, Any] = {
        "mel_floor": 0.5,
        "num_mels": 4,
        "per_bin_mean": [1.0] * 4,
        "per_bin_stddev": [2.0] * 4,
    }
    yield "audio", LAYERS.Gemma4AudioConverter(**audio), graph_ops.Gemma4AudioConverter(**audio)
    classes = MODELS.Gemma4CausalLMPreprocessor, graph_ops.Gemma4CausalLMPreprocessor
    row = {"sequence_length": 700, "add_end_token": False, "video_fps": 2.0, "num_frames_per_video": 3}
    yield "preprocessor", *(make(layer, **row) for make, layer in zip(classes, tokenizers, strict=True))
    converters = (
        (LAYERS.Gemma4ImageConverter(), LAYERS.Gemma4AudioConverter()),
        (graph_ops.Gemma4ImageConverter(), graph_ops.Gemma4AudioConverter()),
    )
    yield (
        "preprocessor",
        *(c(t, *layers) for c, t, layers in zip(classes, tokenizers, converters, strict=True)),
    )


PAIRS = list(pairs())


def own(layer):
    """Public names of a layer and its classes, those of Keras and keras-hub left out."""
    classes = [kind for kind in type(layer).__mro__ if not kind.__module__.startswith("keras")]
    names = set(vars(layer)).union(*(vars(kind) for kind in classes))
    return {name for name in names if not name.startswith("_")}


def public(layer):
    return {name for name in dir(layer) if not name.startswith("_")} - set(dir(keras.layers.Layer()))


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: type(pair[1]).__name__)
def test_all_of_keras_hubs_public_names_are_there_but_for_those_that_are_listed(pair):
    kind, theirs, ours = pair
    assert public(theirs) - own(ours) == MISSING[kind].keys() & public(theirs)


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: type(pair[1]).__name__)
def test_the_names_mean_the_same(pair):
    _, theirs, ours = pair
    compared = 0
    for name in sorted((public(theirs) & own(ours)) - OTHER_VALUES.keys()):
        a, b = getattr(theirs, name), getattr(ours, name)
        if name in ("tokenizer", "image_converter", "audio_converter", "video_converter"):
            assert (a is None) == (b is None)
        elif name in ("special_tokens", "special_token_ids"):
            assert sorted(a) == sorted(b)
        elif callable(a):
            assert callable(b)
        else:
            compared += 1
            np.testing.assert_array_equal(np.asarray(a, object), np.asarray(b, object), err_msg=name)
    assert compared >= 10


def test_settings_of_keras_hubs_base_classes_are_kept_where_they_were_given():
    converter = graph_ops.Gemma4ImageConverter(image_size=(768, 768), interpolation="bicubic")
    again = graph_ops.Gemma4ImageConverter.from_config(converter.get_config())
    assert (again.image_size, again.interpolation, again.antialias) == ((768, 768), "bicubic", False)
    assert again.config == graph_ops.Gemma4ImageConverter().config
    assert "interpolation" not in graph_ops.Gemma4ImageConverter().get_config()


def test_image_size_is_the_converters(make_preprocessor):
    preprocessor = make_preprocessor(audio=False)
    preprocessor.image_converter = graph_ops.Gemma4ImageConverter()
    preprocessor.image_size = (5, 6)
    assert preprocessor.image_size == preprocessor.image_converter.image_size == (5, 6)
    preprocessor.image_converter = None
    assert preprocessor.image_size is None
    with pytest.raises(ValueError, match="`image_size`: needs an `image_converter`"):
        preprocessor.image_size = (5, 6)


@pytest.mark.parametrize("name", ["add_bos", "add_eos", "sequence_length"])
def test_a_tokenizer_that_would_add_or_cut_tokens_is_refused(name):
    off: dict[str, Any] = {name: False}
    on: dict[str, Any] = {name: 3}
    graph_ops.Gemma4Tokenizer(DEMONSTRATION, **off)
    with pytest.raises(ValueError, match=f"`tokenizer`: `{name}` must be off"):
        graph_ops.Gemma4Tokenizer(DEMONSTRATION, **on)


def test_pieces_instead_of_ids_equal_keras_hub():
    ours = graph_ops.Gemma4Tokenizer(DEMONSTRATION, dtype="string")
    theirs = MODELS.Gemma4Tokenizer(str(DEMONSTRATION), dtype="string")
    texts = ["hello world", "", "né \u4e2d <|image|>", "\U0001f98a"]
    pieces = [[piece.decode() for piece in row] for row in ours(texts).to_list()]
    assert pieces == theirs(texts)
    assert [piece.decode() for piece in ours(texts[0]).numpy()] == theirs(texts[0])
    assert [text.decode() for text in ours.detokenize(ours(texts)).numpy()] == theirs.detokenize(
        theirs(texts)
    )
    assert ours.detokenize(ours(texts[0])).numpy() == b"hello world"
    again = graph_ops.Gemma4Tokenizer.from_config(ours.get_config())
    assert again(texts[0]).dtype == "string"
    row = graph_ops.Gemma4CausalLMPreprocessor(ours, sequence_length=5).generate_preprocess("hello world")
    assert row["token_ids"].dtype == "int32"


def test_ids_of_another_integer_type(demonstration_tokenizer):
    tokenizer = graph_ops.Gemma4Tokenizer(DEMONSTRATION, dtype="int64")
    ids = tokenizer("hello world")
    assert ids.dtype == "int64"
    assert ids.numpy().tolist() == demonstration_tokenizer("hello world").numpy().tolist()
    assert tokenizer.detokenize(ids).numpy() == b"hello world"
    with pytest.raises(tf.errors.InvalidArgumentError, match="an id must be in"):
        tokenizer.detokenize(np.array([2**32 + 5]))
    with pytest.raises(ValueError, match="`dtype`: must be an integer type or 'string'; got 'float32'"):
        graph_ops.Gemma4Tokenizer(DEMONSTRATION, dtype="float32")


def test_a_string_that_is_no_piece_is_refused():
    tokenizer = graph_ops.Gemma4Tokenizer(DEMONSTRATION, dtype="string")
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"an id must be in \[0, vocabulary size\)"):
        tokenizer.detokenize(["no piece at all"])
