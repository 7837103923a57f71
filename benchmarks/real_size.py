"""`python -m benchmarks.real_size`: `fuse` with a model of real size, what the SavedModel needs, and its
`generate` beside `Gemma4CausalLM.generate`.

The model is Gemma 4 E2B with random weights in bfloat16 (examples/gemma4_e2b.py); `--periods 4` makes a
smaller one of the same parts. Each stage is a process of its own. Peaks are of resident memory (VmHWM): that
of `fuse` from its call on, with the model in memory, which the caller holds already. Both generate from the
same weights, which Keras draws from one seed, and the same ids. KerasHub is timed as it comes, compiled by
XLA.

Logits are compared and not answers: with random weights in bfloat16 the likeliest two ids of 262,144 are
nearer to each other than one way to round is to another.
"""

import json
import math
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Annotated, Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# oneDNN's allocator keeps whatever it was asked for: random weights are drawn by way of three copies.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.__main__ import machine
from export.cli.quiet import quiet_stderr
from export.verify.samples import demonstration_file

GIB = 2**30
PEAK_TARGET = 1.3
SEQUENCE_LENGTH, NEW_TOKENS, SEED = 512, 8, 11
PROMPT = "Rain on the roof is a sound that most people know well, and that few can describe."
ROUNDS = 3


def main(
    periods: Annotated[int, typer.Option(help="groups of five layers, from 4 on; 7 is E2B")] = 7,
    media: Annotated[bool, typer.Option(help="with encoders of images and audio")] = True,
    keras: Annotated[bool, typer.Option(help="generate with KerasHub too")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
    stage: Annotated[str, typer.Option(hidden=True)] = "",
    folder: Annotated[str, typer.Option(hidden=True)] = "",
) -> None:
    """Measures one model, stage by stage."""
    if stage:
        with quiet_stderr():
            found = STAGES[stage](folder, periods, media)
        print(json.dumps(found))
        return
    with tempfile.TemporaryDirectory() as temporary:
        stages = ["fuse", "load", *(["keras", "logits"] if keras else [])]
        found = {name: _run(name, temporary, periods, media) for name in stages}
    if as_json:
        print(json.dumps(found, indent=2))
    else:
        _show(found)


def fuse_stage(folder: str, periods: int, media: bool) -> dict[str, Any]:
    """Makes the model and fuses it."""
    import graph_ops
    from export import fuse
    from export.fusing.generate import cache_shape

    model = _model(periods, media)
    tokenizer = graph_ops.Gemma4Tokenizer(_vocabulary())
    media_of = {
        "image_converter": graph_ops.Gemma4ImageConverter(),
        "audio_converter": graph_ops.Gemma4AudioConverter(),
    }
    preprocessor = graph_ops.Gemma4CausalLMPreprocessor(
        tokenizer,
        sequence_length=SEQUENCE_LENGTH,
        max_images_per_prompt=1,
        max_audio_clips_per_prompt=1,
        **(media_of if media else {}),
    )
    _reset_peak()
    start = time.perf_counter()
    written = fuse(preprocessor, model, folder, version=1, max_new_tokens=NEW_TOKENS, stop_tokens=())
    seconds = time.perf_counter() - start
    sizes = [_bytes(variable.shape, variable.dtype) for variable in model.weights]
    return {
        "parameters": model.count_params(),
        "weights": sum(sizes),
        "seconds": seconds,
        "peak": _peak(),
        "largest": max(sizes),
        "graph": (written / "saved_model.pb").stat().st_size,
        "cache": _bytes(cache_shape(model, 1, SEQUENCE_LENGTH), model.compute_dtype),
    }


def load_stage(folder: str, periods: int, media: bool) -> dict[str, Any]:
    """Loads what was written, with TensorFlow alone, and asks it."""
    import tensorflow as tf
    import tensorflow_text  # noqa: F401  registers the op of SentencePiece

    start = time.perf_counter()
    signatures = tf.saved_model.load(f"{folder}/1").signatures
    loading = time.perf_counter() - start
    limited = signatures["generate_with_limits"]
    no_media = {name: tf.zeros([1, 0], tf.string) for name in (("images", "audio") if media else ())}

    def ask(count: int) -> Any:
        answer = limited(
            prompts=tf.constant([PROMPT]),
            max_new_tokens=tf.constant([count]),
            stop=tf.constant([[""]]),
            **no_media,
        )
        if status := answer["status"].numpy()[0].decode():
            raise ValueError(status)
        assert answer["num_new_tokens"].numpy().tolist() == [count]

    start = time.perf_counter()
    ask(1)
    first = time.perf_counter() - start
    whole, one = _medians(lambda: ask(NEW_TOKENS), lambda: ask(1))
    return {"load": loading, "first": first, "answer": whole, "one": one, "peak": _peak()}


def keras_stage(folder: str, periods: int, media: bool) -> dict[str, Any]:
    """Generates with KerasHub, from the ids of the same prompt in a row of the same length."""
    import numpy as np

    model = _model(periods, media)
    _reset_peak()
    prompt = _prompt_ids()
    length = len(prompt) + NEW_TOKENS

    def ask(size: int) -> Any:
        row = {"token_ids": np.zeros((1, size), np.int32), "padding_mask": np.zeros((1, size), np.int32)}
        row["token_ids"][0, : len(prompt)] = prompt
        row["padding_mask"][0, : len(prompt)] = 1
        return model.generate(row, stop_token_ids=None)

    start = time.perf_counter()
    ask(length)
    first = time.perf_counter() - start
    ask(len(prompt) + 1)
    whole, one = _medians(lambda: ask(length), lambda: ask(len(prompt) + 1))
    return {"first": first, "answer": whole, "one": one, "peak": _peak()}


def logits_stage(folder: str, periods: int, media: bool) -> dict[str, Any]:
    """Logits of each place of the prompt: of a graph as `fuse` traces it, and of KerasHub compiled by XLA,
    both beside KerasHub's in a graph.
    """
    import numpy as np
    import tensorflow as tf

    from export.fusing.generate import cache_shape
    from export.fusing.keras_ops import core_ops

    model, ids = _model(periods, media), tf.constant([_prompt_ids()])
    cache = tf.zeros(cache_shape(model, *ids.shape), model.compute_dtype)

    def logits(**options: Any) -> Any:
        graph = tf.function(lambda ids, cache: model.call_with_cache(ids, cache, 0)[0], **options)
        return tf.cast(graph(ids, cache), tf.float32).numpy()[0]

    theirs, compiled = logits(), logits(jit_compile=True)
    with core_ops(model):
        ours = logits()

    def beside(found: Any) -> dict[str, float]:
        alike = np.mean(found.argmax(axis=1) == theirs.argmax(axis=1))
        return {"difference": float(np.abs(found - theirs).max()), "alike": float(alike)}

    return {"places": len(theirs), "ours": beside(ours), "compiled": beside(compiled)}


STAGES = {"fuse": fuse_stage, "load": load_stage, "keras": keras_stage, "logits": logits_stage}


def _model(periods: int, media: bool) -> Any:
    import keras
    import keras_hub

    from examples.gemma4_e2b import e2b_backbone

    keras.utils.set_random_seed(SEED)
    model = keras_hub.models.Gemma4CausalLM(
        preprocessor=None, backbone=e2b_backbone(periods=periods, media=media)
    )
    model.compile(sampler="greedy")
    return model


def _prompt_ids() -> list[int]:
    import graph_ops

    return [2, *graph_ops.Gemma4Tokenizer(_vocabulary())(PROMPT).numpy().tolist()]


def _vocabulary() -> str:
    return os.environ.get("GEMMA4_TOKENIZER") or str(demonstration_file("demonstration.spm"))


def _bytes(shape: Any, dtype: str) -> int:
    import tensorflow as tf

    return math.prod(shape) * tf.as_dtype(dtype).size


def _medians(*works: Any) -> list[float]:
    """Median seconds of each, in turns."""
    times: list[list[float]] = [[] for _ in works]
    for _ in range(ROUNDS):
        for work, spent in zip(works, times, strict=True):
            start = time.perf_counter()
            work()
            spent.append(time.perf_counter() - start)
    return [statistics.median(spent) for spent in times]


def _reset_peak() -> None:
    """Makes the peak of this process what it holds now (Linux)."""
    pathlib.Path("/proc/self/clear_refs").write_text("5")


def _peak() -> int:
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def _run(stage: str, folder: str, periods: int, media: bool) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.real_size", "--stage", stage, "--folder", folder]
    command += ["--periods", str(periods), "--media" if media else "--no-media"]
    with Console(stderr=True).status(f"{stage}: minutes"):
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def _show(found: dict[str, Any]) -> None:
    fused, loaded = found["fuse"], found["load"]
    weights = fused["weights"]
    Console().print(machine())
    table = Table(title=f"{fused['parameters'] / 1e9:.2f} billion parameters, {weights / 1e9:.2f} GB")
    for column in ("what", "figure", "note"):
        table.add_column(column)

    def peak(what: str, stage: dict[str, Any], target: str = "") -> None:
        size = stage["peak"]
        table.add_row(what, f"{size / GIB:.2f} GiB", f"{size / weights:.2f} of the weights{target}")

    peak("peak of `fuse`", fused, f", wanted {PEAK_TARGET}")
    table.add_row("time of `fuse`", f"{fused['seconds']:.0f} s", f"graph {fused['graph'] / 1e6:.1f} MB")
    table.add_row("largest variable", f"{fused['largest'] / GIB:.2f} GiB")
    peak("peak of loading and answering", loaded, f", wanted {PEAK_TARGET}")
    table.add_row("loading", f"{loaded['load']:.1f} s", f"first answer of a token {loaded['first']:.1f} s")
    table.add_row("cache of a row", f"{fused['cache'] / 2**20:.0f} MiB", f"{SEQUENCE_LENGTH} ids")
    table.add_row("a token more", _token(loaded), "`generate_with_limits`")
    if "keras" in found:
        theirs, ratio = found["keras"], loaded["answer"] / found["keras"]["answer"]
        table.add_row("a token more", _token(theirs), "`Gemma4CausalLM.generate`")
        table.add_row(f"answer of {NEW_TOKENS} tokens", f"{ratio:.2f} of its time")
        peak("its peak", theirs)
        _show_logits(table, found["logits"])
    Console().print(table)


def _show_logits(table: Table, found: dict[str, Any]) -> None:
    for name, what in (("ours", "in the fused graph"), ("compiled", "KerasHub's, compiled by XLA")):
        each = found[name]
        table.add_row(
            f"logits {what}",
            f"within {each['difference']:.3g} of KerasHub's",
            f"likeliest id the same at {each['alike']:.0%} of {found['places']} places",
        )


def _token(times: dict[str, float]) -> str:
    each = (times["answer"] - times["one"]) / (NEW_TOKENS - 1)
    return f"{each:.2f} s, prompt and first {times['one']:.2f} s"


if __name__ == "__main__":
    typer.run(main)
