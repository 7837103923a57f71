"""The released models that embed, as far as preprocessing goes."""

import os

from graph_ops.presets.catalogue import Preset, built_in
from graph_ops.presets.settings import PresetSettings

EMBEDDING_PRESETS = {
    "embedding_gemma2": Preset(
        744_371_992,
        ("text", "image", "audio"),
        "kaggle://keras/embedding-gemma2/keras/embedding_gemma2/1",
        "google/embeddinggemma-2",
        "EmbeddingGemma 2: 24 layers, vectors of 768 numbers of text, images and audio",
        {},
    )
}
"""By name. Source: `keras_hub/src/models/embedding_gemma2/embedding_gemma2_presets.py` of keras-hub 0.33."""


def load_embedding_preset(preset: "str | os.PathLike[str]") -> PresetSettings:
    """Settings of a built-in preset of `EMBEDDING_PRESETS`.

    Raises:
        ValueError: no such preset.
    """
    name = os.fspath(preset)
    if name not in EMBEDDING_PRESETS:
        raise ValueError(
            f"`preset`: must be a built-in preset of a model that embeds, {', '.join(EMBEDDING_PRESETS)}; "
            f"got {name!r}. Pass its name, and a vocabulary as `tokenizer=` if it is on this machine."
        )
    return built_in(EMBEDDING_PRESETS[name])
