"""The tasks that are timed, each as ours and its peers'.

Inputs differ from round to round where a peer caches (`tokenizers` keeps short sequences), and both sides
start from the same Python
objects: strings, uint8 arrays, float32 arrays, or the bytes of files.
"""

import io
import pathlib
import random
import wave
from collections.abc import Iterator
from typing import Any

import keras_hub
import numpy as np
import PIL.Image
import sentencepiece
import tensorflow as tf
from transformers.models.gemma4.feature_extraction_gemma4 import Gemma4AudioFeatureExtractor
from transformers.models.gemma4.image_processing_pil_gemma4 import Gemma4ImageProcessorPil

import graph_ops
from benchmarks import chat, ids, peers, texts, videos
from benchmarks.measuring import CALLS_IN_A_TURN, Comparison, Work, compared
from export.saved_model.signatures import signatures
from export.signature import input_specs
from export.verify import samples

REQUEST_TOKENS = 60
IMAGE_SIDES = (512, 1400)
AUDIO_SECONDS = 10
SAMPLING_RATE = 16_000


class Bench:
    """Everything set up once: the graph of each signature, and the peers."""

    def __init__(self, vocabulary: pathlib.Path, rounds: int) -> None:
        self.vocabulary, self.rounds = vocabulary, rounds
        self.tokenizer = graph_ops.Gemma4Tokenizer(vocabulary)
        self.processor = sentencepiece.SentencePieceProcessor(model_proto=self.tokenizer.proto)
        self.peer_tokenizer = peers.huggingface_tokenizer(vocabulary)
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
                "generate_preprocess",
                "generate_preprocess_arrays",
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

    def comparisons(self) -> Iterator[Comparison]:
        """Every task, one after the other."""
        yield from ids.comparisons(self.vocabulary, self.rounds)
        for side in IMAGE_SIDES:
            yield from self.image(side)
        yield from self.audio()
        yield from self.converters()
        yield from self.request_from_arrays()
        yield from self.request_from_files()
        yield from videos.comparisons(self.vocabulary, self.rounds)
        yield from chat.comparisons(self.vocabulary, self.rounds)

    def image(self, side: int) -> Iterator[Comparison]:
        """Pixels to patches and positions."""
        image = samples.pixels(side, side)
        contenders = {
            "ours": lambda _: self.image_graph(tf.constant(image)),
            "Gemma4ImageProcessorPil": lambda _: self._processed(image),
        }
        yield from compared(f"image {side}×{side}", contenders, self.rounds, {"Gemma4ImageProcessorPil": 0.8})

    def audio(self) -> Iterator[Comparison]:
        """Samples to log-mel frames."""
        clip = _clip()
        contenders = {
            "ours": lambda _: self.audio_graph(tf.constant(clip[np.newaxis]), tf.constant([len(clip)])),
            "Gemma4AudioFeatureExtractor": lambda _: self._extracted(clip),
        }
        yield from compared(
            f"audio {AUDIO_SECONDS} s", contenders, self.rounds, {"Gemma4AudioFeatureExtractor": 0.8}
        )

    def converters(self) -> Iterator[Comparison]:
        """The layers called from Python, each on a file."""
        jpeg, wav = _files()
        images, audio = graph_ops.Gemma4ImageConverter(), graph_ops.Gemma4AudioConverter()
        pil, extractor = "Gemma4ImageProcessorPil, and decoding", "Gemma4AudioFeatureExtractor, and decoding"
        for task, contenders in (
            (
                "`Gemma4ImageConverter()(jpeg)`, 512×512",
                {"ours": lambda _: images(jpeg), pil: lambda _: self._processed(_pixels(jpeg))},
            ),
            (
                f"`Gemma4AudioConverter()(wav)`, {AUDIO_SECONDS} s",
                {"ours": lambda _: audio(wav), extractor: lambda _: self._extracted(_samples(wav))},
            ),
        ):
            yield from compared(task, contenders, self.rounds, {})

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
        yield from compared(
            task,
            contenders,
            self.rounds,
            {"the three together": 0.6, "KerasHub's class in a tf.function": 0.5},
        )

    def request_from_files(self) -> Iterator[Comparison]:
        """A whole request, media as a JPEG and a WAV."""
        (jpeg, wav), prompts = _files(), self._prompts()

        def ours(turn: int) -> Any:
            return self.graphs["generate_preprocess"](
                {
                    "prompts": tf.constant([prompts[turn]]),
                    "images": tf.constant([[jpeg]]),
                    "audio": tf.constant([[wav]]),
                }
            )

        def together(turn: int) -> Any:
            image, sound = _pixels(jpeg), _samples(wav)
            return self._encoded(prompts[turn]), self._processed(image), self._extracted(sound)

        contenders: dict[str, Work] = {"ours": ours, "the three together, and decoding": together}
        yield from compared("the same from a JPEG and a WAV", contenders, self.rounds, {})

    def _prompts(self) -> list[str]:
        """Prompts of about 60 tokens with a placeholder for each medium, another each round."""
        text, draw = texts.english(), random.Random(1)
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


def _files() -> tuple[bytes, bytes]:
    """A JPEG of 512×512 and a WAV."""
    jpeg = tf.io.encode_jpeg(samples.pixels(512, 512), quality=90)
    return jpeg.numpy(), tf.audio.encode_wav(_clip()[:, np.newaxis], SAMPLING_RATE).numpy()


def _pixels(jpeg: bytes) -> np.ndarray:
    return np.asarray(PIL.Image.open(io.BytesIO(jpeg)).convert("RGB"))


def _samples(wav: bytes) -> np.ndarray:
    with wave.open(io.BytesIO(wav)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), np.int16) / np.float32(32768)
