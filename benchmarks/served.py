"""`python -m benchmarks.served`: an exported SavedModel's signatures, called as a server calls them, beside
the references, with one thread an op and with TensorFlow's default.

The class and the steps are what `python -m benchmarks` measures; this is what users run: the export, loaded
from its files, with two image slots and one clip a row, most of which are empty.
"""

import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from typing import Annotated, Any, NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.measuring import Comparison, compared
from export.cli.quiet import quiet_stderr
from export.verify.samples import demonstration_file

THREADS = {"one thread an op": "1", "TensorFlow's default": ""}
SLOTS, BATCH, SECONDS, SAMPLING_RATE = 2, 16, (10, 30), 16_000
IMAGES = ((512, 512), (1400, 1400), (3000, 4000))
FAULTS_OVER = 20
"""Calls over which page faults are counted."""
TEXT = "What is in this picture? And what does he say? " + "Some more words about the weather. " * 6
"""Some 60 tokens."""


class Row(NamedTuple):
    """One comparison, and the page faults of one of our calls."""

    comparison: Comparison
    page_faults: float


class Request(NamedTuple):
    """What a row holds: an image and a clip, or None."""

    image: np.ndarray | None = None
    clip: np.ndarray | None = None

    def tensors(self, batch: int = 1) -> dict[str, Any]:
        """The inputs of `generate_preprocess_arrays`, NumPy arrays, `batch` rows alike."""
        height, width = (1, 1) if self.image is None else self.image.shape[:2]
        images = np.zeros((batch, SLOTS, height, width, 3), np.uint8)
        sizes = np.zeros((batch, SLOTS, 2), np.int32)
        if self.image is not None:
            images[:, 0], sizes[:, 0] = self.image, (height, width)
        length = 0 if self.clip is None else len(self.clip)
        audio = np.zeros((batch, 1, max(length, 1)), np.float32)
        audio[:, 0, :length] = [] if self.clip is None else self.clip
        marks = ("" if self.image is None else "<|image|>") + ("" if self.clip is None else "<|audio|>")
        return {
            "prompts": np.array([TEXT + marks] * batch, object),
            "images": images,
            "image_sizes": sizes,
            "audio": audio,
            "audio_lengths": np.full((batch, 1), length, np.int32),
        }


class Served:
    """A loaded export, and the references."""

    def __init__(self, folder: pathlib.Path, vocabulary: pathlib.Path, rounds: int) -> None:
        from transformers.models.gemma4.feature_extraction_gemma4 import Gemma4AudioFeatureExtractor
        from transformers.models.gemma4.image_processing_pil_gemma4 import Gemma4ImageProcessorPil

        from benchmarks import peers
        from export.saved_model import run

        self.rounds, self.vocabulary = rounds, vocabulary
        self.signatures = run.load(folder).signatures
        self.tokenizer = peers.huggingface_tokenizer(vocabulary)
        self.image_processor, self.extractor = Gemma4ImageProcessorPil(), Gemma4AudioFeatureExtractor()

    def rows(self) -> Iterator[Row]:
        """Every task, one after the other."""
        from export.verify import samples

        clips = [samples.sounds(seconds * SAMPLING_RATE)["sweep"] for seconds in SECONDS]
        whole = Request(samples.pixels(512, 512), clips[0])
        text = {"prompts": np.array([TEXT], object)}
        yield from self._row(
            "text signature", self._call("generate_preprocess_text", text), self._texts(), {}
        )
        yield from self._row("row without media", self._arrays(Request()), self._texts(), {})
        for height, width in IMAGES:
            image = samples.pixels(height, width)
            peer = {"Gemma4ImageProcessorPil": lambda _, image=image: self._processed(image)}
            yield from self._row(f"image {height}×{width}", self._arrays(Request(image)), peer, {0: 0.4})
        for seconds, clip in zip(SECONDS, clips, strict=True):
            peer = {"Gemma4AudioFeatureExtractor": lambda _, clip=clip: self._extracted(clip)}
            yield from self._row(f"audio {seconds} s", self._arrays(Request(clip=clip)), peer, {0: 0.5})
        wholes = {"the three together": self._together(whole), "KerasHub traced": self._keras_hub(whole)}
        yield from self._row("request", self._arrays(whole), wholes, {0: 0.4, 1: 0.35})
        one = self._arrays(whole)
        singly = {f"{BATCH} requests, one at a time": lambda turn: [one(turn) for _ in range(BATCH)]}
        yield from self._row(f"{BATCH} requests in a batch", self._arrays(whole, BATCH), singly, {0: 1 / 1.7})

    def _row(
        self, task: str, ours: Callable[[int], Any], peers: dict[str, Any], targets: dict[int, float]
    ) -> Iterator[Row]:
        wanted = {list(peers)[place]: target for place, target in targets.items()}
        found = list(compared(task, {"ours": ours} | peers, self.rounds, wanted))
        faults = _page_faults(ours)
        yield from (Row(comparison, faults) for comparison in found)

    def _call(self, name: str, arrays: dict[str, Any]) -> Callable[[int], Any]:
        """From NumPy arrays to tensors, as a server sees it but for the wire."""
        import tensorflow as tf

        function = self.signatures[name]
        return lambda _: function(**{key: tf.constant(value) for key, value in arrays.items()})

    def _arrays(self, request: Request, batch: int = 1) -> Callable[[int], Any]:
        return self._call("generate_preprocess_arrays", request.tensors(batch))

    def _texts(self) -> dict[str, Callable[[int], Any]]:
        # another text each time: `tokenizers` keeps short ones
        return {"tokenizers": lambda turn: self._encoded(turn)} if self.tokenizer else {}

    def _encoded(self, turn: int) -> Any:
        return self.tokenizer.encode(f"{turn} {TEXT}") if self.tokenizer else None

    def _processed(self, image: np.ndarray) -> Any:
        return self.image_processor.preprocess(image, return_tensors="np", input_data_format="channels_last")

    def _extracted(self, clip: np.ndarray) -> Any:
        return self.extractor([clip], sampling_rate=SAMPLING_RATE, return_tensors="np")

    def _together(self, request: Request) -> Callable[[int], Any]:
        image, clip = request.image, request.clip
        assert image is not None
        assert clip is not None
        return lambda turn: (self._encoded(turn), self._processed(image), self._extracted(clip))

    def _keras_hub(self, request: Request) -> Callable[[int], Any]:
        import keras_hub
        import tensorflow as tf

        layers = keras_hub.layers
        preprocessor = keras_hub.models.Gemma4CausalLMPreprocessor(
            keras_hub.models.Gemma4Tokenizer(str(self.vocabulary)),
            image_converter=layers.Gemma4ImageConverter(scale=1 / 255),
            audio_converter=layers.Gemma4AudioConverter(mel_floor=1e-3),
            max_images_per_prompt=SLOTS,
        )
        traced = tf.function(
            lambda prompts, images, audio: preprocessor.generate_preprocess(
                {"prompts": prompts, "images": images, "audio": audio}
            )
        )
        assert request.image is not None
        assert request.clip is not None
        prompt, images, audio = f"<|image|>{TEXT}<|audio|>", request.image[None, None], request.clip[None]
        return lambda _: traced(tf.constant([prompt]), tf.constant(images), tf.constant(audio))


def _page_faults(call: Callable[[int], Any]) -> float:
    """Minor faults of one call: pages that the system had to hand out."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for turn in range(FAULTS_OVER):
        call(turn)
    return (resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / FAULTS_OVER


def measure(folder: pathlib.Path, vocabulary: pathlib.Path, rounds: int) -> None:
    """Prints the rows of this process as JSON, a line each."""
    with quiet_stderr():
        served = Served(folder, vocabulary, rounds)
    for row in served.rows():
        print(json.dumps({**row.comparison._asdict(), "page_faults": row.page_faults}), flush=True)


def _measured(folder: pathlib.Path, vocabulary: pathlib.Path, rounds: int, threads: str) -> Iterator[Any]:
    """The rows of a process with so many threads an op."""
    environment = {**os.environ, "TF_NUM_INTRAOP_THREADS": threads}
    if not threads:
        del environment["TF_NUM_INTRAOP_THREADS"]
    command = f"from benchmarks.served import *; measure(pathlib.Path({str(folder)!r}), "
    command += f"pathlib.Path({str(vocabulary)!r}), {rounds})"
    with subprocess.Popen(
        [sys.executable, "-c", command], env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        for line in process.stdout or ():
            yield json.loads(line)
    if process.returncode:
        raise RuntimeError(f"measuring with {threads or 'the default number of'} threads an op failed")


def main(
    rounds: Annotated[int, typer.Option(help="Turns of each contender, of 20 calls each.", min=2)] = 4,
    engine: Annotated[str, typer.Option(help="Of the export's tokenizer.")] = "sentencepiece",
    parity: Annotated[str, typer.Option(help="Of the export.")] = "transformers",
) -> None:
    """Export once, and time its signatures in a process for each setting of threads."""
    vocabulary = pathlib.Path(os.environ.get("GEMMA4_TOKENIZER") or demonstration_file("demonstration.spm"))
    console = Console(highlight=False, width=None if os.isatty(1) else 140)
    columns = ("task", "ours, ms", "peer", "peer, ms", "ratio", "wanted", "page faults")
    with tempfile.TemporaryDirectory() as scratch, console.status("exporting") as status:
        with quiet_stderr():
            from export.saved_model.write import export_saved_model
            from graph_ops import Gemma4CausalLMPreprocessor, Gemma4Tokenizer

            preprocessor = Gemma4CausalLMPreprocessor.from_preset(
                "gemma4_2b",
                tokenizer=Gemma4Tokenizer(vocabulary, engine=engine),
                max_images_per_prompt=SLOTS,
                parity=parity,
            )
            folder = export_saved_model(preprocessor, scratch)
        for title, threads in THREADS.items():
            table = Table(*columns, title=title, title_justify="left", box=None, pad_edge=False)
            for row in _measured(folder, vocabulary, rounds, threads):
                status.update(f"measured {row['task']}, {title}")
                ratio, wanted = row["ours"] / row["theirs"], row["target"]
                table.add_row(
                    row["task"],
                    f"{row['ours']:.2f}",
                    row["peer"],
                    f"{row['theirs']:.2f}",
                    f"{ratio:.2f}",
                    "" if wanted is None else f"≤ {wanted:.2f}",
                    f"{row['page_faults']:,.0f}",
                )
            console.print(table)
    from benchmarks.__main__ import machine

    console.print(f"Vocabulary {vocabulary.name}, engine {engine}, parity {parity}. {machine()}.")


if __name__ == "__main__":
    typer.run(main)
