"""Inputs of every signature of a LiteRT bundle: what an app sends, in the order in which it does."""

import contextlib
import pathlib
from typing import Any

import numpy as np

from export.litert import run as running
from export.verify import samples
from tools.compatibility.requests import Arrays


class Recorder:
    """An interpreter that keeps the inputs of each call, as `signature/0`, `signature/1`, ….

    Attributes:
        calls: the inputs, by that label.
    """

    def __init__(self, interpreter: Any) -> None:
        self._interpreter = interpreter
        self.calls: dict[str, dict[str, np.ndarray]] = {}

    def get_signature_runner(self, name: str) -> Any:
        """The interpreter's own, recorded."""
        runner = self._interpreter.get_signature_runner(name)

        def run(**inputs: np.ndarray) -> Any:
            before = sum(label.partition("/")[0] == name for label in self.calls)
            self.calls[f"{name}/{before}"] = inputs
            return runner(**inputs)

        return run


def bundle_requests(folder: pathlib.Path) -> Arrays:
    """Inputs of every signature of a bundle of any size: texts good and hostile, a photograph, a clip, and
    what has a fault.
    """
    loaded = running.load_bundle(folder)
    recorder = Recorder(loaded.interpreter)
    bundle = loaded._replace(interpreter=recorder)
    _ask_about_texts(bundle)
    _ask_about_media(bundle)
    assert {label.partition("/")[0] for label in recorder.calls} == set(bundle.description["signatures"])
    return recorder.calls


def _ask_about_texts(bundle: running.Bundle) -> None:
    hostile = samples.hostile_texts(20, pieces=bundle.vocabulary.pieces)
    for text in [*(text.encode() for text in samples.FIXED_TEXTS), *hostile]:
        given = running.text_inputs("text", text)
        with contextlib.suppress(ValueError):  # the status of a text that is not UTF-8 is compared too
            found = bundle.run("tokenize", **given)
            row = {"token_ids": found["token_ids"], "lengths": found["lengths"]}
            bundle.run("token_offsets", **given, **row)
            bundle.run("detokenize", **row)
    row = {"token_ids": np.array([[300, 4095, 240]], np.int32), "lengths": np.array([3], np.int32)}
    pending = np.zeros((1, 3), np.int32)
    for is_last in (0, 1):
        streamed = bundle.run(
            "detokenize_stream", **row, pending=pending, is_last=np.array([is_last], np.int32)
        )
        pending = streamed["pending"]
    bundle.run(
        "generate_postprocess", token_ids=row["token_ids"], padding_mask=np.array([[1, 0, 1]], np.int32)
    )


def _ask_about_media(bundle: running.Bundle) -> None:
    names = {"image": "photo.jpg", "audio": "speech.wav"}
    files = {name: [samples.demonstration_file(file).read_bytes()] for name, file in names.items()}
    media = running.decoded(files, bundle.description["preprocessor"])
    pixels, sound = samples.pixels(50, 70), samples.sounds(9_000)["sweep"]
    soft_tokens = {}
    for image in (pixels, media["image"][0]):
        size = np.array([image.shape[:2]], np.int32)
        found = bundle.run("preprocess_image", images=image[np.newaxis], image_sizes=size)
        soft_tokens["image"] = int(found["soft_tokens"][0])
    for samples_ in (sound, media["audio"][0]):
        clip = np.asarray(samples_, np.float32)[np.newaxis]
        found = bundle.run("preprocess_audio", audio=clip, audio_lengths=np.array([clip.size], np.int32))
        soft_tokens["audio"] = int(found["soft_tokens"][0])
    prompt = b"What is it? <|image|> And he says? <|audio|>"
    running.request(bundle, prompt, media)
    running.request(bundle, b"see <|image|> and <|image|>", {"image": [pixels, media["image"][0]]})
    running.request(bundle, b"nothing", {})
    with contextlib.suppress(ValueError):
        running.request(bundle, b"no such <|image|>", {})
    bundle.run(
        "generate_preprocess_counts",
        **running.text_inputs("prompts", prompt),
        image_soft_tokens=np.array([[soft_tokens["image"], 0]], np.int32),
        audio_soft_tokens=np.array([[soft_tokens["audio"]]], np.int32),
    )
    ids = bundle.run("tokenize", **running.text_inputs("text", prompt))
    bundle.run(
        "count_tokens",
        token_ids=ids["token_ids"],
        lengths=ids["lengths"],
        image_sizes=np.array([[[50, 70], [0, 0]]], np.int32),
        audio_lengths=np.array([[9_000]], np.int32),
    )
