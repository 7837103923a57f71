"""Where a preprocessor's settings and vocabulary come from: a built-in preset, a folder, or a handle to
download.

```
"gemma4_2b"                    numbers of this file, vocabulary downloaded
"./folder"                     numbers and vocabulary of the folder
"hf://owner/name[@revision]"   the folder that huggingface_hub downloads
"kaggle://owner/model/keras/variant[/version]"   the folder that kagglehub downloads
```
"""

import dataclasses
import difflib
import os
import pathlib
from typing import Any

from graph_ops.families import FAMILIES
from graph_ops.family import GEMMA4, GEMMA4_UNIFIED, Family
from graph_ops.presets import downloads
from graph_ops.presets.folders import read_folder
from graph_ops.presets.settings import LARGE_CHAT, WITHOUT_AUDIO, Json, PresetSettings
from graph_ops.text.vocabulary.vocabulary import Vocabulary, load_vocabulary


@dataclasses.dataclass(frozen=True)
class Preset:
    """A released model, as far as its preprocessing goes.

    Its numbers are those of its family; without audio, `audio_input_feat_size` is 0.

    Attributes:
        parameters: weights of the model, per-layer embeddings included.
        modalities: what the model reads.
        kaggle_handle: KerasHub's model on Kaggle, or None where it has none.
        huggingface_repository: the same model on Hugging Face.
        description: one line.
        chat: arguments of the preprocessor for the model's chat template.
        family: of the model.
    """

    parameters: int
    modalities: tuple[str, ...]
    kaggle_handle: str | None
    huggingface_repository: str
    description: str
    chat: Json
    family: Family = GEMMA4

    def __getitem__(self, key: str) -> Any:
        """`"metadata"` and `"kaggle_handle"`, as KerasHub's presets are read."""
        metadata = {"params": self.parameters, "description": self.description}
        return {"metadata": metadata, "kaggle_handle": self.kaggle_handle}[key]


def _presets() -> dict[str, Preset]:
    """Source: `keras_hub/src/models/gemma4/gemma4_presets.py` of keras-hub 0.32.0."""
    small, large = ("text", "image", "audio"), ("text", "image")
    models = (
        ("2b", "E2B", 5_100_000_000, small, "35 layers, 2.3 billion effective parameters, for devices"),
        ("4b", "E4B", 7_900_000_000, small, "42 layers, 4.5 billion effective parameters, for devices"),
        (
            "26b_a4b",
            "26B-A4B",
            26_000_000_000,
            large,
            "30 layers, mixture of experts, 4 billion active parameters",
        ),
        ("31b", "31B", 31_000_000_000, large, "60 layers, dense, the largest"),
    )
    table: dict[str, Preset] = {}
    for size, model, parameters, modalities, description in models:
        for infix, suffix, tuning in (("", "", "pretrained"), ("instruct_", "-it", "instruction-tuned")):
            name = f"gemma4_{infix}{size}"
            handle, repository = f"kaggle://keras/gemma4/keras/{name}/2", f"google/gemma-4-{model}{suffix}"
            described = f"Gemma 4 {model}, {tuning}: {description}"
            chat = LARGE_CHAT if modalities is large else {}
            table[name] = Preset(parameters, modalities, handle, repository, described, chat)
    return table


def _unified_presets() -> dict[str, Preset]:
    """Source: the model card of google/gemma-4-12B. keras-hub 0.33 does not have it yet."""
    return {
        f"{GEMMA4_UNIFIED.name}_{infix}12b": Preset(
            11_950_000_000,
            ("text", "image", "audio"),
            None,
            f"google/gemma-4-12B{suffix}",
            f"Gemma 4 12B, {tuning}: 48 layers, dense, without encoders",
            {},
            GEMMA4_UNIFIED,
        )
        for infix, suffix, tuning in (("", "", "pretrained"), ("instruct_", "-it", "instruction-tuned"))
    }


PRESETS = _presets() | _unified_presets()
"""The ten built-in presets by name."""


def load_preset(preset: "str | os.PathLike[str]") -> PresetSettings:
    """Settings of a built-in preset, a folder, or a handle.

    Args:
        preset: see the module.

    Raises:
        ValueError: no such preset or handle, or a folder with settings that this project cannot follow.
        FileNotFoundError: a folder in neither layout.
        downloads.DownloadError: a handle that cannot be downloaded; says what to install, accept or pass
        instead.
    """
    name = os.fspath(preset)
    if name in PRESETS:
        return built_in(PRESETS[name])
    if "://" in name:
        return read_folder(downloads.fetch(name))
    folder = pathlib.Path(name).expanduser()
    if folder.is_dir():
        return read_folder(folder)
    raise ValueError(_unknown(name))


def built_in(preset: Preset) -> PresetSettings:
    """Settings of a released model; its vocabulary is downloaded when asked for."""

    def read_vocabulary() -> Vocabulary:
        vocabulary = load_vocabulary(
            downloads.fetch_vocabulary(preset.kaggle_handle, preset.huggingface_repository)
        )
        least = preset.family.vocabulary_size
        if len(vocabulary) < least:
            raise ValueError(
                f"`preset`: the vocabulary that was downloaded must have {least:,} pieces; "
                f"got {len(vocabulary):,}. Remove it from the cache of the library that downloaded it, or "
                "pass `tokenizer=`."
            )
        return vocabulary

    family = preset.family
    configs = {"image": family.image, "audio": family.audio}
    media = {name: config for name, config in configs.items() if name in preset.modalities}
    row = dict(family.row) | ({} if "audio" in preset.modalities else WITHOUT_AUDIO) | preset.chat
    return PresetSettings(media, row, {}, read_vocabulary)


def _unknown(name: str) -> str:
    near = difflib.get_close_matches(pathlib.PurePath(name).name, PRESETS, n=3)
    hint = f"Did you mean {' or '.join(near)}?" if near else f"Built-in presets: {', '.join(PRESETS)}."
    family = next((each for each in FAMILIES if name.startswith(each.name)), GEMMA4)
    if family.known_by != GEMMA4.known_by:
        hint = f"Presets of {family.title} have that name: use the class of that family."
    path = pathlib.Path(name).expanduser()
    if path.is_file():
        hint = "It is a file: pass a vocabulary as the tokenizer (`Gemma4Tokenizer(FILE)`, --tokenizer FILE)."
    return (
        "`preset`: must be a built-in preset, a folder, 'hf://owner/name' or "
        f"'kaggle://owner/model/keras/variant'; got {name!r}, which is none of them. {hint}"
    )
