"""The first request to a fused artifact, made by who wrote it: that it loads, answers, and what it takes."""

import os
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from export.litert import run as litert_running
from export.media import MEDIA_IN_EXPORTS
from export.outputs import Arrays
from export.saved_model.run import budget_inputs, load
from export.saved_model.signatures import DEFAULT
from export.verify.samples import demonstration_file
from graph_ops.family import GEMMA4
from graph_ops.media.table import BY_NAME, MEDIA

PROMPT = "What is this?"
NEW_TOKENS = 8
"""Most ids that a bundle is asked for; each costs a call."""


class Check(NamedTuple):
    """What came of it.

    Attributes:
        prompt: what was asked.
        outputs: of the artifact, for one row.
        load_seconds: until it could be asked.
        first_seconds: of the first request, which optimizes the graph.
        seconds: of the second.
    """

    prompt: str
    outputs: Arrays
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
    signature = load(folder).signatures[DEFAULT]
    load_seconds = time.perf_counter() - start
    accepted = signature.structured_input_signature[1]
    prompt, files = _request(accepted)
    inputs = {BY_NAME[name].argument: tf.constant([found]) for name, found in files.items()}
    inputs["texts" if "texts" in accepted else "prompts"] = tf.constant([prompt])
    for medium in MEDIA:
        inputs |= budget_inputs(medium, len(files.get(medium.name, ())), (), accepted)
    for name in accepted.keys() - inputs.keys():  # of one number or string a row: a seed, a task, a size
        inputs[name] = tf.zeros([1], accepted[name].dtype)

    def ask() -> Arrays:
        outputs = {name: value.numpy() for name, value in signature(**inputs).items()}
        if status := outputs["status"][0].decode():
            raise ValueError(status)
        return outputs

    return _asked_twice(prompt, load_seconds, ask)


def check_bundle_answers(folder: str | os.PathLike[str]) -> Check:
    """Loads a fused bundle and asks it twice, as an app would: `predict`, or `prefill` and then `decode` with
    the likeliest id each time.

    Raises:
        ValueError: the row's status, two answers that differ, or ai-edge-litert is not installed.
    """
    start = time.perf_counter()
    bundle = litert_running.load_bundle(folder)
    load_seconds = time.perf_counter() - start
    signatures = bundle.description["signatures"]
    prompt, files = _request(signatures["generate_preprocess"]["inputs"])
    settings = bundle.description["preprocessor"]
    media = litert_running.decoded(files, settings)

    def ask() -> Arrays:
        if "predict" in signatures:
            return litert_running.request(bundle, prompt.encode(), media, signature="predict")
        return _generated(bundle, litert_running.request(bundle, prompt.encode(), media))

    return _asked_twice(prompt, load_seconds, ask)


def _asked_twice(prompt: str, load_seconds: float, ask: Callable[[], Arrays]) -> Check:
    start = time.perf_counter()
    first = ask()
    answered = time.perf_counter()
    second = ask()
    done = time.perf_counter()
    if any(
        not np.array_equal(first[name], second[name], equal_nan=first[name].dtype.kind == "f")
        for name in first
    ):
        raise ValueError(
            "`model`: one request must have one answer; it had two. Its graph draws random numbers or "
            "keeps state: export without."
        )
    return Check(prompt, first, load_seconds, answered - start, done - answered)


def _request(accepted: Any) -> tuple[str, dict[str, list[bytes]]]:
    """A prompt with the demonstration's media, and their files by the medium's name, of the inputs that are
    accepted.
    """
    taken = [medium for medium in MEDIA if medium.argument in accepted]
    prompt = " ".join([PROMPT, *(GEMMA4.tokens_of(medium.name).placeholder for medium in taken)])
    files = {medium.name: demonstration_file(MEDIA_IN_EXPORTS[medium.name].demonstration) for medium in taken}
    return prompt, {name: [file.read_bytes()] for name, file in files.items()}


def _generated(bundle: litert_running.Bundle, row: Arrays) -> Arrays:
    """The text of the row and the likeliest ids after it."""
    prefill, decode = (bundle.interpreter.get_signature_runner(name) for name in ("prefill", "decode"))
    wanted = bundle.description["signatures"]["prefill"]["inputs"]
    cache = prefill(**{name: row[name] for name in wanted})["cache"]
    ids, start = row["token_ids"].copy(), int(row["padding_mask"].sum())
    end = min(start + NEW_TOKENS, ids.shape[1])
    for place in range(start, end):
        last, position = ids[:, place - 1 : place], np.array([place - 1], np.int32)
        outputs = decode(token_id=last, position=position, cache=cache)
        cache, ids[0, place] = outputs["cache"], outputs["logits"][0].argmax()
    mask = (np.arange(ids.shape[1]) < end).astype(np.int32)[np.newaxis]
    outputs = bundle.run("generate_postprocess", token_ids=ids, padding_mask=mask)
    text = outputs["text"].tobytes()[: int(outputs["text_length"][0])]
    return {"text": np.array([text], object), "token_ids": ids}
