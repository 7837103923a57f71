"""The tasks that are timed, each as ours and its peers'.

Inputs differ from round to round where a peer caches (`tokenizers` keeps short sequences), and both sides
start from the same Python
objects: strings, uint8 arrays, float32 arrays, or the bytes of files.
"""

import base64
import io
import json
import lzma
import os
import pathlib
import pydoc_data.topics
import random
import wave
from collections.abc import Iterator
from typing import Any

import keras_hub
import numpy as np
import PIL.Image
import sentencepiece
import tensorflow as tf
import tokenizers
from transformers.models.gemma4.feature_extraction_gemma4 import Gemma4AudioFeatureExtractor
from transformers.models.gemma4.image_processing_pil_gemma4 import Gemma4ImageProcessorPil

import graph_ops
from benchmarks.measuring import CALLS_IN_A_TURN, Comparison, Work, medians
from benchmarks.text import litert_tokenizer
from export.saved_model.signatures import signatures
from export.signature import input_specs
from export.verify import samples

NUM_PROMPTS, PROMPT_CHARACTERS = 32, 500
REQUEST_TOKENS = 60
IMAGE_SIDES = (512, 1400)
AUDIO_SECONDS = 10
SAMPLING_RATE = 16_000


def english() -> str:
    """About 700,000 characters of English prose with some code: the language reference that every Python
    carries.
    """
    return "\n".join(pydoc_data.topics.topics.values())


def world() -> str | None:
    """The corpus that GEMMA4_CORPUS names, in 266 languages, or None."""
    corpus = os.environ.get("GEMMA4_CORPUS")
    if not corpus:
        return None
    texts = [
        json.loads(line)["text"] for line in pathlib.Path(corpus).read_text(encoding="utf-8").splitlines()
    ]
    return "\n".join(text[:3000] for text in texts)


def prompt_batches(text: str, count: int) -> list[list[str]]:
    """Batches of prompts cut out of a text at random places."""
    draw = random.Random(0)

    def prompt() -> str:
        start = draw.randrange(len(text) - PROMPT_CHARACTERS)
        return text[start : start + PROMPT_CHARACTERS]

    return [[prompt() for _ in range(NUM_PROMPTS)] for _ in range(count)]


def huggingface_tokenizer(vocabulary: pathlib.Path) -> tokenizers.Tokenizer | None:
    """`tokenizers` with the same vocabulary, if its tokenizer.json lies beside."""
    packed = vocabulary.with_name("tokenizer.json.xz")
    return (
        tokenizers.Tokenizer.from_str(lzma.decompress(packed.read_bytes()).decode())
        if packed.is_file()
        else None
    )


class Bench:
    """Everything set up once: the graph of each signature, and the peers."""

    def __init__(self, vocabulary: pathlib.Path, rounds: int) -> None:
        self.rounds = rounds
        self.tokenizer = graph_ops.Gemma4Tokenizer(vocabulary)
        self.processor = sentencepiece.SentencePieceProcessor(model_proto=self.tokenizer.proto)
        self.peer_tokenizer = huggingface_tokenizer(vocabulary)
        self.image_processor = Gemma4ImageProcessorPil()
        self.extractor = Gemma4AudioFeatureExtractor()
        preprocessor = graph_ops.Gemma4CausalLMPreprocessor(
            self.tokenizer,
            graph_ops.Gemma4ImageConverter(),
            graph_ops.Gemma4AudioConverter(),
            max_images_per_prompt=1,
            parity="transformers",
        )
        table = signatures(preprocessor.settings)
        self.graphs = {
            name: tf.function(
                table[name].function, input_signature=[input_specs(table[name])], autograph=False
            ).get_concrete_function()
            for name in (
                "tokenize",
                "generate_preprocess",
                "generate_preprocess_arrays",
                "generate_preprocess_text",
            )
        }
        self.image_graph = tf.function(preprocessor.image_converter, autograph=False)
        self.keras_hub_preprocessor = keras_hub.models.Gemma4CausalLMPreprocessor(
            keras_hub.models.Gemma4Tokenizer(str(vocabulary)),
            image_converter=keras_hub.layers.Gemma4ImageConverter(scale=1 / 255),
            audio_converter=keras_hub.layers.Gemma4AudioConverter(mel_floor=1e-3),
            max_images_per_prompt=1,
        )
        self.audio_graph = _audio_graph(preprocessor)
        self.litert_tokenizer = litert_tokenizer(
            graph_ops.Gemma4Tokenizer(vocabulary, engine="builtin").engine
        )

    def comparisons(self) -> Iterator[Comparison]:
        """Every task, one after the other."""
        yield from self.ids("English", english(), 1.0)
        if text := world():
            yield from self.ids("266 languages", text, None)
        yield from self.ids_in_litert()
        for side in IMAGE_SIDES:
            yield from self.image(side)
        yield from self.audio()
        yield from self.request_from_arrays()
        yield from self.request_from_files()

    def ids(self, name: str, text: str, target: float | None) -> Iterator[Comparison]:
        """Text to padded ids."""
        batches = prompt_batches(text, self.rounds * CALLS_IN_A_TURN)
        contenders: dict[str, Work] = {
            "ours": lambda turn: self.graphs["tokenize"]({"text": tf.constant(batches[turn])}),
            "sentencepiece": lambda turn: self.processor.encode(batches[turn]),
        }
        if self.peer_tokenizer:
            contenders["tokenizers"] = lambda turn: self.peer_tokenizer.encode_batch(
                batches[turn], add_special_tokens=False
            )
        task = f"ids of {NUM_PROMPTS} prompts of {PROMPT_CHARACTERS} characters, {name}"
        yield from _compared(task, contenders, self.rounds, {"tokenizers": target})

    def ids_in_litert(self) -> Iterator[Comparison]:
        """Bytes to ids in LiteRT, one thread: short, long, and random letters, which make long segments."""
        calls, text, draw = self.rounds * CALLS_IN_A_TURN, english(), random.Random(2)
        texts = {
            f"{size} characters, English": _cut_out(text, size, calls, draw) for size in (1000, 2000, 16_000)
        }
        texts["4096 characters, base64"] = [
            base64.b64encode(draw.randbytes(3072)).decode() for _ in range(calls)
        ]
        targets = {"2000 characters, English": 3.0}
        for name, given in texts.items():
            contenders = self._makers_of_ids(given)
            yield from _compared(
                f"ids in LiteRT of {name}", contenders, self.rounds, {"sentencepiece": targets.get(name)}
            )

    def _makers_of_ids(self, texts: list[str]) -> dict[str, Work]:
        return {
            "ours": lambda turn: self.litert_tokenizer(texts[turn]),
            "sentencepiece": lambda turn: self.processor.encode(texts[turn]),
        }

    def image(self, side: int) -> Iterator[Comparison]:
        """Pixels to patches and positions."""
        image = samples.pixels(side, side)
        contenders = {
            "ours": lambda _: self.image_graph(tf.constant(image)),
            "Gemma4ImageProcessorPil": lambda _: self._processed(image),
        }
        yield from _compared(
            f"image {side}×{side}", contenders, self.rounds, {"Gemma4ImageProcessorPil": 0.8}
        )

    def audio(self) -> Iterator[Comparison]:
        """Samples to log-mel frames."""
        clip = _clip()
        contenders = {
            "ours": lambda _: self.audio_graph(tf.constant(clip[np.newaxis]), tf.constant([len(clip)])),
            "Gemma4AudioFeatureExtractor": lambda _: self._extracted(clip),
        }
        yield from _compared(
            f"audio {AUDIO_SECONDS} s", contenders, self.rounds, {"Gemma4AudioFeatureExtractor": 0.8}
        )

    def request_from_arrays(self) -> Iterator[Comparison]:
        """A whole request, media as arrays."""
        image, clip, prompts = samples.pixels(512, 512), _clip(), self._prompts()

        def ours(turn: int) -> Any:
            return self.graphs["generate_preprocess_arrays"](
                {
                    "prompts": tf.constant([prompts[turn]]),
                    "images": tf.constant(image[np.newaxis, np.newaxis]),
                    "image_sizes": tf.constant([[[512, 512]]]),
                    "audio": tf.constant(clip[np.newaxis, np.newaxis]),
                    "audio_lengths": tf.constant([[len(clip)]]),
                }
            )

        traced = tf.function(
            lambda prompts, images, audio: self.keras_hub_preprocessor.generate_preprocess(
                {"prompts": prompts, "images": images, "audio": audio}
            )
        )
        contenders: dict[str, Work] = {
            "ours": ours,
            "the three together": lambda turn: (
                self._encoded(prompts[turn]),
                self._processed(image),
                self._extracted(clip),
            ),
            "KerasHub's class in a tf.function": lambda turn: traced(
                tf.constant([prompts[turn]]), tf.constant(image[np.newaxis]), tf.constant(clip[np.newaxis])
            ),
        }
        task = f"request: {REQUEST_TOKENS} tokens, 512×512 image, {AUDIO_SECONDS} s of audio"
        yield from _compared(
            task,
            contenders,
            self.rounds,
            {"the three together": 0.6, "KerasHub's class in a tf.function": 0.5},
        )

    def request_from_files(self) -> Iterator[Comparison]:
        """A whole request, media as a JPEG and a WAV."""
        jpeg = tf.io.encode_jpeg(samples.pixels(512, 512), quality=90).numpy()
        clip, prompts = _clip(), self._prompts()
        wav = tf.audio.encode_wav(clip[:, np.newaxis], SAMPLING_RATE).numpy()

        def ours(turn: int) -> Any:
            return self.graphs["generate_preprocess"](
                {
                    "prompts": tf.constant([prompts[turn]]),
                    "images": tf.constant([[jpeg]]),
                    "audio": tf.constant([[wav]]),
                }
            )

        def together(turn: int) -> Any:
            image = np.asarray(PIL.Image.open(io.BytesIO(jpeg)).convert("RGB"))
            with wave.open(io.BytesIO(wav)) as file:
                sound = np.frombuffer(file.readframes(file.getnframes()), np.int16) / np.float32(32768)
            return self._encoded(prompts[turn]), self._processed(image), self._extracted(sound)

        contenders: dict[str, Work] = {"ours": ours, "the three together, and decoding": together}
        yield from _compared("the same from a JPEG and a WAV", contenders, self.rounds, {})

    def _prompts(self) -> list[str]:
        """Prompts of about 60 tokens with a placeholder for each medium, another each round."""
        text, draw = english(), random.Random(1)
        starts = [draw.randrange(len(text) - 2000) for _ in range(self.rounds * CALLS_IN_A_TURN)]
        cut = [
            self.processor.decode(self.processor.encode(text[start : start + 2000])[: REQUEST_TOKENS - 2])
            for start in starts
        ]
        return [f"<|image|>{prompt}<|audio|>" for prompt in cut]

    def _encoded(self, prompt: str) -> Any:
        return self.peer_tokenizer.encode(prompt) if self.peer_tokenizer else self.processor.encode(prompt)

    def _processed(self, image: np.ndarray) -> Any:
        return self.image_processor.preprocess(image, return_tensors="np", input_data_format="channels_last")

    def _extracted(self, clip: np.ndarray) -> Any:
        return self.extractor([clip], sampling_rate=SAMPLING_RATE, return_tensors="np")


def _cut_out(text: str, size: int, count: int, draw: random.Random) -> list[str]:
    starts = [draw.randrange(len(text) - size) for _ in range(count)]
    return [text[start : start + size] for start in starts]


def _audio_graph(preprocessor: graph_ops.Gemma4CausalLMPreprocessor) -> Any:
    from graph_ops.audio.encode import encode_audio

    config = preprocessor.audio_converter.config
    return tf.function(
        lambda samples, lengths: encode_audio(samples, lengths, parity="transformers", config=config),
        input_signature=[tf.TensorSpec([None, None], tf.float32), tf.TensorSpec([None], tf.int32)],
        autograph=False,
    )


def _clip() -> np.ndarray:
    return (
        0.5 * samples.sounds(AUDIO_SECONDS * SAMPLING_RATE)["sweep"]
        + 0.1 * samples.sounds(AUDIO_SECONDS * SAMPLING_RATE)["noise"]
    )


def _compared(
    task: str, contenders: dict[str, Work], rounds: int, targets: dict[str, float | None]
) -> Iterator[Comparison]:
    times = medians(contenders, rounds=rounds)
    for peer in contenders:
        if peer != "ours":
            yield Comparison(task, times["ours"], peer, times[peer], targets.get(peer))
