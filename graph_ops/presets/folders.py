"""Preset folders in the two layouts that are published, KerasHub's and Hugging Face's: settings and
vocabulary from files.

```
KerasHub                          Hugging Face
preprocessor.json                 processor_config.json or preprocessor_config.json
tokenizer.json                    tokenizer_config.json, config.json
image_converter.json              tokenizer.json
audio_converter.json
assets/tokenizer/vocabulary.spm
```
"""

import pathlib

from graph_ops.presets.downloads import HUGGINGFACE_VOCABULARY, KERAS_HUB_VOCABULARY
from graph_ops.presets.huggingface_folder import read_huggingface
from graph_ops.presets.keras_hub_folder import read_keras_hub
from graph_ops.presets.settings import PresetSettings

_LAYOUTS = {
    "KerasHub's": ("preprocessor.json", KERAS_HUB_VOCABULARY),
    "Hugging Face's": (HUGGINGFACE_VOCABULARY, "processor_config.json", "preprocessor_config.json"),
}


def read_folder(folder: pathlib.Path) -> PresetSettings:
    """Settings of a folder; its vocabulary is read when asked for.

    Raises:
        FileNotFoundError: neither layout; lists what was looked for.
        ValueError: a damaged file, a preset of another model, or a setting that this project cannot follow.
    """
    layouts = [name for name, files in _LAYOUTS.items() if any((folder / file).is_file() for file in files)]
    if not layouts:
        looked_for = "; ".join(f"for {name} layout {' or '.join(files)}" for name, files in _LAYOUTS.items())
        raise FileNotFoundError(
            f"`preset`: a folder must be in KerasHub's or Hugging Face's layout; {folder} has neither. "
            f"Looked {looked_for}."
        )
    return read_keras_hub(folder) if layouts[0] == "KerasHub's" else read_huggingface(folder)
