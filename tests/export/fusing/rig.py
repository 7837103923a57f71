"""A small Gemma 4, KerasHub's preprocessor and ours for it, requests, and what KerasHub answers to them in
Python.
"""

import json
import subprocess
import sys
from types import SimpleNamespace
from typing import NamedTuple

import keras
import keras_hub
import numpy as np
import tensorflow as tf

import graph_ops
from examples.small_gemma4 import small_gemma4
from export.fusing.generate import is_random
from tests.data import DEMONSTRATION, REAL

NEW_TOKENS = 12
STOPS = ("<eos>", "<turn|>")
VOCABULARY = REAL or str(DEMONSTRATION)


class Request(NamedTuple):
    prompt: str
    images: tuple[bytes, ...] = ()
    audio: tuple[bytes, ...] = ()


def png(height, width, seed):
    """An image whose sides are those that it is resized to, so that KerasHub's inexact resizing has nothing
    to do.
    """
    return tf.io.encode_png(
        np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    ).numpy()


def requests(speech):
    """Rows with 0, 1 and 2 images of two shapes, and with 0 and 1 clip; the images of one row are of one
    shape.
    """
    square, other, wide = png(768, 768, 0), png(768, 768, 1), png(672, 960, 2)
    return [
        Request("What is it?"),
        Request("See <|image|> and say.", (square,)),
        Request("Listen: <|audio|>", (), (speech,)),
        Request("<|image|> then <|image|> differ in", (square, other)),
        Request("A <|image|> with <|audio|> and more text", (wide,), (speech,)),
    ]


def as_inputs(rows):
    """Requests as inputs of a signature, media as files."""
    return {
        "prompts": np.array([row.prompt for row in rows], object),
        "images": np.array([(*row.images, b"", b"")[:2] for row in rows], object),
        "audio": np.array([(*row.audio, b"")[:1] for row in rows], object),
    }


def small_model(seed=0, **parts):
    """A small model with KerasHub's preprocessor; embeddings as large as the released ones', so that media
    sway the answers.
    """
    keras.utils.set_random_seed(seed)
    preprocessor = keras_hub_preprocessor()
    model = small_gemma4(preprocessor.tokenizer.vocabulary_size(), preprocessor=preprocessor, **parts)
    for encoder in (model.backbone.vision_encoder, model.backbone.audio_encoder):
        if encoder is not None:
            for weight in encoder.trainable_variables:
                if "kernel" in weight.path:
                    weight.assign(weight * 3.0)
    return model


def keras_hub_preprocessor():
    return keras_hub.models.Gemma4CausalLMPreprocessor(
        keras_hub.models.Gemma4Tokenizer(VOCABULARY),
        image_converter=keras_hub.layers.Gemma4ImageConverter(scale=1 / 255),
        audio_converter=keras_hub.layers.Gemma4AudioConverter(mel_floor=1e-3),
    )


def our_preprocessor(model, **settings):
    return graph_ops.Gemma4CausalLMPreprocessor.from_keras_hub(model.preprocessor, **settings)


def text_preprocessor(**settings):
    """For prompts alone, 64 ids a row."""
    defaults = {"tokenizer": graph_ops.Gemma4Tokenizer(DEMONSTRATION), "sequence_length": 64}
    return graph_ops.Gemma4CausalLMPreprocessor(**{**defaults, **settings})


def keras_hub_answer(model, row, max_new_tokens=NEW_TOKENS):
    """Text and ids that `Gemma4CausalLM.generate` gives to one request, from pixels and samples."""
    x = {"prompts": [row.prompt]}
    if row.images:
        x["images"] = [[tf.io.decode_image(image).numpy() for image in row.images]]
    if row.audio:
        x["audio"] = [tf.audio.decode_wav(row.audio[0])[0].numpy()[:, 0]]
    features = model.preprocessor.generate_preprocess(dict(x))
    length = int(np.sum(features["padding_mask"])) + max_new_tokens
    (text,) = model.generate(dict(x), max_length=length)
    features = model.preprocessor.generate_preprocess(dict(x), sequence_length=length)
    stops = [model.preprocessor.tokenizer.token_to_id(stop) for stop in STOPS]
    answer = model.make_generate_function()(features, stop_token_ids=stops)
    return text, np.asarray(answer["token_ids"])[0][np.asarray(answer["padding_mask"])[0]]


def ids_of(row):
    """A row of `token_ids` without the padding at its end."""
    return row[: np.max(np.flatnonzero(row), initial=-1) + 1]


def run_fresh(folder, calls, scratch):
    """Outputs of signatures, run by a process in which KerasHub and this project cannot be imported; `calls`
    as (name, inputs).
    """
    for number, (_, inputs) in enumerate(calls):
        np.savez(scratch / f"{number}.npz", **inputs)
    script = scratch / "client.py"
    script.write_text(CLIENT)
    names = json.dumps([name for name, _ in calls])
    ran = subprocess.run(
        [sys.executable, "-I", script, folder, scratch, names],
        capture_output=True,
        text=True,
        cwd=scratch,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return [dict(np.load(scratch / f"{number}-out.npz", allow_pickle=True)) for number in range(len(calls))]


class Likeliest:
    """A sampler that takes the likeliest id."""

    def compute_probabilities(self, logits):
        return tf.nn.softmax(logits)

    def get_next_token(self, probabilities):
        return tf.argmax(probabilities, axis=-1)


class Drawn(Likeliest):
    """A sampler that draws."""

    def __init__(self):
        self.seed_generator = keras.random.SeedGenerator(0)

    def get_next_token(self, probabilities):
        return keras.random.categorical(tf.math.log(probabilities), 1, seed=self.seed_generator)[:, 0]


class Counting:
    """A model that says the next number; to a sampler that draws, all numbers alike."""

    compute_dtype = "float32"
    backbone = SimpleNamespace(num_layers=1, num_key_value_heads=1, head_dim=1)

    def __init__(self, sampler=None):
        self.sampler = sampler or Likeliest()

    def call_with_cache(self, token_ids, cache, cache_update_index, **masks):
        certainty = 0.0 if is_random(self.sampler) else 9.0
        return certainty * tf.one_hot(token_ids + 1, 1000), None, cache


CLIENT = """
import json, pathlib, sys
for name in ("keras_hub", "graph_ops", "export", "examples"):
    sys.modules[name] = None
import numpy as np
import tensorflow as tf, tensorflow_text
model = tf.saved_model.load(sys.argv[1])
for number, name in enumerate(json.loads(sys.argv[3])):
    inputs = np.load(pathlib.Path(sys.argv[2], f"{number}.npz"), allow_pickle=True)
    arrays = dict(inputs)
    given = {key: tf.constant(a.tolist() if a.dtype == object else a) for key, a in arrays.items()}
    outputs = model.signatures[name](**given)
    arrays = {key: value.numpy() for key, value in outputs.items()}
    np.savez(pathlib.Path(sys.argv[2], f"{number}-out.npz"), **arrays)
"""
