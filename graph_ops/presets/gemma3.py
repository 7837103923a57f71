"""The released models of Gemma 3 and those made of it, as far as the preprocessing of their text goes."""

import os
import pathlib
from typing import Any

from graph_ops.families import EMBEDDING_GEMMA, FUNCTION_GEMMA, GEMMA3, GEMMA3N
from graph_ops.family import Family
from graph_ops.presets import downloads
from graph_ops.presets.catalogue import Preset, built_in
from graph_ops.presets.downloads import HUGGINGFACE_VOCABULARY, KERAS_HUB_VOCABULARY
from graph_ops.presets.files import existing, read_json
from graph_ops.presets.keras_hub_folder import OWN_SETTINGS
from graph_ops.presets.keras_hub_settings import tokenizer_settings
from graph_ops.presets.settings import PresetSettings
from graph_ops.text.vocabulary.vocabulary import load_vocabulary

Json = dict[str, Any]


def _gemma3_presets() -> dict[str, Preset]:
    models = (
        ("270m", "270m", 268_098_176, (3, 4), "18 layers"),
        ("1b", "1b", 999_885_952, (3, 3), "26 layers"),
        ("4b_text", "4b", 3_880_099_328, (2, 3), "34 layers, without its vision encoder"),
        ("12b_text", "12b", 11_765_788_416, (3, 3), "48 layers, without its vision encoder"),
        ("27b_text", "27b", 27_009_002_240, (4, 3), "62 layers, without its vision encoder"),
    )
    table = {}
    for size, model, parameters, versions, description in models:
        pretrained = "" if model == "270m" else "-pt"
        for infix, suffix, version in (("", pretrained, versions[0]), ("instruct_", "-it", versions[1])):
            name = f"{GEMMA3.name}_{infix}{size}"
            table[name] = Preset(
                parameters,
                ("text",),
                f"kaggle://keras/gemma3/keras/{name}/{version}",
                f"google/gemma-3-{model}{suffix}",
                f"Gemma 3 {model}, {'instruction-tuned' if infix else 'pretrained'}: {description}",
                {},
                GEMMA3,
            )
    return table


def _gemma3n_presets() -> dict[str, Preset]:
    return {
        f"{GEMMA3N.name}_{size}{infix}": Preset(
            parameters,
            ("text",),
            f"kaggle://keras/gemma-3n/keras/{GEMMA3N.name}_{size}{infix}/1",
            f"google/gemma-3n-{size.upper()}{infix.replace('_', '-')}",
            f"Gemma 3n {size.upper()}, {'instruction-tuned' if infix else 'pretrained'}: of its input, text",
            {},
            GEMMA3N,
        )
        for size, parameters in (("e2b", 5_439_595_456), ("e4b", 7_850_135_376))
        for infix in ("", "_it")
    }


GEMMA3_PRESETS = {
    **_gemma3_presets(),
    **_gemma3n_presets(),
    "function_gemma_instruct_270m": Preset(
        268_098_176,
        ("text",),
        "kaggle://keras/function-gemma/keras/function_gemma_instruct_270m/1",
        "google/functiongemma-270m-it",
        "FunctionGemma: 18 layers, for calls of functions",
        {},
        FUNCTION_GEMMA,
    ),
    "embedding_gemma3_300m": Preset(
        307_581_696,
        ("text",),
        "kaggle://keras/embeddinggemma/keras/embedding_gemma3_300m/2",
        "google/embeddinggemma-300m",
        "EmbeddingGemma: 24 layers, vectors of 768 numbers of text",
        {},
        EMBEDDING_GEMMA,
    ),
}
"""By name. Source: `gemma3_presets.py` and `gemma3n_presets.py` of keras-hub 0.32."""

_FAMILIES = {GEMMA3.name: (GEMMA3, FUNCTION_GEMMA, EMBEDDING_GEMMA), GEMMA3N.name: (GEMMA3N,)}
"""Those of models of a `model_type`, without its ending `_text`."""
_CLASSES = {
    "Gemma3CausalLMPreprocessor": (GEMMA3, FUNCTION_GEMMA),
    "Gemma3nCausalLMPreprocessor": (GEMMA3N,),
    "Gemma3TextEmbedderPreprocessor": (EMBEDDING_GEMMA,),
}
"""The same of KerasHub's classes."""
SAVED_ROW = ("sequence_length", "add_start_token", "add_end_token")
"""Settings of rows of text that KerasHub's preprocessors have."""


def load_gemma3_preset(
    preset: "str | os.PathLike[str]", families: tuple[Family, ...] = (GEMMA3,)
) -> PresetSettings:
    """Settings of a built-in preset, a folder in KerasHub's or Hugging Face's layout, or a handle.

    Args:
        preset: see `catalogue`.
        families: those that it may be of.

    Raises:
        ValueError: no such preset or handle, or one of another family.
        FileNotFoundError: a folder without vocabulary.
        downloads.DownloadError: a handle that cannot be downloaded; says what to install, accept or pass
            instead.
    """
    found = families_of(preset)
    if not set(found) & set(families):
        kinds = " or ".join(family.title for family in found) or "another model"
        known = [name for name, each in GEMMA3_PRESETS.items() if each.family in families]
        raise ValueError(
            f"`preset`: must be of {' or '.join(family.title for family in families)}; got "
            f"{os.fspath(preset)!r}, of {kinds}. Pass one of {', '.join(known)}, a folder or a handle."
        )
    name = os.fspath(preset)
    if name in GEMMA3_PRESETS:
        return built_in(GEMMA3_PRESETS[name])._replace(row={})
    return _of_folder(_folder(name))


def families_of(preset: "str | os.PathLike[str]") -> tuple[Family, ...]:
    """Those of this catalogue that a preset may be of: none for Gemma 4's, or what is no preset.

    Raises:
        ValueError, downloads.DownloadError: a handle that cannot be downloaded.
    """
    name = os.fspath(preset)
    if name in GEMMA3_PRESETS:
        return (GEMMA3_PRESETS[name].family,)
    folder = _folder(name)
    made = read_json(folder / "preprocessor.json")
    if made is not None:
        return _CLASSES.get(str(made.get("class_name")), ())
    kind = str((read_json(folder / "config.json") or {}).get("model_type"))
    return _FAMILIES.get(kind.removesuffix("_text"), ())


def _folder(name: str) -> pathlib.Path:
    return downloads.fetch(name) if "://" in name else pathlib.Path(name).expanduser()


def _of_folder(folder: pathlib.Path) -> PresetSettings:
    preprocessor = (read_json(folder / "preprocessor.json") or {}).get("config") or {}
    own = (read_json(folder / "metadata.json") or {}).get(OWN_SETTINGS, {})
    file = KERAS_HUB_VOCABULARY if (folder / KERAS_HUB_VOCABULARY).is_file() else HUGGINGFACE_VOCABULARY
    return PresetSettings(
        {},
        {name: preprocessor[name] for name in (*SAVED_ROW, "truncate") if name in preprocessor}
        | own.get("row", {}),
        tokenizer_settings((preprocessor.get("tokenizer") or {}).get("config") or {}),
        lambda: load_vocabulary(existing(folder, file)),
        own.get("vocabulary_sha256"),
    )
