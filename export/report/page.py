"""A recorded request as one HTML file, with style and pictures inside and nothing fetched."""

import importlib.resources
import pathlib
import string
from collections.abc import Iterator, Sequence

from export.outputs import TENSOR_COLUMNS
from export.report.figures import MOST_PICTURE_BYTES, Slot, mel_figure, patch_figure, slots_of
from export.report.markup import Html, element, joined, table
from export.report.pictures import patchings
from export.report.record import Record
from export.report.row import Block, blocks, cut_text, kind_of
from export.report.stopwatch import Step
from export.report.tokens import legend, prompt_text, row_bar, row_table, token_list
from graph_ops.config import AudioConfig
from graph_ops.media.audio import AUDIO
from graph_ops.media.image import IMAGE
from graph_ops.media.video import VIDEO

TITLE = "A request, as the model receives it"
_STEPS_NOTE = (
    "Wall time in the process that wrote this page, in order. Packing the inputs of a LiteRT bundle decodes "
    "its files, as an app would; a SavedModel decodes them in its signature. Running the signature includes "
    "copying its outputs; in the first call a runtime still prepares itself. Importing TensorFlow and "
    "writing this page are not counted."
)


def write_report(record: Record, path: pathlib.Path, *, tensors: Sequence[Sequence[str]] = ()) -> None:
    """Writes the page.

    Args:
        record: what is shown.
        path: of the file; its folder is made.
        tensors: what `TENSOR_COLUMNS` name, of each output.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page(record, tensors=tensors), encoding="utf-8")


def page(record: Record, *, tensors: Sequence[Sequence[str]] = ()) -> str:
    """The page's HTML; see `write_report`."""
    sections = [_refusal(record), _request(record), *_row(record), *_media(record)]
    if tensors:
        caption = "Each output, with its smallest and largest number"
        sections.append(_section("Tensors", table(TENSOR_COLUMNS, tensors, caption=caption)))
    sections.append(_timings(record.steps))
    return string.Template(_file("page.html")).substitute(
        title=TITLE, style=_file("style.css"), facts=_facts(record), sections=joined(sections)
    )


def _file(name: str) -> str:
    return importlib.resources.files("export.report").joinpath(name).read_text(encoding="utf-8")


def _section(heading: str, *parts: object, class_: str | None = None) -> Html:
    return element("section", element("h2", heading), *parts, class_=class_)


def _facts(record: Record) -> Html:
    facts = {
        "artifact": record.artifact,
        "parity": record.settings.get("parity", ""),
        "places in a row": f"{record.settings['sequence_length']:,}",
    }
    if record.token_ids is not None:
        facts["tokens"] = f"{len(record.token_ids):,}"
    pairs = (joined([element("dt", name), element("dd", value)]) for name, value in facts.items() if value)
    return element("dl", *pairs)


def _refusal(record: Record) -> Html:
    if not record.fault:
        return Html()
    return _section("Refused", *(element("p", line) for line in record.fault.split("\n")), class_="bad")


def _request(record: Record) -> Html:
    rows = [
        (source.medium, element("bdi", source.name), f"{source.size:,}", source.holds)
        for source in record.sources
    ]
    header = ("medium", "file", "bytes", "holds")
    files = table(header, rows, caption="Files, in the order of the prompt") if rows else ""
    return _section("Prompt", prompt_text(record.prompt), files)


def _row(record: Record) -> Iterator[Html]:
    """Tokens, layout, and what was cut; of a refused request the prompt's tokens."""
    ids, length = record.token_ids, record.settings["sequence_length"]
    if ids is None:
        note = element("p", "Of the prompt alone: no row was made.", class_="note")
        if record.prompt_ids is not None:
            listed = token_list(record.prompt_ids, record.pieces, label="tokens of the prompt")
            yield _section("Tokens", note, listed)
        return
    kinds = sorted({kind_of(record.pieces[int(token)]) for token in set(ids.tolist())} - {"text"})
    found = _blocks(record)
    yield _section("Tokens", token_list(ids, record.pieces, label="tokens of the row"), legend(kinds))
    yield _section("Row", row_bar(found, length=length), row_table(found))
    yield _section("What was cut", *_cut(record))


def _blocks(record: Record) -> list[Block]:
    assert record.token_ids is not None
    return blocks(record.token_ids, record.pieces, length=record.settings["sequence_length"])


def _cut(record: Record) -> Iterator[Html]:
    assert record.token_ids is not None
    length = record.settings["sequence_length"]
    known = record.prompt_ids is not None or len(record.token_ids) < length
    lost = record.token_ids[:0]
    if record.prompt_ids is not None:
        lost = cut_text(record.token_ids, record.prompt_ids, record.pieces, length=length)
    if not known:
        sentence = "The row is full, and this artifact has no signature that says what of the text is cut."
        yield element("p", sentence)
    if len(lost):
        yield element("p", f"{len(lost):,} token(s) at the end of the prompt have no place in the row:")
        yield token_list(lost, record.pieces, label="tokens that were cut")
    config = (record.settings.get(AUDIO.converter) or {}).get("config", {})
    most = config.get("max_audio_length", AudioConfig.max_audio_length)
    long = [source for source in record.sources if source.seconds > most]
    for source in long:
        yield element("p", element("bdi", source.name), f": all beyond {most} of {source.seconds:.2f} s.")
    if known and not (len(lost) or long):
        yield element("p", "Nothing.")


def _media(record: Record) -> Iterator[Html]:
    """Pictures of each medium's filled slots, which share the bytes that a page may have."""
    if record.outputs is None:
        return
    found, patching = _blocks(record), patchings(record.settings)
    slots = {medium.name: slots_of(record, medium, found) for medium in (IMAGE, AUDIO, VIDEO)}
    share = MOST_PICTURE_BYTES // max(sum(map(len, slots.values())), 1)
    drawn: dict[str, list[Html]] = {}
    for medium in (IMAGE, VIDEO):
        drawn[medium.name] = [
            patch_figure(
                record,
                medium,
                slot,
                name=_named(record, medium.name, k, slot),
                patching=patching[medium.name],
                most_bytes=share,
            )
            for k, slot in enumerate(slots[medium.name])
        ]
    drawn[AUDIO.name] = [
        mel_figure(record, slot, name=_named(record, AUDIO.name, k, slot), most_bytes=share)
        for k, slot in enumerate(slots[AUDIO.name])
    ]
    headings = {IMAGE.name: "Images", VIDEO.name: "Frames of videos", AUDIO.name: "Sounds"}
    for name, heading in headings.items():
        if figures := drawn[name]:
            yield _section(heading, element("div", *figures, class_="frames" if name == VIDEO.name else None))


def _named(record: Record, medium: str, order: int, slot: Slot) -> str:
    """What a figure is called: the number, and the file's name where each file is one figure."""
    names = [source.name for source in record.sources if source.medium == medium]
    if medium == VIDEO.name:
        return f"frame {slot.place + 1}"
    return f"{medium} {order + 1}, {names[order]}" if order < len(names) else f"{medium} {order + 1}"


def _timings(steps: Sequence[Step]) -> Html:
    rows = (
        (step.name, _milliseconds(step.median), _range(step.seconds), len(step.seconds)) for step in steps
    )
    header = ("step", "ms (median)", "from–to", "times")
    shown = table(header, rows, caption="How long each step took")
    return _section("Timings", shown, element("p", _STEPS_NOTE, class_="note"))


def _range(seconds: Sequence[float]) -> str:
    return f"{_milliseconds(min(seconds))}–{_milliseconds(max(seconds))}" if len(seconds) > 1 else ""


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:,.2f}"
