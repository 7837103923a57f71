"""A LiteRT bundle as an `Artifact`."""

import functools
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from export.artifact import Requirements, TensorRow
from export.litert import run as running
from export.litert.requirements import read_requirements
from export.litert.runtime import CompiledModelRuntime, InterpreterRuntime
from export.outputs import Arrays
from export.runtime import Runtime
from graph_ops.text.vocabulary.vocabulary import Vocabulary


class BundleArtifact:
    """The folder of a bundle; see `Artifact`."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder

    @functools.cached_property
    def _description(self) -> dict[str, Any]:
        return running.read_bundle_description(self.folder)

    @functools.cached_property
    def _bundle(self) -> running.Bundle:
        return running.load_bundle(self.folder)

    @property
    def settings(self) -> dict[str, Any]:
        """See `Artifact`."""
        return self._description["preprocessor"]

    @property
    def vocabulary(self) -> Vocabulary:
        """See `Artifact`."""
        return self._bundle.vocabulary

    def tensor_rows(self) -> list[TensorRow]:
        """See `Artifact`."""
        return [
            TensorRow(name, direction, key, tensor["dtype"], tensor["shape"])
            for name, signature in self._description["signatures"].items()
            for direction in ("input", "output")
            for key, tensor in signature[f"{direction}s"].items()
        ]

    def requirements(self) -> Requirements:
        """See `Artifact`."""
        return read_requirements(self.folder)

    def tokenize(self, text: str) -> np.ndarray:
        """See `Artifact`."""
        return InterpreterRuntime(self._bundle).tokenize([text.encode()])[0]

    def request(
        self, prompt: str, media: Mapping[str, Sequence[bytes]], *, max_soft_tokens: Sequence[int] = ()
    ) -> Arrays:
        """See `Artifact`."""
        return self.prepared(prompt, media, max_soft_tokens=max_soft_tokens)()

    def prepared(
        self, prompt: str, media: Mapping[str, Sequence[bytes]], *, max_soft_tokens: Sequence[int] = ()
    ) -> Callable[[], Arrays]:
        """See `Artifact`."""
        items = running.decoded(media, self.settings)
        return running.prepared(self._bundle, prompt.encode(), items, max_soft_tokens=max_soft_tokens)

    def chat(
        self,
        messages: Any,
        tools: Any,
        switches: dict[str, bool],
        *,
        max_soft_tokens: Sequence[int] = (),
    ) -> Arrays:
        """See `Artifact`."""
        del messages, tools, switches, max_soft_tokens
        raise ValueError(
            "`folder`: messages need a SavedModel, which has strings; this is a LiteRT bundle. Export with "
            "`gemma4-graph saved-model`, or pass a device the text that `render_chat` gives."
        )

    def runtimes(self) -> list[Runtime]:
        """See `Artifact`."""
        return [InterpreterRuntime(self._bundle), CompiledModelRuntime(self._bundle)]
