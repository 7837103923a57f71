"""How far artifacts are from the references, step by step, in every runtime that they run in.

The references are optional packages (the `dev` extra); a step without its reference installed says so.
"""

import os
from collections.abc import Callable

from export.artifact import open_artifact
from export.runtime import Runtime
from export.verify import files, media, rows, texts, videos
from export.verify.eager import EagerRuntime
from export.verify.result import Result, Subject

STEPS = (
    *(texts.ids, texts.text, texts.round_trip),
    *(media.pixels, files.pictures, media.mel),
    *(rows.rows, videos.videos),
)
"""(subject) -> its lines of the table, in the order of the table."""

Folder = str | os.PathLike[str]


def verify(
    *folders: Folder, num_texts: int = 2000, report: Callable[[str], None] = lambda _: None
) -> list[Result]:
    """Compares every step of artifacts, and of the Python class with the first one's settings, with its
    reference.

    Args:
        *folders: of artifacts, or of models, which stand for their newest version.
        num_texts: random texts to compare.
        report: called with a line before each step.

    Raises:
        ValueError: an artifact that embeds.
    """
    results: list[Result] = []
    order: dict[str, int] = {}  # of steps, so that the runtimes of each stand together
    for index, folder in enumerate(folders):
        report(f"loading {folder}")
        artifact = open_artifact(folder)
        if "truncate" in artifact.settings:  # which a preprocessor of rows to embed has alone
            raise ValueError(
                f"`folders`: must be of models that generate; {os.fspath(folder)} embeds. `make "
                "test-keras-hub` compares rows to embed with KerasHub's."
            )
        eager: list[Runtime] = [] if index else [EagerRuntime(artifact.settings, artifact.vocabulary)]
        subject = Subject(eager + artifact.runtimes(), artifact.vocabulary, artifact.settings, num_texts)
        for step in STEPS:
            report(f"comparing {step.__name__} of {folder}")
            results += list(step(subject))
    return sorted(results, key=lambda result: order.setdefault(result.step, len(order)))
