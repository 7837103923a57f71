"""A request as it went: what was asked, what came out or why not, and how long each step took."""

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from export.artifact import Artifact
from export.media import decodable
from export.outputs import Arrays, scaled
from export.report.row import Pieces
from export.report.sources import Source, source_of
from export.report.stopwatch import Step, Stopwatch


@dataclasses.dataclass(frozen=True)
class Record:
    """One request on one artifact."""

    artifact: str
    """Where it lies."""
    settings: Mapping[str, Any]
    """Those of its preprocessor."""
    pieces: Pieces
    """Of its ids."""
    prompt: str
    """As it was given."""
    prompt_ids: np.ndarray | None
    """int32 [m], placeholders as one id each; None where the artifact does not tokenize texts alone."""
    sources: tuple[Source, ...]
    """The files, in the order of the prompt."""
    outputs: Arrays | None
    """What came out, pixels as float32; None for a refused request."""
    fault: str
    """The sentence of a refusal; "" for none."""
    steps: tuple[Step, ...] = ()
    """What was timed."""

    @property
    def token_ids(self) -> np.ndarray | None:
        """int32 [n]: what fills the row."""
        if self.outputs is None:
            return None
        return self.outputs["token_ids"][0][self.outputs["padding_mask"][0].astype(bool)]


class Asked(NamedTuple):
    """What is asked of an artifact.

    Attributes:
        prompt: its text.
        media: files by the medium's name.
        names: of the files.
        max_soft_tokens: budgets, as for `Artifact.request`.
    """

    prompt: str
    media: Mapping[str, Sequence[Any]]
    names: Mapping[str, Sequence[str]]
    max_soft_tokens: Sequence[int] = ()


def recorded(artifact: Artifact, asked: Asked, watch: Stopwatch) -> tuple[Record, Arrays | None]:
    """Runs a request several times, with its steps timed.

    Returns:
        The record, and the outputs as they came; a request that is refused is a record with a fault, and
        None.
    """
    prompt, media, names, max_soft_tokens = asked
    settings, pieces, signatures = watch.once("loading the artifact", lambda: _loaded(artifact))
    prompt_ids = None
    if "tokenize" in signatures:
        tokenize = functools.partial(artifact.tokenize, prompt)
        prompt_ids = watch.first_and_repeated("tokenizing the prompt alone", tokenize)
    files: Mapping[str, Sequence[Any]] = media
    outputs, fault = None, ""
    try:
        files = watch.once("making files decodable", lambda: decodable(media, settings))
        call = watch.once(
            "packing the inputs",
            lambda: artifact.prepared(prompt, files, max_soft_tokens=max_soft_tokens),
        )
        outputs = watch.first_and_repeated("running the signature", call)
    except ValueError as error:
        fault = str(error)
    sources = tuple(
        source_of(medium, name, given, file)
        for medium, found in media.items()
        for name, given, file in zip(names[medium], found, files[medium], strict=True)
    )
    drawn = None if outputs is None else scaled(outputs, dict(settings))
    steps = tuple(watch.steps)
    record = Record(str(artifact.folder), settings, pieces, prompt, prompt_ids, sources, drawn, fault, steps)
    return record, outputs


def _loaded(artifact: Artifact) -> tuple[dict[str, Any], Pieces, set[str]]:
    """Loads all of an artifact: its settings, pieces and signatures."""
    signatures = {row.signature for row in artifact.tensor_rows()}
    return artifact.settings, artifact.vocabulary.pieces, signatures
