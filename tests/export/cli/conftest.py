"""An export, made by the command, and a server of it."""

import pytest

from export.cli.main import main
from export.verify.samples import demonstration_file

VOCABULARY = str(demonstration_file("demonstration.spm"))


@pytest.fixture(scope="session")
def export_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("commands") / "gemma4"
    with pytest.raises(SystemExit) as stop:
        main(["saved-model", "--tokenizer", VOCABULARY, "--out", str(folder), "--sequence-length", "800"])
    assert stop.value.code == 0
    return folder / "1"


@pytest.fixture(scope="session")
def bundle_folder(tmp_path_factory):
    """A bundle of text alone, which converts faster."""
    folder = tmp_path_factory.mktemp("commands") / "device"
    with pytest.raises(SystemExit) as stop:
        main(["litert", "--tokenizer", VOCABULARY, "--out", str(folder), "--no-images", "--no-audio"])
    assert stop.value.code == 0
    return folder


@pytest.fixture(scope="session")
def server(export_folder):
    """An embedded server of the export."""
    from export.serving.server import Server, Settings

    server = Server(Settings(export_folder.parent, port=0, rest_port=0, warm=False))
    server.start()
    yield server
    server.stop()
