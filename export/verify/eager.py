"""The class in Python as a `Runtime`."""

from typing import Any

import numpy as np
import tensorflow as tf

from export.outputs import Arrays
from export.runtime import Files, Media, cut
from graph_ops.family import GEMMA4
from graph_ops.layers.converters import CONVERTERS
from graph_ops.layers.gemma3 import CLASSES
from graph_ops.media.table import BY_NAME, MEDIA
from graph_ops.text.reading import prompt_reading
from graph_ops.text.vocabulary.vocabulary import Vocabulary


class EagerRuntime:
    """The class in Python, with an artifact's settings and vocabulary."""

    name = "Python"

    def __init__(self, settings: dict[str, Any], vocabulary: Vocabulary) -> None:
        layers = ((medium, settings.get(medium.converter)) for medium in MEDIA)
        converters = {
            medium.converter: layer and CONVERTERS[medium.name](**_without_layer_keys(layer["config"]))
            for medium, layer in layers
        }
        kept = _without_layer_keys(settings)
        made = CLASSES[kept.pop("family", GEMMA4.name)]
        self._preprocessor: Any = made(**{**kept, **converters, "tokenizer": made.tokenizer_cls(vocabulary)})

    def tokenize(self, texts: list[bytes]) -> list[np.ndarray]:
        """See `Runtime`."""
        rows = self._preprocessor.tokenizer.tokenize_rows(
            tf.constant(texts), reading=prompt_reading(self._preprocessor.row)
        )
        return cut(rows.token_ids.numpy(), rows.lengths.numpy())

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
        return self._row(prompt, media)

    def row_of_files(self, prompt: str, files: Files) -> Arrays:
        """See `Runtime`."""
        return self._row(prompt, files)

    def _row(self, prompt: str, media: Media | Files) -> Arrays:
        given = {BY_NAME[name].argument: [list(items)] for name, items in media.items() if items}
        features = self._preprocessor.generate_preprocess({"prompts": [prompt], **given})
        return {name: np.asarray(value) for name, value in features.items()}


def _without_layer_keys(settings: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in settings.items() if key not in ("name", "trainable", "dtype")}
