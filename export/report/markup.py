"""HTML that cannot be forged: whatever is not markup already is escaped."""

import base64
import html
import re
from collections.abc import Iterable

VOID = ("img", "meta")
"""Elements without an end, of those that a report has."""
_UNREADABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
"""Characters that HTML, or UTF-8, does not have."""


class Html(str):
    """Markup, to be written as it stands."""

    __slots__ = ()


def escaped(text: object) -> Html:
    """A text as markup; markup stays as it is. What HTML has no character for becomes U+FFFD."""
    if isinstance(text, Html):
        return text
    return Html(html.escape(_UNREADABLE.sub("\ufffd", str(text))))


def element(tag: str, *children: object, **attributes: object) -> Html:
    """An element, with escaped children and attributes; an underscore at the end of an attribute's name is
    left out, others are hyphens. An attribute that is None is left out.

    >>> element("p", "a < b", class_="note")
    '<p class="note">a &lt; b</p>'
    """
    written = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escaped(value)}"'
        for name, value in attributes.items()
        if value is not None
    )
    if tag in VOID:
        return Html(f"<{tag}{written}>")
    return Html(f"<{tag}{written}>{''.join(map(escaped, children))}</{tag}>")


def joined(parts: Iterable[object]) -> Html:
    """Parts one behind the other."""
    return Html("".join(map(escaped, parts)))


def table(header: Iterable[str], rows: Iterable[Iterable[object]], *, caption: str) -> Html:
    """A table with a header that is read with each cell, and a caption."""
    head = element("tr", *(element("th", name, scope="col") for name in header))
    body = [element("tr", *(element("td", cell) for cell in row)) for row in rows]
    inner = element("table", element("caption", caption), element("thead", head), element("tbody", *body))
    return scrolled(inner, label=caption)


def scrolled(content: object, *, label: str) -> Html:
    """A part that scrolls sideways where the page is narrower, by keyboard too."""
    return element("div", content, class_="scroll", tabindex=0, role="region", aria_label=label)


def data_url(mime: str, content: bytes) -> str:
    """A file inside the page."""
    return f"data:{mime};base64,{base64.b64encode(content).decode()}"
