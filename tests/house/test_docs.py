"""The commands, links and anchors of the documentation exist, and its tables are the code's."""

import importlib.util
import re
from typing import Any

import pytest
import typer

from export.cli.main import app
from tests.data import ROOT
from tests.house.pages import LINKING, PAGES, README, anchors, blocks, command_lines, links, name, prose
from tools.write_docs import BLOCK, written

RUN = {"python", "sh", "console", "js"}
"""Languages of examples that tests run or look up; those in JavaScript run in `make test-browser` and
`make test-clients`.
"""
NOT_RUN = {"kotlin", "swift", "text"}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_example_is_in_a_language_that_tests_run_or_that_is_known_not_to(page):
    assert {block.language for block in blocks(page)} <= RUN | NOT_RUN
    assert len(re.findall(r"^```", page.read_text(), re.MULTILINE)) == 2 * len(blocks(page)) + 2 * sum(
        bool(block.output) for block in blocks(page)
    )


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_command_and_option_exists(page):
    group = typer.main.get_group(app)
    commands = dict[str, Any](group.commands) | {
        option: group for parameter in group.params for option in parameter.opts
    }
    for _, command, *words in (line for line in command_lines(page) if line[0] == "gemma4-graph"):
        if command.isupper():
            continue
        known = {option for parameter in commands[command].params for option in _spellings(parameter)}
        given = {word.split("=")[0] for word in words if word.startswith("--")}
        assert given <= known | {"--help"}, (command, given - known)


def _spellings(parameter):
    return (*parameter.opts, *parameter.secondary_opts)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_make_target_and_module_exists(page):
    makefile = (ROOT / "Makefile").read_text()
    for line in command_lines(page):
        if line[0] == "make":
            for target in (word for word in line[1:] if "=" not in word):
                assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
        if line[:2] == ["python", "-m"] and line[2] != "export":
            assert importlib.util.find_spec(line[2]), line
        elif line[0] == "python":
            assert line[1] == "-m" or (ROOT / line[1]).is_file(), line


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_option_in_the_prose_exists(page):
    """TensorFlow Serving's own have underscores."""
    commands = typer.main.get_group(app).commands.values()
    known = {
        option for command in commands for parameter in command.params for option in _spellings(parameter)
    }
    named = set(re.findall(r"`(--[a-z-]+)[` ]", prose(page)))
    assert named <= known | {"--help", "--version", "--markdown"}, named - known


def test_the_reference_lists_every_command():
    listed = set(
        re.findall(r"^\| `gemma4-graph ([\w-]+)` \|", prose(ROOT / "docs/reference.md"), re.MULTILINE)
    )
    assert listed == set(typer.main.get_group(app).commands)


@pytest.mark.parametrize("page", LINKING, ids=name)
def test_every_link_and_anchor_resolves(page):
    for target in links(page):
        path, _, anchor = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        assert linked.exists(), target
        assert not anchor or anchor in anchors(linked), target


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_the_tables_are_the_codes(page):
    text = page.read_text(encoding="utf-8")
    assert written(text) == text, "run: python -m tools.write_docs"


def test_the_figures_of_the_readme_are_those_of_the_performance_page():
    request = re.findall(r"\| request: .*", prose(ROOT / "docs/performance.md"))
    measured = {cell for line in request for cell in line.strip("| ").split(" | ")[1:5:2]}
    assert set(re.findall(r"\| ([\d.]+) ms \|", prose(README))) == measured


def test_the_readme_is_short():
    assert len(README.read_text().splitlines()) <= 150


@pytest.mark.parametrize("page", LINKING, ids=name)
def test_lines_outside_of_tables_have_at_most_110_columns(page):
    lines = page.read_text(encoding="utf-8").splitlines()
    long = [line for line in lines if len(line) > 110 and not line.startswith("|")]
    assert not long


@pytest.mark.parametrize("page", LINKING, ids=name)
def test_the_prose_uses_the_words_of_the_glossary(page):
    """Tables that come from the code have the code's words."""
    retired = r"\b(whose|mends?|mended|eats?|in the way of|what is given|frozen pieces?)\b"
    assert not re.findall(retired, BLOCK.sub("", prose(page)), re.IGNORECASE)


@pytest.mark.parametrize("page", LINKING, ids=name)
def test_nothing_mentions_one_machine(page):
    assert not re.search(r"/(home|root|work|tmp)/", page.read_text(encoding="utf-8"))


def test_pictures_are_small():
    pictures = list((ROOT / "docs" / "pictures").iterdir())
    assert pictures
    assert all(picture.stat().st_size < 150_000 for picture in pictures)
