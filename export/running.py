"""One request to an artifact of either kind."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from export.litert import run as litert
from export.outputs import Arrays
from export.saved_model import run as saved_model
from export.saved_model.write import read_description, read_vocabulary


def run_once(
    folder: str | os.PathLike[str], prompt: str, media: Mapping[str, Sequence[bytes]]
) -> tuple[Arrays, tuple[str, ...], dict[str, Any]]:
    """Loads an export or a bundle and runs one request, with files by the medium's name: its features, its
    vocabulary's pieces and its settings.

    Raises:
        FileNotFoundError: neither an export nor a bundle.
        ValueError: media that it does not take, or the row's `status`.
    """
    if litert.is_bundle(folder):
        bundle = litert.load_bundle(folder)
        settings = bundle.description["preprocessor"]
        outputs = litert.request(bundle, prompt.encode(), litert.decoded(media, settings))
        return outputs, bundle.vocabulary.pieces, settings
    outputs = saved_model.request(saved_model.load(folder), prompt, media)
    return outputs, read_vocabulary(folder).pieces, read_description(folder)["preprocessor"]
