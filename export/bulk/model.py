"""An exported SavedModel on many samples at once, loaded once a process."""

import contextlib
import functools
import os
import pathlib
import tempfile
import threading
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from export.artifact import find_artifact
from export.bulk.dead_letters import RowFault, status_fault
from export.bulk.embedding import SIGNATURE, Embedding
from export.bulk.files import is_uri, listed, local_copy
from export.bulk.samples import Sample
from export.bulk.schema import Tensor, tensors_of
from export.outputs import Arrays
from export.saved_model.run import load
from export.saved_model.write import DESCRIPTION, read_description
from graph_ops.family import GEMMA4
from graph_ops.layers.inputs.chat import Chat, read_chat
from graph_ops.media.medium import Medium
from graph_ops.media.table import MEDIA

_SHORT = "a"
"""A prompt that leaves the end of a row to padding."""
_FILES = ("saved_model.pb", DESCRIPTION.as_posix())
_loading = threading.Lock()


class Task(NamedTuple):
    """What is made of samples.

    Attributes:
        chat: whether they are dialogues.
        labels: whether rows have labels and weights.
        embedding: how they are embedded; None for rows that a model generates from.
    """

    chat: bool
    labels: bool
    embedding: Embedding | None = None

    @property
    def signature(self) -> str:
        """The signature that takes everything."""
        if self.embedding:
            return SIGNATURE
        if self.chat:
            return "preprocess_chat" if self.labels else "generate_preprocess_chat_tools"
        return "preprocess" if self.labels else "generate_preprocess"


def load_model(folder: str, *, threads: int | None = None) -> "Model":
    """The model of this process: loaded at the first call, from a local folder or a URI.

    Args:
        folder: DIR, for its newest version, or DIR/N.
        threads: of TensorFlow, in an op and side by side; None for its choice. Kept from the first model of
            a process.

    Raises:
        FileNotFoundError: no SavedModel there.
    """
    with _loading:
        return _loaded(os.fspath(folder), threads)


@functools.lru_cache(maxsize=1)
def _loaded(folder: str, threads: int | None) -> "Model":
    if threads:
        with contextlib.suppress(RuntimeError):  # an op has run: the process has its threads
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(threads)
    if not is_uri(folder):
        return Model(find_artifact(folder))
    with tempfile.TemporaryDirectory() as copied:
        for name in _FILES:
            with local_copy(f"{folder.rstrip('/')}/{name}") as file:
                target = pathlib.Path(copied, name)
                target.parent.mkdir(exist_ok=True)
                target.write_bytes(pathlib.Path(file).read_bytes())
        for place in ("variables", "assets"):
            for name in listed(f"{folder.rstrip('/')}/{place}"):
                with local_copy(f"{folder.rstrip('/')}/{place}/{name}") as file:
                    target = pathlib.Path(copied, place, name)
                    target.parent.mkdir(exist_ok=True)
                    target.write_bytes(pathlib.Path(file).read_bytes())
        return Model(pathlib.Path(copied))


class Model:
    """An export, and what it makes of samples."""

    def __init__(self, folder: pathlib.Path) -> None:
        self._loaded = load(folder)
        self.settings: dict[str, Any] = read_description(folder)["preprocessor"]
        """What `get_config` of its preprocessor said."""
        self.media = tuple(each for each in MEDIA if self.settings.get(each.converter) is not None)
        """Those that it takes."""
        self._tensors: dict[tuple[Task, bool], tuple[Tensor, ...]] = {}

    @property
    def embeds(self) -> bool:
        """Whether it makes vectors."""
        return SIGNATURE in self._loaded.signatures

    def check(self, task: Task) -> None:
        """Checks that the export has what a task needs.

        Raises:
            ValueError: it has not.
        """
        if task.signature not in self._loaded.signatures:
            raise ValueError(
                f"`model`: must be an export with the signature {task.signature}; this one has none. Export "
                "it with a vocabulary that has the chat template's tokens."
            )
        if any(medium.frames for medium in self.media):
            raise ValueError(
                "`model`: must be an export without videos, which jobs do not read; this one takes them. "
                "Export it with --no-videos."
            )

    def tensors(self, task: Task, *, compact: bool) -> tuple[Tensor, ...]:
        """The tensors of a task's rows, in order; pixels uint8 if they are to be compact."""
        key = task, compact
        if key not in self._tensors:
            row = self.short_row(task)
            self._tensors[key] = (
                task.embedding.tensors(row)
                if task.embedding
                else tensors_of(row, self.settings, compact=compact)
            )
        return self._tensors[key]

    def short_row(self, task: Task) -> Arrays:
        """The row of a short text without media, all tensors of the task in it."""
        said = [{"role": "user", "content": _SHORT}, {"role": "assistant", "content": _SHORT}]
        messages = said[: 1 + task.labels] if task.chat else None
        sample = Sample("", "", _SHORT, _SHORT, messages, None, {}, 0)
        (row,) = self._answer(task.signature, [sample], task)
        if isinstance(row, RowFault):
            raise ValueError(row.reason)
        return row

    def rows(self, samples: Sequence[Sample], task: Task) -> list[Arrays | RowFault]:
        """The row of each sample, tensors by name, or why there is none.

        A row without tensors of a medium has none of its items.
        """
        found: dict[int, Arrays | RowFault] = {}
        groups: dict[str, list[int]] = {}
        for place, sample in enumerate(samples):
            try:
                groups.setdefault(self._signature(sample, task), []).append(place)
            except RowFault as fault:
                found[place] = fault
        for signature, places in groups.items():
            answers = self._answer(signature, [samples[place] for place in places], task)
            found |= dict(zip(places, answers, strict=True))
        return [found[place] for place in range(len(samples))]

    def _signature(self, sample: Sample, task: Task) -> str:
        """The one that costs least."""
        names = [name for name, files in sample.media.items() if files]
        taken = [medium for medium in self.media if medium.argument in names]
        if len(taken) < len(names):
            accepted = [medium.argument for medium in self.media]
            raise RowFault("columns", f"`model`: takes the media {accepted}; the row has {names}.")
        if task.chat or task.labels or task.embedding or len(taken) > 1:
            return task.signature
        return f"generate_preprocess_{taken[0].name if taken else 'text'}"

    def _answer(self, signature: str, samples: list[Sample], task: Task) -> list[Arrays | RowFault]:
        function = self._loaded.signatures[signature]
        accepted = function.structured_input_signature[1]
        inputs, faults = (_chat_inputs if task.chat else _prompt_inputs)(samples, self.media)
        if task.embedding:
            inputs |= task.embedding.inputs(inputs["prompts"])
        left = [sample for sample, fault in zip(samples, faults, strict=True) if fault is None]
        answers = iter(_called(function, {name: inputs[name] for name in accepted}) if left else ())
        if task.embedding:
            answers = (each if isinstance(each, RowFault) else task.embedding.row(each) for each in answers)
        return [fault or next(answers) for fault in faults]


def _called(function: Any, inputs: Mapping[str, np.ndarray]) -> list[Arrays | RowFault]:
    """The rows of one call; where it fails, each on its own, so that one does not take the others along."""
    try:
        outputs = function(**{name: tf.constant(value) for name, value in inputs.items()})
    except tf.errors.InvalidArgumentError as error:
        rows = len(next(iter(inputs.values())))
        if rows == 1:
            return [RowFault("status:row", f"`row`: {error.message}")]
        each = ({name: value[row : row + 1] for name, value in inputs.items()} for row in range(rows))
        return [answer for one in each for answer in _called(function, one)]
    arrays = {name: value.numpy() for name, value in outputs.items()}
    statuses = arrays.pop("status")
    return [
        status_fault(status.decode()) if status else {name: array[row] for name, array in arrays.items()}
        for row, status in enumerate(statuses)
    ]


Inputs = tuple[dict[str, np.ndarray], list[RowFault | None]]


def _prompt_inputs(samples: list[Sample], media: Sequence[Medium]) -> Inputs:
    inputs = {
        "prompts": _strings([[sample.prompt or ""] for sample in samples])[:, 0],
        "responses": _strings([[sample.response or ""] for sample in samples])[:, 0],
    }
    for medium in media:
        rows = [sample.media.get(medium.argument, []) for sample in samples]
        inputs[medium.argument] = _strings([[medium.decode_on_host(file) for file in row] for row in rows])
    return inputs, [None] * len(samples)


def _chat_inputs(samples: list[Sample], media: Sequence[Medium]) -> Inputs:
    chats, files, faults = [], [], list[RowFault | None]()
    for sample in samples:
        try:
            chat = read_chat(sample.messages, sample.tools, quote=GEMMA4.chat.quote)
            files.append(chat.media())
            chats.append(chat)
            faults.append(None)
        except (TypeError, ValueError, AttributeError) as error:
            faults.append(RowFault("status:messages", str(error)))
    inputs: dict[str, np.ndarray] = {}
    if chats:
        dialogues = [chat.dialogues[0] for chat in chats]
        batch = Chat(dialogues, [chat.tools[0] for chat in chats], batched=True)
        inputs = {name: value.numpy() for name, value in batch.tensors({})._asdict().items()}
    for medium in media:
        rows = [found.get(medium.argument, [[]])[0] for found in files]
        inputs[medium.argument] = _strings([[medium.decode_on_host(file) for file in row] for row in rows])
    return inputs, faults


def _strings(rows: list[list[Any]]) -> np.ndarray:
    """Object [B, K], "" in empty places."""
    width = max(map(len, rows), default=0)
    array = np.full((len(rows), width), b"", object)
    for place, row in enumerate(rows):
        array[place, : len(row)] = [text.encode() if isinstance(text, str) else text for text in row]
    return array
