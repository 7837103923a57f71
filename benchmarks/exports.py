"""`python -m benchmarks.exports`: what an export costs, with all media and for text alone: bytes on disk, and
seconds and memory to load it in a process of its own.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
from typing import Annotated, NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import typer

from export.cli.quiet import quiet_stderr
from export.verify.samples import demonstration_file

LOADS = 5
KINDS = {
    "text, images, audio": (),
    "text, images": ("audio_converter",),
    "text": ("image_converter", "audio_converter"),
}
ENGINES = ("sentencepiece", "builtin")
COLUMNS = ("reads", "engine", "file, MB", "to load, CPU s", "first request, CPU s", "memory, MB")

LOAD = r"""
import re, sys, time
import tensorflow as tf
if sys.argv[2] == "sentencepiece":
    import tensorflow_text
memory = lambda: int(re.search(r"VmRSS:\s+(\d+)", open("/proc/self/status").read())[1]) / 1e3
before, start = memory(), time.process_time()
signatures = tf.saved_model.load(sys.argv[1]).signatures
loaded = time.process_time()
signatures["generate_preprocess_text"](prompts=tf.constant(["Hello there"]))
print(loaded - start, time.process_time() - loaded, memory() - before)
"""
"""The script of the process that loads an export: prints seconds, seconds, and MB beyond TensorFlow's own."""


class Cost(NamedTuple):
    """The least of `LOADS` processes; processor time, so that other work on the machine counts little."""

    load_seconds: float
    request_seconds: float
    megabytes: float


def cost(folder: pathlib.Path, engine: str) -> Cost:
    """What loading an export takes, in processes of its own."""
    command = [sys.executable, "-c", LOAD, str(folder), engine]
    runs = [
        subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
        for _ in range(LOADS)
    ]
    return Cost(*(min(map(float, numbers)) for numbers in zip(*runs, strict=True)))


def main(
    tokenizer: Annotated[
        pathlib.Path | None, typer.Option(help="Vocabulary.", show_default="GEMMA4_TOKENIZER or shipped")
    ] = None,
) -> None:
    """Prints the table of docs/performance.md, a line for each set of media and each engine."""
    vocabulary = tokenizer or pathlib.Path(
        os.environ.get("GEMMA4_TOKENIZER", demonstration_file("demonstration.spm"))
    )
    print(f"| {' | '.join(COLUMNS)} |\n|{' --- |' * len(COLUMNS)}")
    with quiet_stderr():
        from export.saved_model.write import export_saved_model
        from graph_ops import Gemma4CausalLMPreprocessor, Gemma4Tokenizer
    for engine in ENGINES:
        tokenizer_layer = Gemma4Tokenizer(vocabulary, engine=engine)
        for reads, without in KINDS.items():
            with tempfile.TemporaryDirectory() as scratch:
                preprocessor = Gemma4CausalLMPreprocessor.from_preset(
                    "gemma4_2b", tokenizer=tokenizer_layer, **dict.fromkeys(without)
                )
                folder = export_saved_model(preprocessor, scratch)
                size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
                taken = cost(folder, engine)
            cells = (
                reads,
                engine,
                f"{size / 1e6:.1f}",
                f"{taken.load_seconds:.1f}",
                f"{taken.request_seconds:.2f}",
                f"{taken.megabytes:.0f}",
            )
            print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    typer.run(main)
