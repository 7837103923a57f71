"""One preprocessor in each place it runs, behind one interface, so that `verify` asks all of them the same
questions.
"""

import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
import tensorflow as tf

from export.litert import run as litert_running
from export.litert.write import MODEL
from export.outputs import Arrays, scaled
from export.saved_model import run as running
from export.saved_model.write import read_description, read_vocabulary
from graph_ops import Gemma4CausalLMPreprocessor, Gemma4Tokenizer
from graph_ops.layers.converters import Gemma4AudioConverter, Gemma4ImageConverter
from graph_ops.media.arrays import pack_items
from graph_ops.media.table import BY_NAME, MEDIA
from graph_ops.text.reading import prompt_reading
from graph_ops.text.vocabulary.vocabulary import Vocabulary

Media = Mapping[str, Sequence[np.ndarray]]
"""Items by the medium's name: pixels uint8 [H, W, 3], samples float32 [T]."""


class Runtime(Protocol):
    """What can be asked of a preprocessor, whatever runs it."""

    name: str

    def tokenize(self, texts: list[bytes]) -> list[np.ndarray]:
        """The ids of each text."""

    def detokenize(self, rows: np.ndarray) -> list[bytes]:
        """The text of each row of ids int32 [R, L]."""

    def postprocess(self, token_ids: np.ndarray, padding_mask: np.ndarray) -> bytes:
        """The text of a generated row, int32 [1, S] and bool [1, S]."""

    def row(self, prompt: str, media: Media) -> Arrays:
        """The features of one prompt with its media."""


class Artifact(NamedTuple):
    """An artifact's settings and vocabulary, and the runtimes that it runs in."""

    settings: dict[str, Any]
    vocabulary: Vocabulary
    runtimes: list[Runtime]


def load_artifact(folder: "str | os.PathLike[str]") -> Artifact:
    """A SavedModel's version folder or a LiteRT bundle.

    Raises:
        FileNotFoundError: neither.
    """
    if litert_running.is_bundle(folder):
        bundle = litert_running.load_bundle(folder)
        runtimes: list[Runtime] = [InterpreterRuntime(bundle), CompiledModelRuntime(bundle)]
        return Artifact(bundle.description["preprocessor"], bundle.vocabulary, runtimes)
    description, loaded = read_description(folder), running.load(folder)
    return Artifact(
        description["preprocessor"],
        read_vocabulary(folder),
        [SavedModelRuntime(loaded, description["preprocessor"])],
    )


class EagerRuntime:
    """The class in Python, with an artifact's settings and vocabulary."""

    name = "Python"

    def __init__(self, settings: dict[str, Any], vocabulary: Vocabulary) -> None:
        converters = {
            name: layer
            and make(
                **{
                    key: value
                    for key, value in layer["config"].items()
                    if key not in ("name", "trainable", "dtype")
                }
            )
            for name, make in (
                ("image_converter", Gemma4ImageConverter),
                ("audio_converter", Gemma4AudioConverter),
            )
            for layer in [settings[name]]
        }
        kept = {key: value for key, value in settings.items() if key not in ("name", "trainable", "dtype")}
        self._preprocessor = Gemma4CausalLMPreprocessor(
            **{**kept, **converters, "tokenizer": Gemma4Tokenizer(vocabulary)}
        )

    def tokenize(self, texts: list[bytes]) -> list[np.ndarray]:
        """See `Runtime`."""
        rows = self._preprocessor.tokenizer.tokenize_rows(
            tf.constant(texts), reading=prompt_reading(self._preprocessor.row)
        )
        return _cut(rows.token_ids.numpy(), rows.lengths.numpy())

    def detokenize(self, rows: np.ndarray) -> list[bytes]:
        """See `Runtime`."""
        return list(self._preprocessor.tokenizer.detokenize(tf.constant(rows)).numpy())

    def postprocess(self, token_ids: np.ndarray, padding_mask: np.ndarray) -> bytes:
        """See `Runtime`."""
        return self._preprocessor.generate_postprocess(
            {"token_ids": token_ids, "padding_mask": padding_mask}
        )[0].encode()

    def row(self, prompt: str, media: Media) -> Arrays:
        """See `Runtime`."""
        given = {BY_NAME[name].argument: [list(items)] for name, items in media.items() if items}
        features = self._preprocessor.generate_preprocess({"prompts": [prompt], **given})
        return {name: np.asarray(value) for name, value in features.items()}


class SavedModelRuntime:
    """An export's signatures in `tf.saved_model.load`."""

    name = "SavedModel"

    def __init__(self, loaded: running.Loaded, settings: dict[str, Any]) -> None:
        self._signatures = loaded.signatures
        self._loaded, self._settings = loaded, settings
        self._media = [medium for medium in MEDIA if settings[medium.converter] is not None]

    def tokenize(self, texts: list[bytes]) -> list[np.ndarray]:
        """See `Runtime`."""
        rows = self._signatures["tokenize"](text=tf.constant(texts))
        return _cut(rows["token_ids"].numpy(), rows["lengths"].numpy())

    def detokenize(self, rows: np.ndarray) -> list[bytes]:
        """See `Runtime`."""
        lengths = tf.fill([len(rows)], rows.shape[1])
        return list(
            self._signatures["detokenize"](token_ids=tf.constant(rows), lengths=lengths)["text"].numpy()
        )

    def postprocess(self, token_ids: np.ndarray, padding_mask: np.ndarray) -> bytes:
        """See `Runtime`."""
        given = {"token_ids": tf.constant(token_ids), "padding_mask": tf.constant(padding_mask)}
        return self._signatures["generate_postprocess"](**given)["text"].numpy()[0]

    def row(self, prompt: str, media: Media) -> Arrays:
        """See `Runtime`."""
        given: dict[str, Any] = {"prompts": tf.constant([prompt])}
        for medium in self._media:
            items = media.get(medium.name, ())
            packed = pack_items([items], medium=medium, slots=len(items))
            given |= {
                name: tf.constant(value)
                for name, value in zip((medium.argument, medium.sizes), packed, strict=True)
            }
        signature = "generate_preprocess_arrays" if self._media else "generate_preprocess_text"
        return scaled(_arrays(self._signatures[signature](**given)), self._settings)


class InterpreterRuntime:
    """A bundle in LiteRT's Interpreter."""

    name = "LiteRT Interpreter"

    def __init__(self, bundle: litert_running.Bundle) -> None:
        self._bundle = bundle

    def tokenize(self, texts: list[bytes]) -> list[np.ndarray]:
        """See `Runtime`."""
        found = (self._bundle.run("tokenize", **litert_running.text_inputs("text", text)) for text in texts)
        return [outputs["token_ids"][0, : outputs["lengths"][0]] for outputs in found]

    def detokenize(self, rows: np.ndarray) -> list[bytes]:
        """See `Runtime`."""
        length = np.array([rows.shape[1]], np.int32)
        found = (self._bundle.run("detokenize", token_ids=row[np.newaxis], lengths=length) for row in rows)
        return [_text(outputs) for outputs in found]

    def postprocess(self, token_ids: np.ndarray, padding_mask: np.ndarray) -> bytes:
        """See `Runtime`."""
        return _text(
            self._bundle.run(
                "generate_postprocess", token_ids=token_ids, padding_mask=padding_mask.astype(np.int32)
            )
        )

    def row(self, prompt: str, media: Media) -> Arrays:
        """See `Runtime`."""
        return litert_running.request(self._bundle, prompt.encode(), media)


class CompiledModelRuntime(InterpreterRuntime):
    """A bundle in LiteRT's CompiledModel, on the CPU."""

    name = "LiteRT CompiledModel"

    def __init__(self, bundle: litert_running.Bundle) -> None:
        super().__init__(
            bundle._replace(
                interpreter=litert_running.CompiledRunner(bundle.folder / MODEL, bundle.description)
            )
        )


def _cut(rows: np.ndarray, lengths: np.ndarray) -> list[np.ndarray]:
    return [row[:length] for row, length in zip(rows, lengths, strict=True)]


def _text(outputs: Arrays) -> bytes:
    return outputs["text"].tobytes()[: int(outputs["text_length"][0])]


def _arrays(outputs: dict[str, tf.Tensor]) -> Arrays:
    return {name: value.numpy() for name, value in outputs.items()}
