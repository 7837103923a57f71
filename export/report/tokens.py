"""Tokens and rows as HTML: each token with its piece and id, coloured by both; a row as a bar of blocks."""

from collections.abc import Iterator

import numpy as np

from export.outputs import runs
from export.report.markup import Html, element, escaped, joined, scrolled, table
from export.report.row import TEXT, Block, Pieces, kind_of

MOST_TOKENS = 2000
"""Runs of tokens in a list. Ours: about 150 kB of HTML."""
MOST_BLOCKS = 300
"""Rows of the table of blocks. Ours: the frames of two videos and the texts between them."""
HUES = 12
"""Colours of text tokens."""
BAR_WIDTH = 1000
"""Width of the bar in its own units."""


def token_list(token_ids: np.ndarray, pieces: Pieces, *, label: str) -> Html:
    """The tokens of int32 [n], runs of one id in one place."""
    found = runs(token_ids)
    items = joined(_token(int(token_ids[start]), pieces, end - start) for start, end in found[:MOST_TOKENS])
    left = len(found) - MOST_TOKENS
    more = element("p", f"and {left:,} more places", class_="note") if left > 0 else ""
    return joined([element("ol", items, class_="tokens", aria_label=label), more])


def _token(token: int, pieces: Pieces, times: int) -> Html:
    piece, kind = pieces[token], kind_of(pieces[token])
    hue = f" h{token * 5 % HUES}" if kind == TEXT else ""
    text = piece.replace("\n", "⏎").replace("\t", "⇥")
    count = f" ×{times:,}" if times > 1 else ""
    return element("li", element("bdi", text), count, element("small", token), class_=f"{kind}{hue}")


def legend(kinds: list[str]) -> Html:
    """What the colours of kinds say, those of text aside."""
    items = (element("li", kind, element("small", "kind"), class_=kind) for kind in kinds)
    return element("ul", *items, class_="tokens legend", aria_label="kinds of tokens")


def row_bar(found: list[Block], *, length: int) -> Html:
    """A row of `length` places as a bar, a part for each block."""
    scale = BAR_WIDTH / length
    parts = [
        element(
            "rect",
            element("title", f"{block.kind}, {_places(block)}"),
            x=f"{block.start * scale:.2f}",
            width=f"{max((block.end - block.start) * scale, 1):.2f}",
            height=40,
            class_=block.kind,
        )
        for block in found
    ]
    label = f"the row: {', '.join(_summary(found))}"
    view = f"0 0 {BAR_WIDTH} 40"
    return element(
        "svg", *parts, viewBox=view, preserveAspectRatio="none", role="img", aria_label=label, class_="bar"
    )


def row_table(found: list[Block]) -> Html:
    """The blocks of a row, their positions and numbers."""
    rows = [
        (
            element("span", block.kind, class_=f"key {block.kind}"),
            _places(block),
            f"{block.end - block.start:,}",
        )
        for block in found[:MOST_BLOCKS]
    ]
    left = len(found) - MOST_BLOCKS
    more = element("p", f"and {left:,} more blocks", class_="note") if left > 0 else ""
    header = ("what", "positions", "tokens")
    return joined([table(header, rows, caption="The row, block by block"), more])


def prompt_text(prompt: str, *, most: int = 20_000) -> Html:
    """A prompt as it was given, its first characters if it is long."""
    shown = element("pre", element("bdi", prompt[:most]))
    left = len(prompt) - most
    more = element("p", f"and {left:,} more characters", class_="note") if left > 0 else escaped("")
    return joined([scrolled(shown, label="The prompt"), more])


def _places(block: Block) -> str:
    last = block.end - 1
    return f"{block.start:,}" if last == block.start else f"{block.start:,}–{last:,}"


def _summary(found: list[Block]) -> Iterator[str]:
    """Tokens of each kind."""
    for kind in dict.fromkeys(block.kind for block in found):
        count = sum(block.end - block.start for block in found if block.kind == kind)
        yield f"{count:,} {kind}"
