"""The first request to a fused artifact, made by who wrote it: that it loads, answers, and what it takes."""

import os
import time
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from export.saved_model.run import load
from export.saved_model.signatures import DEFAULT
from export.verify.samples import DEMONSTRATION, demonstration_file
from graph_ops.family import GEMMA4
from graph_ops.media.table import MEDIA

PROMPT = "What is this?"


class Check(NamedTuple):
    """What came of it.

    Attributes:
        prompt: what was asked.
        outputs: of the artifact's default signature, for one row.
        load_seconds: until it could be asked.
        first_seconds: of the first request, which optimizes the graph.
        seconds: of the second.
    """

    prompt: str
    outputs: dict[str, np.ndarray]
    load_seconds: float
    first_seconds: float
    seconds: float


def check_answers(folder: str | os.PathLike[str]) -> Check:
    """Loads a version folder and asks its default signature twice, with the demonstration's media where it
    takes them.

    Raises:
        ValueError: the row's `status`, or two answers that differ.
    """
    start = time.perf_counter()
    loaded = load(folder)
    signature = loaded.signatures[DEFAULT]
    ready = time.perf_counter()
    accepted = signature.structured_input_signature[1]
    prompt, inputs = _request(accepted)
    first = _run(signature, inputs)
    answered = time.perf_counter()
    second = _run(signature, inputs)
    done = time.perf_counter()
    if status := first["status"][0].decode():
        raise ValueError(status)
    if any(
        not np.array_equal(first[name], second[name], equal_nan=first[name].dtype.kind == "f")
        for name in first
    ):
        raise ValueError(
            "`model`: one request must have one answer; it had two. Its graph draws random numbers or "
            "keeps state: export without."
        )
    return Check(prompt, first, ready - start, answered - ready, done - answered)


def _request(accepted: dict[str, Any]) -> tuple[str, dict[str, tf.Tensor]]:
    taken = [medium for medium in MEDIA if medium.argument in accepted]
    prompt = " ".join([PROMPT, *(GEMMA4.tokens_of(medium.name).placeholder for medium in taken)])
    inputs = {
        medium.argument: tf.constant([[demonstration_file(DEMONSTRATION[medium.name]).read_bytes()]])
        for medium in taken
    }
    inputs["prompts"] = tf.constant([prompt])
    if "seed" in accepted:
        inputs["seed"] = tf.constant([0])
    return prompt, inputs


def _run(signature: Any, inputs: dict[str, tf.Tensor]) -> dict[str, np.ndarray]:
    return {name: value.numpy() for name, value in signature(**inputs).items()}
