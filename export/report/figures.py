"""Pictures of a report: patches and spectrograms with a grid of soft tokens, as figures with files inside."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from export.report.markup import Html, data_url, element, scrolled
from export.report.pictures import (
    WAVE_COLUMNS,
    Patching,
    has_samples,
    mel_picture,
    patch_side,
    unpatched,
    wave_picture,
)
from export.report.record import Record
from export.report.row import Block
from graph_ops.config import AudioConfig
from graph_ops.media.audio import AUDIO
from graph_ops.media.medium import Medium

MOST_PICTURE_BYTES = 240_000
"""Bytes of all pictures of a page together, before base64. Ours: a page of some hundred kB."""
QUALITIES = (88, 75, 60, 40, 25)
"""Of JPEG, tried one after the other. Ours."""
SMALLEST_SIDE = 16
"""Pixels below which a picture is not made smaller. Ours."""
FRAME_WIDTH = 3
"""Pixels on the screen for a frame of a spectrogram, as of `MEL_ZOOM`."""


class Slot(NamedTuple):
    """A filled slot of a medium: its place, and where in the row its soft tokens are, if that is known."""

    place: int
    block: Block | None


def slots_of(record: Record, medium: Medium, found: Sequence[Block]) -> list[Slot]:
    """The filled slots of a medium's tensors, those of a video frame by frame, beside the row's blocks."""
    outputs = record.outputs or {}
    if medium.marks not in outputs:
        return []
    marks = outputs[medium.marks][0]
    least = 0 if marks.ndim > 2 else 1  # of positions, where -1 is padding; of a mask
    filled = [k for k, mark in enumerate(marks) if mark.max() >= least]
    own = [block for block in found if block.kind == medium.name]
    blocks = own if len(own) == len(filled) else [None] * len(filled)
    return [Slot(k, block) for k, block in zip(filled, blocks, strict=True)]


def small_jpeg(picture: np.ndarray, *, most_bytes: int) -> bytes:
    """A JPEG file of uint8 [H, W, 1 or 3], coarser and then smaller until it has at most so many bytes."""
    while True:
        for quality in QUALITIES:
            file = tf.io.encode_jpeg(picture, quality=quality, optimize_size=True).numpy()
            if len(file) <= most_bytes:
                return file
        if min(picture.shape[:2]) < 2 * SMALLEST_SIDE:
            return file
        picture = picture[::2, ::2]


def patch_figure(
    record: Record, medium: Medium, slot: Slot, *, name: str, patching: Patching, most_bytes: int
) -> Html:
    """One image or frame, put together from its patches, with a line around each soft token."""
    assert record.outputs is not None
    values, positions = (record.outputs[key][0, slot.place] for key in (medium.values, medium.marks))
    picture = unpatched(values, positions, scale=patching.scale, offset=patching.offset)
    height, width = picture.shape[:2]
    side = patch_side(values)
    columns, rows = width // side // patching.pooling, height // side // patching.pooling
    what = (
        f"{name}: {width:,} × {height:,} pixels, {width // side} × {height // side} patches, "
        f"{columns} × {rows} = {columns * rows} soft tokens"
    )
    url = data_url("image/jpeg", small_jpeg(picture, most_bytes=most_bytes))
    image = element("img", src=url, width=width, height=height, alt=f"{name} under a grid of soft tokens")
    step = side * patching.pooling
    lines = _grid(range(step, width, step), height) + _grid(range(step, height, step), width, across=True)
    stack = element("div", image, _overlay(lines, width, height), class_="stack")
    return element("figure", stack, element("figcaption", f"{what}{_place(slot)}"))


def mel_figure(record: Record, slot: Slot, *, name: str, most_bytes: int) -> Html:
    """One clip as its spectrogram, or its samples as a wave, with a line at each soft token and the seconds
    below.
    """
    assert record.outputs is not None
    mel, mask = (record.outputs[key][0, slot.place] for key in (AUDIO.values, AUDIO.marks))
    config = record.settings[AUDIO.converter]["config"]
    frames, numbers = int(mask.sum()), mel.shape[1]
    per_token = config.get("frames_per_soft_token", AudioConfig.frames_per_soft_token)
    hop = config.get("stride", AudioConfig.stride) / config.get("sampling_rate", AudioConfig.sampling_rate)
    if has_samples(record.settings):
        picture, columns, zoom, kind = wave_picture(mel, mask, zoom=1), WAVE_COLUMNS, 1, "samples"
        alt = f"samples of {name}, each column from its lowest to its highest"
    else:
        picture, columns, zoom, kind = mel_picture(mel, mask, zoom=1), 1, FRAME_WIDTH, "mel bins"
        alt = f"spectrogram of {name}, low frequencies at the bottom, louder is brighter"
    frame_width = columns * FRAME_WIDTH
    width, height = frames * frame_width, picture.shape[0] * zoom
    url = data_url("image/jpeg", small_jpeg(picture, most_bytes=most_bytes))
    image = element("img", src=url, width=width, height=height, alt=alt)
    step = per_token * frame_width
    overlay = _overlay(_grid(range(step, width, step), height), width, height)
    seconds = _seconds(width, hop / frame_width)
    stack = element("div", image, overlay, class_="stack sound", style=f"width:{width}px")
    what = (
        f"{name}: {frames * hop:.2f} s, {frames:,} frames of {numbers} {kind}, "
        f"{-(-frames // per_token)} soft tokens of {per_token * hop * 1000:.0f} ms"
    )
    pane = scrolled(element("div", stack, seconds, style=f"width:{width}px"), label=alt)
    return element("figure", pane, element("figcaption", f"{what}{_place(slot)}"))


def _place(slot: Slot) -> str:
    if slot.block is None:
        return ""
    inside = slot.block.end - slot.block.start - 2
    return f"; in the row {inside} at positions {slot.block.start + 1:,}–{slot.block.end - 2:,}"


def _grid(places: range, length: int, *, across: bool = False) -> str:
    """Lines of an SVG path, from one edge to the other."""
    return "".join(f"M0 {at}H{length}" if across else f"M{at} 0V{length}" for at in places)


def _overlay(path: str, width: int, height: int) -> Html:
    """Bright lines with dark edges, to be seen on any picture."""
    lines = (element("path", d=path, class_=name) for name in ("edge", "line"))
    view = f"0 0 {width} {height}"
    return element("svg", *lines, viewBox=view, preserveAspectRatio="none", aria_hidden="true")


def _seconds(width: int, seconds_per_pixel: float) -> Html:
    """A ruler in seconds."""
    marks = (
        element("span", f"{second} s", style=f"left:{second / seconds_per_pixel:.0f}px")
        for second in range(int(width * seconds_per_pixel) + 1)
    )
    return element("div", *marks, class_="ruler", aria_hidden="true")
