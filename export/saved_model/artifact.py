"""A SavedModel as an `Artifact`."""

import functools
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from export.artifact import Requirements, TensorRow
from export.outputs import Arrays
from export.runtime import Runtime
from export.saved_model import run as running
from export.saved_model.chat import chat_request
from export.saved_model.requirements import read_requirements
from export.saved_model.runtime import SavedModelRuntime
from export.saved_model.write import read_description, read_vocabulary
from graph_ops.text.vocabulary.vocabulary import Vocabulary


class SavedModelArtifact:
    """A version folder, DIR/N; see `Artifact`."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder

    @functools.cached_property
    def settings(self) -> dict[str, Any]:
        """See `Artifact`."""
        return read_description(self.folder)["preprocessor"]

    @functools.cached_property
    def vocabulary(self) -> Vocabulary:
        """See `Artifact`."""
        return read_vocabulary(self.folder)

    @functools.cached_property
    def _loaded(self) -> running.Loaded:
        return running.load(self.folder)

    def tensor_rows(self) -> list[TensorRow]:
        """See `Artifact`."""
        return [
            TensorRow(name, direction, key, spec.dtype.name, spec.shape.as_list())
            for name, function in self._loaded.signatures.items()
            for direction, specs in (
                ("input", function.structured_input_signature[1]),
                ("output", function.structured_outputs),
            )
            for key, spec in specs.items()
        ]

    def requirements(self) -> Requirements:
        """See `Artifact`."""
        return read_requirements(self.folder)

    def tokenize(self, text: str) -> np.ndarray:
        """See `Artifact`."""
        return SavedModelRuntime(self._loaded, self.settings).tokenize([text.encode()])[0]

    def request(
        self, prompt: str, media: Mapping[str, Sequence[bytes]], *, max_soft_tokens: Sequence[int] = ()
    ) -> Arrays:
        """See `Artifact`."""
        return self.prepared(prompt, media, max_soft_tokens=max_soft_tokens)()

    def prepared(
        self, prompt: str, media: Mapping[str, Sequence[bytes]], *, max_soft_tokens: Sequence[int] = ()
    ) -> Callable[[], Arrays]:
        """See `Artifact`."""
        return running.prepared(self._loaded, prompt, media, max_soft_tokens=max_soft_tokens)

    def chat(
        self,
        messages: Any,
        tools: Any,
        switches: dict[str, bool],
        *,
        max_soft_tokens: Sequence[int] = (),
    ) -> Arrays:
        """See `Artifact`."""
        return chat_request(
            self._loaded, messages, tools, switches, settings=self.settings, max_soft_tokens=max_soft_tokens
        )

    def runtimes(self) -> list[Runtime]:
        """See `Artifact`."""
        return [SavedModelRuntime(self._loaded, self.settings)]
