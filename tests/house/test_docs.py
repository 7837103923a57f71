"""The documentation's examples run as they stand, its commands, links and anchors exist, its tables are the
code's.
"""

import ast
import base64
import contextlib
import importlib.util
import io
import json
import re
import shlex

import pytest
import typer
from rich.console import Console
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

import graph_ops
from export.cli import tables
from export.cli.main import app
from export.litert.write import export_litert
from export.saved_model import run as running
from export.saved_model.write import export_saved_model
from export.serving.server import Server, Settings
from export.serving.store import Servable
from export.verify.samples import demonstration_file
from tests.data import ROOT
from tests.export.serving.rig import http
from tests.house.pages import (
    LINKING,
    PAGES,
    anchors,
    blocks,
    blocks_in,
    command_lines,
    links,
    name,
    prose,
)
from tools.write_docs import BLOCK, written

README = ROOT / "README.md"
RUN = {"python", "sh", "console", "js"}
"""Languages of examples that tests run or look up; those in JavaScript run in `make test-browser`."""
NOT_RUN = {"kotlin", "swift", "text"}


@pytest.fixture(scope="module")
def preprocessor():
    return graph_ops.Gemma4CausalLMPreprocessor(
        graph_ops.Gemma4Tokenizer(demonstration_file("demonstration.spm")),
        graph_ops.Gemma4ImageConverter(),
        graph_ops.Gemma4AudioConverter(),
    )


@pytest.fixture(scope="module")
def exported(preprocessor, tmp_path_factory):
    """What `make demo` writes: `gemma4/1`; `device` joins it when an example needs it."""
    folder = tmp_path_factory.mktemp("demo")
    export_saved_model(preprocessor, folder / "gemma4")
    return folder


@pytest.fixture(scope="module")
def device(exported):
    tokenizer = graph_ops.Gemma4Tokenizer(demonstration_file("demonstration.spm"), engine="builtin")
    return export_litert(graph_ops.Gemma4CausalLMPreprocessor(tokenizer), exported / "device")


@pytest.fixture(scope="module")
def server(exported):
    """The embedded server with what was exported."""
    folder = exported / "gemma4" / "1"
    loaded = running.load(folder)
    description = SavedModel.FromString((folder / "saved_model.pb").read_bytes()).meta_graphs[0].signature_def
    servable = Servable(1, loaded.signatures, dict(description), loaded.module, {})
    server = Server(Settings(folder.parent, port=0, rest_port=0), load=lambda version, folder: servable)
    server.start()
    yield server
    server.stop()


@pytest.mark.parametrize("block", blocks_in("python"), ids=str)
def test_the_python_example_prints_what_stands_below_it(block, request, tmp_path):
    source = block.text
    if "localhost:8500" in source:
        source = source.replace("localhost:8500", f"127.0.0.1:{request.getfixturevalue('server').port}")
    if "build/demo/device" in source:
        request.getfixturevalue("device")
    if "build/demo" in source:
        source = source.replace("build/demo", str(request.getfixturevalue("exported")))
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.chdir(ROOT):
        exec(compile(source.replace('"build/', f'"{tmp_path}/'), str(block), "exec"), {})
    assert printed.getvalue() == block.output


@pytest.mark.parametrize("block", blocks_in("sh"), ids=str)
def test_the_rest_examples_are_answered_by_a_server(block, server):
    commands = re.split(r"\n(?=curl|echo)", block.text.replace("\\\n", " "))
    assert all("curl localhost:8501" in command for command in commands)
    for command in commands:
        path, body = posted(command)
        status, answer = http(server.rest_port, path, body.encode())
        assert status == 200, answer
    assert json.loads(answer)["predictions"][0]["status"] == ""


def posted(command):
    """Path and body of a command with curl, with files in base64 filled in as the shell does."""
    command = re.sub(
        r"\$\(base64 -w0 (\S+)\)",
        lambda match: base64.b64encode((ROOT / match[1]).read_bytes()).decode(),
        command,
    )
    words = shlex.split(command)
    body = words[1] if words[0] == "echo" else words[words.index("-d") + 1]
    (url,) = (word for word in words if word.startswith("localhost:8501"))
    return url.removeprefix("localhost:8501"), body


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_example_is_in_a_language_that_tests_run_or_that_is_known_not_to(page):
    assert {block.language for block in blocks(page)} <= RUN | NOT_RUN
    assert len(re.findall(r"^```", page.read_text(), re.MULTILINE)) == 2 * len(blocks(page)) + 2 * sum(
        bool(block.output) for block in blocks(page)
    )


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_command_and_option_exists(page):
    commands = typer.main.get_command(app).commands
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


def test_the_reference_lists_every_command():
    listed = set(
        re.findall(r"^\| `gemma4-graph ([\w-]+)` \|", prose(ROOT / "docs/reference.md"), re.MULTILINE)
    )
    assert listed == set(typer.main.get_command(app).commands)


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


def test_the_readme_shows_what_make_demo_prints(exported):
    """Up to line breaks, and without the lines that say what was written, which hold sizes of files."""
    makefile = (ROOT / "Makefile").read_text().replace("\\\n", "")
    options = shlex.split(re.search(r"^REQUEST := (.*)$", makefile, re.MULTILINE)[1])
    given = {option: value for option, value in zip(options[::2], options[1::2], strict=True)}
    outputs, pieces, _ = running.run_once(
        exported / "gemma4" / "1",
        given["--prompt"],
        [(ROOT / given["--image"]).read_bytes()],
        [(ROOT / given["--audio"]).read_bytes()],
    )
    printed = io.StringIO()
    console = Console(file=printed, width=110)
    row = tables.Row(outputs["token_ids"][0][outputs["padding_mask"][0]], pieces)
    for part in tables.answer_parts(outputs, row):
        console.print(part)
    (shown,) = (block.text for block in blocks(README) if block.text.startswith("$ make demo"))
    shown = [line for line in shown.splitlines() if not line.startswith(("$ ", "wrote "))]
    assert " ".join(shown).split() == printed.getvalue().split()


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
    retired = r"\b(whose|mends?|mended|eats?|in the way of|what is given|frozen pieces?|plain[_-]text)\b"
    assert not re.findall(retired, BLOCK.sub("", prose(page)), re.IGNORECASE)


@pytest.mark.parametrize("page", LINKING, ids=name)
def test_nothing_mentions_one_machine(page):
    assert not re.search(r"/(home|root|work|tmp)/", page.read_text(encoding="utf-8"))


def test_pictures_are_small():
    pictures = list((ROOT / "docs" / "pictures").iterdir())
    assert pictures
    assert all(picture.stat().st_size < 150_000 for picture in pictures)


ARCHITECTURE = ROOT / "docs" / "architecture.md"


@pytest.mark.parametrize(
    ("heading", "most"),
    [("A third medium", 14), ("A second model family", 6), ("A third artifact kind", 2)],
)
def test_what_a_change_touches_exists_and_is_little(heading, most):
    section = prose(ARCHITECTURE).split(f"### {heading}\n")[1].split("\n#")[0]
    listed = re.findall(r"^- `([\w./]+)`:", section, re.MULTILINE)
    assert 0 < len(listed) <= most
    assert [path for path in listed if not (ROOT / path).is_file()] == []


def test_the_objects_of_the_architecture_page_exist():
    section = prose(ARCHITECTURE).split("## Objects\n")[1].split("\n## ")[0]
    for path in re.findall(r"`(graph_ops/[\w/]+\.py)`", section):
        assert (ROOT / path).is_file(), path


def test_each_folder_imports_only_what_the_table_allows():
    section = prose(ARCHITECTURE).split("## Who may import whom\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `([\w/]+)` \| (.*?) ?\|$", section, re.MULTILINE)
    allowed = {folder: set(re.findall(r"`([\w/]+)`", cell)) for folder, cell in rows}
    everything = {folder for folder, cell in rows if cell == "everything"}
    outside = {folder for folder, cell in rows if cell.startswith("all of `graph_ops`")}
    folders = {
        str(path.parent.relative_to(ROOT))
        for package in ("graph_ops", "export")
        for path in (ROOT / package).glob("*/__init__.py")
    }
    assert allowed.keys() == folders
    for folder in folders - everything:
        for path, imported in _imports(folder):
            fine = imported == folder or imported in allowed[folder] or imported not in folders
            fine = fine or (folder in outside and imported.startswith("graph_ops/"))
            assert fine, f"{path} imports {imported}"


def _imports(folder):
    """Every module of a folder, with the folder of the project that it imports from."""
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            else:
                continue
            for module in names:
                parts = module.split(".")
                if parts[0] in ("graph_ops", "export") and len(parts) > 1:
                    yield path.relative_to(ROOT), "/".join(parts[:2])
