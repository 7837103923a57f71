"""Fine-tune a small Gemma 4 on strings and JPEGs with LoRA, put its preprocessor before it, serve it, and ask
it: `make example`.

    strings, JPEGs -> tf.data -> preprocessor -> fit -> export.fuse -> gemma4-graph serve -> strings, JPEGs
    in, text out

A released model knows colours. This one begins with random weights, so all of them are first trained to name
the colour of a picture; then LoRA, which trains a few thousand numbers beside the frozen ones, teaches it to
name the opposite colour instead.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from typing import Any

from export.cli.quiet import quiet_stderr

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
with quiet_stderr():  # TensorFlow logs while it is loaded
    import keras
    import numpy as np
    import tensorflow as tf

    from examples.small_gemma4 import small_gemma4
    from export import fuse
    from export.serving.client import Client
    from export.verify.samples import demonstration_file
    from graph_ops import Gemma4CausalLMPreprocessor, Gemma4ImageConverter, Gemma4Tokenizer

COLOURS = {"red": (220, 30, 30), "green": (30, 200, 40), "white": (240, 240, 240), "black": (10, 10, 10)}
SAME = {colour: colour for colour in COLOURS}
OPPOSITE = {"red": "green", "green": "red", "white": "black", "black": "white"}
QUESTION = "Which colour is this? <|image|>\n"
SOFT_TOKENS = 70  # of a picture; a colour needs no more, and the model takes a quarter of the time
SIDE, NOISE = 96, 12  # of a picture: pixels, and standard deviation of a pixel in 0…255
BATCHES, STEPS_IN_EPOCH = 2, 10
LORA_RANK = 4


def jpeg(colour: str, seed: int) -> bytes:
    """A picture of a colour, with some noise."""
    noise = np.random.default_rng(seed).normal(0, NOISE, (SIDE, SIDE, 3))
    return tf.io.encode_jpeg(np.clip(COLOURS[colour] + noise, 0, 255).astype(np.uint8)).numpy()


def training_rows(
    preprocessor: Gemma4CausalLMPreprocessor, answers: Mapping[str, str], *, seed: int
) -> tf.data.Dataset:
    """Batches of `(x, y, sample_weight)` from raw strings and files, through the preprocessor in
    `tf.data`.
    """
    colours = list(COLOURS) * BATCHES
    raw = {
        "prompts": [QUESTION] * len(colours),
        "responses": [answers[colour] for colour in colours],
        "images": [[jpeg(colour, seed + index)] for index, colour in enumerate(colours)],
    }
    return tf.data.Dataset.from_tensor_slices(raw).batch(len(COLOURS)).map(preprocessor).cache().repeat()


def train(model: Any, rows: tf.data.Dataset, *, epochs: int, learning_rate: float) -> list[float]:
    """The loss of each epoch."""
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        weighted_metrics=[],
    )
    return model.fit(rows, steps_per_epoch=STEPS_IN_EPOCH, epochs=epochs, verbose=2, shuffle=False).history[
        "loss"
    ]


def served_answers(folder: pathlib.Path, pictures: Mapping[str, bytes]) -> dict[str, str]:
    """What a server of the model, a process of its own, says of each picture."""
    command = [
        sys.executable,
        "-m",
        "export",
        "serve",
        str(folder),
        "--embedded",
        "--port",
        "0",
        "--rest-port",
        "0",
        "--no-warmup",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            lines = iter(server.stdout.readline, "")
            port = next(match[1] for line in lines if (match := re.match(r"gRPC .*:(\d+),", line)))
            client = Client(f"127.0.0.1:{port}", "gemma4", timeout=60)
            return {
                colour: client.request("generate", QUESTION, {"image": [picture]})["text"][0].decode()
                for colour, picture in pictures.items()
            }
        finally:
            server.terminate()


def main() -> None:
    """Trains, fuses, serves and asks; fails if the loss does not fall or an answer is wrong."""
    keras.utils.set_random_seed(0)
    preprocessor = Gemma4CausalLMPreprocessor(
        Gemma4Tokenizer(demonstration_file("demonstration.spm")),
        Gemma4ImageConverter(max_soft_tokens=SOFT_TOKENS),
        num_vision_tokens_per_image=SOFT_TOKENS,
        sequence_length=112,
        max_images_per_prompt=1,
        audio_input_feat_size=0,
    )
    model = small_gemma4(preprocessor.tokenizer.vocabulary_size(), audio=False)
    print("training all weights to name colours", flush=True)
    train(model, training_rows(preprocessor, SAME, seed=0), epochs=3, learning_rate=1e-2)
    model.backbone.enable_lora(LORA_RANK)
    print(
        f"fine-tuning {sum(int(np.prod(weight.shape)) for weight in model.trainable_weights):,} weights to "
        f"name opposites",
        flush=True,
    )
    losses = train(model, training_rows(preprocessor, OPPOSITE, seed=100), epochs=4, learning_rate=2e-2)
    with tempfile.TemporaryDirectory() as folder:
        written = fuse(
            preprocessor,
            model,
            folder,
            max_new_tokens=8,
            strip_prompt=True,
            report=lambda line: print(line, flush=True),
        )
        answers = served_answers(written.parent, {colour: jpeg(colour, seed=1000) for colour in COLOURS})
    for colour, answer in answers.items():
        print(f"a {colour} picture: {answer}")
    if not losses[-1] < losses[0] / 2 or answers != OPPOSITE:
        sys.exit(f"the loss must fall and every answer be right; got losses {losses} and answers {answers}")


if __name__ == "__main__":
    main()
