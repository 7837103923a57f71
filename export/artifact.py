"""Any artifact that this project writes, behind one interface. Everything that looks at artifacts asks here.

A kind is a class with the attributes and methods of `Artifact`; a new one is its own files and a line of
`KINDS`. Finding out what lies in a folder takes no TensorFlow.
"""

import importlib
import os
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from export.publish import numbered_versions

if TYPE_CHECKING:
    import numpy as np

    from export.outputs import Arrays
    from export.runtime import Runtime
    from graph_ops.text.vocabulary.vocabulary import Vocabulary


class TensorRow(NamedTuple):
    """One input or output of a signature.

    Attributes:
        signature: its name.
        direction: "input" or "output".
        name: of the tensor.
        dtype: of the tensor.
        shape: None where a dim varies.
    """

    signature: str
    direction: str
    name: str
    dtype: str
    shape: list[int | None]


class OpUse(NamedTuple):
    """One kind of op in an artifact.

    Attributes:
        name: of the op.
        version: of the op, as LiteRT numbers them; None where the runtime has no such versions.
        uses: how often it stands there.
    """

    name: str
    version: int | None
    uses: int


class Requirements(NamedTuple):
    """What an artifact says of the runtimes that can load it.

    Attributes:
        facts: versions by name: of what wrote it, of its format, and the oldest that reads it.
        ops: each kind of op, by name.
        foreign: names of those that the runtime itself does not bring.
    """

    facts: dict[str, str | int]
    ops: list[OpUse]
    foreign: list[str]


class Artifact(Protocol):
    """What can be asked of an artifact, whatever its kind. What is asked for is loaded then.

    Attributes:
        folder: where it lies.
    """

    folder: pathlib.Path

    def __init__(self, folder: pathlib.Path) -> None: ...

    @property
    def settings(self) -> dict[str, Any]:
        """What `get_config` of its preprocessor said."""

    @property
    def vocabulary(self) -> "Vocabulary":
        """The pieces of its ids."""

    def tensor_rows(self) -> list[TensorRow]:
        """Each input and output of each signature."""

    def requirements(self) -> Requirements:
        """What a runtime must have to load it."""

    def tokenize(self, text: str) -> "np.ndarray":
        """The ids of a text as a prompt, int32 [n], placeholders as one id each, if there is a signature
        `tokenize`.
        """

    def request(
        self, prompt: str, media: Mapping[str, Sequence[bytes]], *, max_soft_tokens: Sequence[int] = ()
    ) -> "Arrays":
        """The features of one prompt and its files, by the medium's name, with a budget for all images, or
        one for each.

        Raises:
            ValueError: media or budgets that it does not take, or the row's `status`.
        """

    def prepared(
        self, prompt: str, media: Mapping[str, Sequence[bytes]], *, max_soft_tokens: Sequence[int] = ()
    ) -> "Callable[[], Arrays]":
        """`request` with its inputs packed, and on a device its files decoded: a function that runs the
        signature and may be called again.

        Raises:
            ValueError: media or budgets that it does not take.
        """

    def chat(
        self,
        messages: Any,
        tools: Any,
        switches: dict[str, bool],
        *,
        max_soft_tokens: Sequence[int] = (),
    ) -> "Arrays":
        """The features of one dialogue.

        Args:
            messages: a list of mappings, with files in the parts that are media.
            tools: schemas of functions, or None.
            switches: of `render_chat`.
            max_soft_tokens: a budget for all images, or one for each.

        Raises:
            TypeError, ValueError: an artifact that takes no messages, messages that the template does not
                take, or the row's `status`.
        """

    def runtimes(self) -> "list[Runtime]":
        """Each place that it runs in, to compare with the references."""


class Kind(NamedTuple):
    """One kind of artifact.

    Attributes:
        name: for readers.
        file: the file that a folder of this kind holds, and no other kind's.
        module: that has the class.
        class_name: of the class, an `Artifact`.
    """

    name: str
    file: str
    module: str
    class_name: str


KINDS = (
    Kind("SavedModel", "saved_model.pb", "export.saved_model.artifact", "SavedModelArtifact"),
    Kind("LiteRT bundle", "signatures.json", "export.litert.artifact", "BundleArtifact"),
)


def find_artifact(folder: str | os.PathLike[str]) -> pathlib.Path:
    """The folder itself if it holds an artifact, or that of the newest of its versions that does.

    Args:
        folder: DIR/N, a bundle, or DIR, the folder of a model, which holds versions.

    Raises:
        FileNotFoundError: no artifact there; names what is there.
    """
    place = pathlib.Path(folder).expanduser()
    for candidate in (place, *reversed(numbered_versions(place).values())):
        if _kind_of(candidate):
            return candidate
    wanted = " or ".join(f"a {kind.name} ({kind.file})" for kind in KINDS)
    raise FileNotFoundError(
        f"`folder`: must hold {wanted}, or versions of one; {_inventory(place)}. Pass DIR, such as "
        f"models/gemma4, or DIR/N."
    )


def open_artifact(folder: str | os.PathLike[str]) -> Artifact:
    """The artifact that `find_artifact` finds.

    Raises:
        FileNotFoundError: no artifact there.
    """
    place = find_artifact(folder)
    kind = _kind_of(place)
    assert kind
    return getattr(importlib.import_module(kind.module), kind.class_name)(place)


def _kind_of(folder: pathlib.Path) -> Kind | None:
    return next((kind for kind in KINDS if (folder / kind.file).is_file()), None)


def _inventory(folder: pathlib.Path, most: int = 5) -> str:
    """What is there, for a sentence."""
    if not folder.exists():
        return f"there is no {folder}"
    if not folder.is_dir():
        return f"{folder} is a file"
    names = sorted(f"{path.name}/" if path.is_dir() else path.name for path in folder.iterdir())
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{folder} holds {', '.join(names[:most]) or 'nothing'}{rest}"
