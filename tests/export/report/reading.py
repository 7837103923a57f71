"""A page as a reader and a browser have it, after checking what every page must be."""

import html.parser
import pathlib
import re
from typing import NamedTuple

VOID = {"meta", "img"}
FETCHING = {"href", "src", "srcset", "action", "data", "poster", "xlink:href"}


class Page(NamedTuple):
    """What is read, with single spaces; the `alt` of each picture; tags with their attributes."""

    text: str
    pictures: list[str]
    tags: list[tuple[str, dict]]


class _Reader(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.tags, self.said = [], [], []

    def handle_starttag(self, tag, attrs):
        assert len(dict(attrs)) == len(attrs), f"{tag} has an attribute twice"
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.said.append(data if self.open and self.open[-1] in ("bdi", "pre") else f" {data} ")


def read_page(source: str | pathlib.Path) -> Page:
    """Reads a page that is whole, fetches nothing, runs nothing and can be read aloud."""
    markup = source if isinstance(source, str) else source.read_text(encoding="utf-8")
    reader = _Reader()
    reader.feed(markup)
    reader.close()
    assert reader.open == [], "every element ends"
    names = [tag for tag, _ in reader.tags]
    assert not {"script", "iframe", "object", "embed", "link", "base", "form"} & set(names)
    for _, attributes in reader.tags:
        assert not [name for name in attributes if name.startswith("on")]
        assert all(attributes[name].startswith("data:image/") for name in FETCHING & attributes.keys())
    style = re.findall(r"<style>(.*?)</style>", markup, re.DOTALL)
    assert not re.search(r"url\(|@import|https?:", "".join(style))
    pictures = [attributes["alt"] for tag, attributes in reader.tags if tag == "img"]
    assert all(pictures)
    assert [tag for tag in names if re.fullmatch("h[1-6]", tag)][:2] == ["h1", "h2"]
    return Page(" ".join("".join(reader.said).split()), pictures, reader.tags)
