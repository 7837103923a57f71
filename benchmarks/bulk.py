"""`python -m benchmarks.bulk`: rows a second of `gemma4-graph bulk` with one process and with two, beside the
same work through KerasHub's class in `tf.data` and through transformers' processors in a pool of processes;
and the memory of one process over many rows.

Ours reads JSON Lines and files and writes TFRecord; the others read the same and write nothing. Every
contender runs in processes of its own. "At work" leaves out the seconds until TensorFlow and the model are
loaded.
"""

import io
import json
import multiprocessing
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Iterator
from typing import Annotated, Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import typer

from export.verify.samples import demonstration_file

KINDS = ("text", "text", "image", "text", "audio", "text", "image", "text", "image", "both")
"""Of every ten rows."""
SIDE, SECONDS, RATE, TOKENS = 512, 10, 16_000, 120
BATCH = 16
CONTENDERS = (
    "ours, 1 process",
    "ours, 2 processes",
    "KerasHub's class in tf.data",
    "transformers in 2 processes",
)
MEMORY_MARKS = 10
BEAM_PYTHON = pathlib.Path(".venv-bulk/bin/python")
"""Runs ours: Beam cannot be installed beside what the others need. `make .venv-bulk/installed` makes it."""


def write_rows(folder: pathlib.Path, rows: int) -> None:
    """A JSON Lines file, and its pictures and sounds."""
    import tensorflow as tf

    from benchmarks import texts
    from export.verify import samples

    text = texts.english()
    for number in range(8):
        noisy = np.roll(samples.pixels(SIDE, SIDE), 31 * number, axis=1)
        (folder / f"{number}.jpg").write_bytes(tf.io.encode_jpeg(noisy, quality=90).numpy())
        clip = np.roll(0.5 * samples.sounds(SECONDS * RATE)["sweep"], 999 * number)
        (folder / f"{number}.wav").write_bytes(tf.audio.encode_wav(clip[:, np.newaxis], RATE).numpy())
    with (folder / "rows.jsonl").open("w") as file:
        for number in range(rows):
            kind, start = KINDS[number % len(KINDS)], number * 97 % (len(text) - 1000)
            row: dict[str, Any] = {"prompt": text[start : start + 4 * TOKENS], "kind": kind}
            if kind in ("image", "both"):
                row |= {"prompt": f"<|image|>{row['prompt']}", "images": [f"{number % 8}.jpg"]}
            if kind in ("audio", "both"):
                row |= {"prompt": f"{row['prompt']}<|audio|>", "audio": [f"{number % 8}.wav"]}
            file.write(json.dumps(row) + "\n")


def export(vocabulary: pathlib.Path, folder: pathlib.Path) -> None:
    """The compact export that ours runs."""
    import graph_ops
    from export.saved_model.write import export_saved_model

    preprocessor = graph_ops.Gemma4CausalLMPreprocessor(
        graph_ops.Gemma4Tokenizer(vocabulary),
        graph_ops.Gemma4ImageConverter(),
        graph_ops.Gemma4AudioConverter(),
        max_images_per_prompt=1,
    )
    export_saved_model(preprocessor, folder, compact=True)


def ours(folder: pathlib.Path, workers: int) -> float:
    """Seconds at work of a job."""
    from export.bulk.job import Job, begin, prepare
    from export.bulk.local_workers import run_workers
    from export.bulk.model import load_model
    from export.bulk.statistics import total

    output = str(folder / f"out{workers}" / "rows")
    job = Job(str(folder / "model" / "1"), (str(folder / "rows.jsonl"),), output, shards=2 * 8, threads=1)
    prepared = prepare(job, load_model(job.model, threads=1))
    begin(prepared)
    run_workers(prepared, workers, lambda: None)
    return total(job.layout.marker_texts()).seconds / workers


def keras_hub(folder: pathlib.Path, vocabulary: pathlib.Path) -> float:
    """Seconds of KerasHub's class, in batches of rows of the same media."""
    import keras_hub as library
    import tensorflow as tf

    preprocessor = library.models.Gemma4CausalLMPreprocessor(
        library.models.Gemma4Tokenizer(str(vocabulary)),
        image_converter=library.layers.Gemma4ImageConverter(scale=1 / 255),
        audio_converter=library.layers.Gemma4AudioConverter(mel_floor=1e-3),
        max_images_per_prompt=1,
    )

    def read(row: dict[str, Any]) -> dict[str, Any]:
        given = {"prompts": row["prompt"]}
        if "images" in row:
            image = tf.io.decode_jpeg(tf.io.read_file(row["images"]), channels=3)
            given["images"] = tf.ensure_shape(image, [SIDE, SIDE, 3])
        if "audio" in row:
            clip = tf.audio.decode_wav(tf.io.read_file(row["audio"]), 1).audio[:, 0]
            given["audio"] = tf.ensure_shape(clip, [SECONDS * RATE])
        return given

    rows = [json.loads(line) for line in (folder / "rows.jsonl").open()]
    datasets = []
    for kind in sorted(set(KINDS)):
        some = [row for row in rows if row["kind"] == kind]
        columns: dict[str, Any] = {"prompt": [row["prompt"] for row in some]}
        for name in ("images", "audio"):
            if name in some[0]:
                columns[name] = [str(folder / row[name][0]) for row in some]
        data = tf.data.Dataset.from_tensor_slices(columns).map(read, num_parallel_calls=2)
        datasets.append(data.batch(BATCH).map(preprocessor.generate_preprocess, num_parallel_calls=2))
    begun = time.perf_counter()
    for dataset in datasets:
        for _ in dataset.prefetch(2):
            pass
    return time.perf_counter() - begun


_PEERS: dict[str, Any] = {}


def _load_peers(vocabulary: str) -> None:
    import sentencepiece
    from transformers.models.gemma4.feature_extraction_gemma4 import Gemma4AudioFeatureExtractor
    from transformers.models.gemma4.image_processing_pil_gemma4 import Gemma4ImageProcessorPil

    from benchmarks.peers import huggingface_tokenizer

    found = huggingface_tokenizer(pathlib.Path(vocabulary))
    processor = sentencepiece.SentencePieceProcessor(model_file=vocabulary)
    _PEERS["encode"] = found.encode if found else processor.encode
    _PEERS["image"], _PEERS["audio"] = Gemma4ImageProcessorPil(), Gemma4AudioFeatureExtractor()


def _process(task: tuple[str, str]) -> int:
    import PIL.Image

    folder, row = task[0], json.loads(task[1])
    made = [_PEERS["encode"](row["prompt"])]
    for name in row.get("images", []):
        image = np.asarray(PIL.Image.open(f"{folder}/{name}").convert("RGB"))
        made.append(_PEERS["image"].preprocess(image, return_tensors="np", input_data_format="channels_last"))
    for name in row.get("audio", []):
        with wave.open(io.BytesIO(pathlib.Path(folder, name).read_bytes())) as file:
            clip = np.frombuffer(file.readframes(file.getnframes()), np.int16) / np.float32(32768)
        made.append(_PEERS["audio"]([clip], sampling_rate=RATE, return_tensors="np"))
    return len(made)  # the arrays stay where they are, which is less work than ours has


def transformers(folder: pathlib.Path, vocabulary: pathlib.Path) -> float:
    """Seconds of a pool of two processes, once it has loaded."""
    os.environ["OMP_NUM_THREADS"] = "1"
    tasks = [(str(folder), line) for line in (folder / "rows.jsonl").open()]
    context = multiprocessing.get_context("spawn")
    with context.Pool(2, initializer=_load_peers, initargs=[str(vocabulary)]) as pool:
        pool.map(_process, tasks[:BATCH], chunksize=BATCH // 2)
        begun = time.perf_counter()
        for _ in pool.imap_unordered(_process, tasks, chunksize=BATCH):
            pass
        return time.perf_counter() - begun


def memory(folder: pathlib.Path, rows: int) -> Iterator[tuple[int, float]]:
    """Rows done, and MB of this process: every row is made and encoded, and dropped."""
    from export.bulk.job import Job, prepare
    from export.bulk.model import load_model
    from export.bulk.plan import Run
    from export.bulk.shards import ShardWork
    from export.bulk.sinks import as_example
    from export.bulk.sources.formats import scan_file

    job = Job(
        str(folder / "model" / "1"), (str(folder / "rows.jsonl"),), str(folder / "out" / "rows"), threads=1
    )
    model = load_model(job.model, threads=1)
    prepared = prepare(job, model)
    index = scan_file(*prepared.files[0], job.limits)

    def encode(key: str, row: Any) -> None:
        as_example(key, row, prepared.written)

    done = 0
    while done < rows:
        stop = min(index.rows, rows // MEMORY_MARKS)
        run = Run(index, "jsonl", 0, stop)
        ShardWork(prepared, model).run([run], encode)
        done += stop
        resident = re.search(r"VmRSS:\s+(\d+)", pathlib.Path("/proc/self/status").read_text())
        assert resident
        yield done, int(resident[1]) / 1e3


def _one(name: str, folder: pathlib.Path, vocabulary: pathlib.Path) -> float:
    if name.startswith("ours"):
        return ours(folder, CONTENDERS.index(name) + 1)
    return (keras_hub if "KerasHub" in name else transformers)(folder, vocabulary)


def main(
    rows: Annotated[int, typer.Option(help="Rows that every contender makes.")] = 2000,
    memory_rows: Annotated[int, typer.Option(help="Rows to watch the memory over; 0 for none.")] = 20_000,
    only: Annotated[str, typer.Option(hidden=True)] = "",
    folder: Annotated[pathlib.Path | None, typer.Option(hidden=True)] = None,
) -> None:
    """Prints rows a second of each contender, and the memory."""
    vocabulary = pathlib.Path(os.environ.get("GEMMA4_TOKENIZER") or demonstration_file("demonstration.spm"))
    if folder:
        if only == "memory":
            for done, megabytes in memory(folder, memory_rows):
                print(done, f"{megabytes:.0f}", flush=True)
        else:
            print(_one(only, folder, vocabulary))
        return
    if not BEAM_PYTHON.exists():
        raise typer.BadParameter(f"{BEAM_PYTHON} is not there. Run make {BEAM_PYTHON.parents[1]}/installed.")
    with tempfile.TemporaryDirectory() as name:
        place = pathlib.Path(name)
        write_rows(place, rows)
        export(vocabulary, place / "model")
        print("| contender | seconds at work | rows/s | seconds in all |\n| --- | --- | --- | --- |")
        for contender in CONTENDERS:
            begun = time.perf_counter()
            seconds = float(_child(place, contender)[-1])
            whole = time.perf_counter() - begun
            print(f"| {contender} | {seconds:.1f} | {rows / seconds:.1f} | {whole:.1f} |", flush=True)
        if memory_rows:
            lines = _child(place, "memory", "--memory-rows", str(memory_rows))
            last = lines[-2 * MEMORY_MARKS :]
            for count, size in zip(last[::2], last[1::2], strict=True):
                print(f"{int(count):,} rows: {size} MB", flush=True)


def _child(folder: pathlib.Path, only: str, *more: str) -> list[str]:
    python = str(BEAM_PYTHON) if only.startswith(("ours", "memory")) else sys.executable
    command = [python, "-m", "benchmarks.bulk", "--only", only, "--folder", str(folder), *more]
    environment = {**os.environ, "PYTHONPATH": "."}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    return done.stdout.split()


if __name__ == "__main__":
    typer.run(main)
