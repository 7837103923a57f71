"""Exports, made by the commands, and a server."""

import pytest

from export.cli.main import main
from tests.export.cli.commands import VOCABULARY


@pytest.fixture(scope="session")
def export_folder(demo):
    return demo / "gemma4" / "1"


@pytest.fixture(scope="session")
def bundle_folder(made_once):
    """A bundle of text alone, which converts faster."""
    return made_once("text_device", write_text_device)


def write_text_device(folder):
    with pytest.raises(SystemExit) as stop:
        main(["litert", "--tokenizer", VOCABULARY, "--out", str(folder), "--no-images", "--no-audio"])
    assert stop.value.code == 0


@pytest.fixture(scope="session")
def server(export_folder):
    """An embedded server of the export."""
    from export.serving.server import Server, Settings

    server = Server(Settings(export_folder.parent, port=0, rest_port=0, warm=False))
    server.start()
    yield server
    server.stop()
