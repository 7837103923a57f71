"""The pages of the documentation, and what stands in them: code blocks, commands, links."""

import pathlib
import re
import shlex
from typing import NamedTuple

from tests.data import ROOT
from tools.write_docs import pages

README = ROOT / "README.md"
PAGES = pages()
FOLDERS = ("graph_ops/demonstration", "export/demonstration", "serving_configs")
LINKING = [*PAGES, ROOT / "CHANGELOG.md", *(ROOT / folder / "README.md" for folder in FOLDERS)]
"""Pages in the wider sense: with links, and prose."""


class Block(NamedTuple):
    """A fenced block: the page, the line where it begins, the language, and the text inside."""

    page: pathlib.Path
    line: int
    language: str
    text: str
    output: str
    """The text of a ```text block right behind it, or ""."""

    def __str__(self):
        return f"{name(self.page)}:{self.line}"


def name(page):
    """A page's path as its readers know it."""
    return str(page.relative_to(ROOT))


def blocks(page):
    """Every fenced block of a page."""
    text = page.read_text(encoding="utf-8")
    fence = re.compile(r"^```(\S*)\n(.*?)^```$(?:\n\n^```text\n(.*?)^```$)?", re.MULTILINE | re.DOTALL)
    return [
        Block(page, text[: match.start()].count("\n") + 1, match[1], match[2], match[3] or "")
        for match in fence.finditer(text)
    ]


def blocks_in(language):
    """Every block of all pages in a language."""
    return [block for page in PAGES for block in blocks(page) if block.language == language]


def prose(page):
    """A page without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def command_lines(page):
    """Words of every command line of a page, of console blocks and of `code` that begins with `gemma4-graph`,
    `make` or `python`.
    """
    shown = [
        line.removeprefix("$ ")
        for block in blocks(page)
        if block.language == "console"
        for line in block.text.replace("\\\n", " ").splitlines()
        if line.startswith("$ ")
    ]
    quoted = re.findall(r"`((?:gemma4-graph|make|python) [^`]+)`", prose(page))
    lines = (line.replace("…", "").replace("\\|", "|") for line in (*shown, *quoted))
    return [shlex.split(line, comments=True) for line in lines]


def anchors(page):
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(page):
    """Targets of a page's relative links and pictures."""
    targets = re.findall(r"\]\(\s*([^)\s]+)\s*\)", prose(page))
    return [target for target in targets if "://" not in target]
