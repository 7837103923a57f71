"""A video beside KerasHub's class, and the memory of one: `python -m benchmarks.videos` prints both."""

import os
import pathlib
import resource
from collections.abc import Iterator
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")

import keras_hub
import numpy as np
import tensorflow as tf

import graph_ops
from benchmarks.measuring import Comparison, Work, compared
from export.saved_model.signatures import signatures
from export.signature import input_specs
from export.verify.samples import demonstration_file, pixels

FRAMES, HEIGHT, WIDTH = 32, 360, 640
LENGTH = 2600
PEER = "KerasHub's class in a tf.function"
MOST_OF_PEER = 0.6
SIGNATURE = "generate_preprocess_arrays"


def comparisons(vocabulary: pathlib.Path, rounds: int) -> Iterator[Comparison]:
    """A whole request with a video that is an array."""
    clip, prompts = video(), tf.constant(["What happens? <|video|>"])
    ours = request(graph_ops.Gemma4Tokenizer(vocabulary))
    peer = keras_hub.models.Gemma4CausalLMPreprocessor(
        keras_hub.models.Gemma4Tokenizer(str(vocabulary)),
        video_converter=keras_hub.layers.Gemma4VideoConverter(scale=1 / 255),
        sequence_length=LENGTH,
    )
    traced = tf.function(
        lambda prompts, videos: peer.generate_preprocess({"prompts": prompts, "videos": videos})
    )
    contenders: dict[str, Work] = {
        "ours": lambda _: ours(clip),
        PEER: lambda _: traced(prompts, tf.constant(clip[np.newaxis])),
    }
    task = f"a request with a video of {FRAMES} frames of {WIDTH}×{HEIGHT}"
    yield from compared(task, contenders, rounds, {PEER: MOST_OF_PEER})


def video() -> np.ndarray:
    """uint8 [T, H, W, 3]."""
    return np.stack([pixels(HEIGHT, WIDTH, seed=seed) for seed in range(FRAMES)])


def request(tokenizer: graph_ops.Gemma4Tokenizer) -> Any:
    """A function from a video uint8 [T, H, W, 3] to the row of a prompt with it."""
    settings = graph_ops.Gemma4CausalLMPreprocessor(
        tokenizer,
        video_converter=graph_ops.Gemma4VideoConverter(),
        sequence_length=LENGTH,
        audio_input_feat_size=0,
    ).settings
    signature = signatures(settings)[SIGNATURE]
    graph = tf.function(
        signature.function, input_signature=[input_specs(signature)], autograph=False
    ).get_concrete_function()
    given = {
        "prompts": tf.constant(["What happens? <|video|>"]),
        "frame_indices": tf.fill([1, 1, 1], -1),
        "fps": tf.zeros([1, 1], tf.float64),
    }

    def run(clip: np.ndarray) -> Any:
        size = tf.constant([[clip.shape[:3]]])
        return graph({**given, "videos": tf.constant(clip[np.newaxis, np.newaxis]), "video_sizes": size})

    return run


def memory(tokenizer: graph_ops.Gemma4Tokenizer) -> tuple[float, float]:
    """MB that the process grows by at most in a request with the video, beyond its pixels in memory, and MB
    of its outputs.

    A request with a small video goes before, so that the graph and its threads are there.
    """
    clip, ours = video(), request(tokenizer)
    ours(clip[:1, :48, :96])
    before = _peak()
    outputs = ours(clip)
    grown = _peak() - before - clip.nbytes / 1e6
    return grown, sum(value.numpy().nbytes for value in outputs.values()) / 1e6


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def main() -> None:
    """Prints the comparison and the memory."""
    named = os.environ.get("GEMMA4_TOKENIZER")
    vocabulary = pathlib.Path(named) if named else demonstration_file("demonstration.spm")
    grown, output = memory(graph_ops.Gemma4Tokenizer(vocabulary))
    print(f"memory: {grown:.0f} MB for {output:.0f} MB of outputs, {grown / output:.2f} of them")
    for result in comparisons(vocabulary, rounds=3):
        print(
            f"{result.task}: {result.ours:.1f} ms, {result.peer} {result.theirs:.1f} ms: {result.ratio:.2f}"
        )


if __name__ == "__main__":
    main()
