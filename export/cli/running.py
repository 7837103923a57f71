"""`gemma4-graph run`: one request on an artifact, printed, drawn, or as a page to read."""

import dataclasses
import pathlib
from typing import TYPE_CHECKING, Annotated, Any

from rich.markup import escape

from export.artifact import open_artifact
from export.cli.artifacts import Folder, found
from export.cli.options import MaxSoftTokens, Prompt, option, read_media, with_media_paths
from export.cli.terminal import AsJson, at_work, say, show
from export.report.stopwatch import Stopwatch

if TYPE_CHECKING:
    from export.report.record import Asked


@with_media_paths
def run(
    folder: Folder,
    prompt: Prompt,
    media: dict[str, list[pathlib.Path]],
    max_soft_tokens: MaxSoftTokens = None,
    pictures: Annotated[
        pathlib.Path | None,
        option("DIR", "Folder for PNGs of the patches and spectrograms."),
    ] = None,
    report: Annotated[
        pathlib.Path | None,
        option(
            "FILE",
            "HTML file for a page with the tokens, the row, the patches and spectrograms, what was cut, and "
            "how long each step took; it repeats the request to time it.",
        ),
    ] = None,
    json_: AsJson = False,
) -> None:
    """Run one request and print what came out: ids with their pieces, soft tokens of each medium, the table
    of tensors.
    """
    watch = Stopwatch()
    given = watch.once("reading the files", lambda: read_media(media))
    place = found(folder)
    if report:
        from export.report.record import Asked

        names = {medium: [path.name for path in paths] for medium, paths in media.items()}
        asked = Asked(prompt, given, names, max_soft_tokens or ())
        _run_with_report(report, place, asked, pictures, watch, as_json=json_)
        return
    with at_work("loading the model"):
        from export.media import decodable

        artifact = open_artifact(place)
        settings, pieces = artifact.settings, artifact.vocabulary.pieces
        files = decodable(given, settings)
        outputs = artifact.request(prompt, files, max_soft_tokens=max_soft_tokens or ())
        lines = _drawn(outputs, settings, pictures)
    show_row(outputs, pieces, lines, as_json=json_)


def show_row(outputs: Any, pieces: Any, lines: list[str], *, as_json: bool) -> None:
    """Prints what came out for one row, and then lines."""
    from export.cli import tables

    row = tables.Row(outputs["token_ids"][0][outputs["padding_mask"][0].astype(bool)], pieces)
    show(tables.answer_json(outputs, row), [*tables.answer_parts(outputs, row), *lines], as_json=as_json)


def _run_with_report(
    report: pathlib.Path,
    place: pathlib.Path,
    asked: "Asked",
    pictures: pathlib.Path | None,
    watch: Stopwatch,
    *,
    as_json: bool,
) -> None:
    """Runs a request several times, and writes how it went, whether it was refused or not.

    Raises:
        ValueError: the refusal.
    """
    with at_work("loading the model"):
        from export.cli import tables
        from export.report.page import write_report
        from export.report.record import recorded

        artifact = open_artifact(place)
        record, outputs = recorded(artifact, asked, watch)
    cells: list[tuple[str, ...]] = []
    if outputs is not None:
        lines = _drawn(outputs, artifact.settings, pictures)
        watch.once("printing", lambda: show_row(outputs, record.pieces, lines, as_json=as_json))
        cells = list(tables.tensor_cells(outputs))
    record = dataclasses.replace(record, steps=tuple(watch.steps))
    write_report(record, report.expanduser(), tensors=cells)
    say(f"wrote {escape(str(report))}")
    if record.fault:
        raise ValueError(record.fault)


def _drawn(outputs: Any, settings: dict[str, Any], folder: pathlib.Path | None) -> list[str]:
    """Draws what the model receives, if there is a folder for it; lines that say so."""
    if folder is None:
        return []
    from export.outputs import scaled
    from export.report.pictures import has_samples, patchings, write_pictures

    drawn, is_raw = scaled(outputs, settings), has_samples(settings)
    paths = write_pictures(drawn, folder, patching=patchings(settings), is_raw=is_raw)
    return [f"drew {escape(str(path))}" for path in paths]
