"""A SavedModel as a `Runtime`."""

from typing import Any

import numpy as np
import tensorflow as tf

from export.media import pack_arrays
from export.outputs import Arrays, scaled
from export.runtime import Files, Media, cut
from export.saved_model.run import Loaded, budget_inputs, request
from graph_ops.media.table import MEDIA


class SavedModelRuntime:
    """An export's signatures in `tf.saved_model.load`."""

    name = "SavedModel"

    def __init__(self, loaded: Loaded, settings: dict[str, Any]) -> None:
        self._signatures = loaded.signatures
        self._loaded, self._settings = loaded, settings
        self._media = [medium for medium in MEDIA if settings.get(medium.converter) is not None]

    def tokenize(self, texts: list[bytes]) -> list[np.ndarray]:
        """See `Runtime`."""
        rows = self._signatures["tokenize"](text=tf.constant(texts))
        return cut(rows["token_ids"].numpy(), rows["lengths"].numpy())

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
        name = "generate_preprocess_arrays" if self._media else "generate_preprocess_text"
        signature = self._signatures[name]
        accepted = signature.structured_input_signature[1]
        given: dict[str, Any] = {"prompts": tf.constant([prompt])}
        for medium in self._media:
            items = media.get(medium.name, ())
            packed = pack_arrays(medium, items, slots=len(items))
            given |= {name: tf.constant(value) for name, value in packed.items()}
            given |= budget_inputs(medium, len(items), (), accepted)
        return scaled(_arrays(signature(**given)), self._settings)

    def row_of_files(self, prompt: str, files: Files) -> Arrays:
        """See `Runtime`."""
        return scaled(request(self._loaded, prompt, files), self._settings)


def _arrays(outputs: dict[str, tf.Tensor]) -> Arrays:
    return {name: value.numpy() for name, value in outputs.items()}
