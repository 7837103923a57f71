"""Where a model comes from: a file that Keras saved, or what KerasHub's `from_preset` takes. Keras and
KerasHub are imported here only.
"""

import importlib.util
import os
import pathlib
import warnings
from typing import Any

SAMPLERS = ("greedy", "random", "top_k", "top_p")
"""Names of KerasHub's samplers that take one token at a time."""


def load_model(source: str | os.PathLike[str], *, sampler: str | None = None, embeds: bool = False) -> Any:
    """A model without its own preprocessor.

    Args:
        source: a `.keras` file; or a preset of `keras_hub.models.Gemma4CausalLM`, or of its
            `EmbeddingGemma2TextEmbedder`: its name, its folder or its handle.
        sampler: one of `SAMPLERS`, for a model that generates; by default the one that it comes with.
        embeds: whether a preset is of a model that embeds.

    Raises:
        FileNotFoundError: no such file.
        ImportError: a preset, and keras-hub is not installed, or has no such model.
        ValueError: not a file of Keras, an unknown sampler, or a sampler for a model that has none.
    """
    if sampler is not None and sampler not in SAMPLERS:
        raise ValueError(f"`sampler`: must be one of {SAMPLERS}; got {sampler!r}. Pass one of them.")
    name = os.fspath(source)
    if name.endswith(".keras"):
        model = _from_file(pathlib.Path(name).expanduser())
    else:
        model = _from_preset(name, "EmbeddingGemma2TextEmbedder" if embeds else "Gemma4CausalLM")
    if sampler is not None:
        if not hasattr(model, "sampler"):
            raise ValueError(
                f"`sampler`: needs a model that generates; {type(model).__name__} has none. Leave it out."
            )
        model.compile(sampler=sampler)
    return model


def _from_file(path: pathlib.Path) -> Any:
    import keras

    if not path.is_file():
        raise FileNotFoundError(
            f"`model`: must be a .keras file that exists; no file at {path}. Save the model with "
            f"`model.save`."
        )
    if importlib.util.find_spec("keras_hub"):
        import keras_hub  # noqa: F401  registers its classes, which the file may name
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*compile")  # KerasHub's classes compile themselves
        return keras.saving.load_model(path)


def _from_preset(name: str, kind: str) -> Any:
    if not importlib.util.find_spec("keras_hub"):
        raise ImportError(
            "`model`: a preset is loaded by keras-hub, which is not installed: pip install "
            "'gemma4-graph[keras-hub]'."
        )
    import keras_hub

    if not hasattr(keras_hub.models, kind):
        raise ImportError(
            f"`model`: its class {kind} must be in keras-hub, from 0.33 on; got {keras_hub.__version__}. "
            "Upgrade it: pip install --upgrade keras-hub."
        )
    return getattr(keras_hub.models, kind).from_preset(name, preprocessor=None)
