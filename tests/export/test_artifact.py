"""Kinds of artifacts behind one interface, and what a third kind costs."""

import inspect
import json
import subprocess
import sys

import numpy as np
import pytest

from export import artifact
from export.artifact import KINDS, Artifact, Kind, OpUse, Requirements, TensorRow, open_artifact
from export.litert.artifact import BundleArtifact
from export.litert.write import DESCRIPTION
from export.saved_model.artifact import SavedModelArtifact
from graph_ops.text.vocabulary.vocabulary import load_vocabulary
from tests.data import DEMONSTRATION
from tests.export.cli.commands import run


class Third:
    """An artifact of a kind that the project does not have: a file of ids."""

    def __init__(self, folder):
        self.folder = folder
        self.settings = {"image_converter": None, "audio_converter": None, "parity": "third"}
        self.vocabulary = load_vocabulary(DEMONSTRATION)

    def tensor_rows(self):
        return [TensorRow("third", "input", "text", "string", [None])]

    def requirements(self):
        return Requirements({"format": 3}, [OpUse("ADD", 2, 1)], [])

    def tokenize(self, text):
        return np.array([5])

    def request(self, prompt, media, *, max_soft_tokens=()):
        return {"token_ids": np.array([[2, 5]]), "padding_mask": np.ones((1, 2), bool)}

    def prepared(self, prompt, media, *, max_soft_tokens=()):
        return lambda: self.request(prompt, media)

    def chat(self, messages, tools, switches, *, max_soft_tokens=()):
        return self.request("", {})

    def runtimes(self):
        return []


@pytest.fixture
def third(monkeypatch, tmp_path):
    """A folder of the third kind, which is a line in the registry."""
    monkeypatch.setattr(artifact, "KINDS", (*KINDS, Kind("third kind", "third.txt", __name__, "Third")))
    (tmp_path / "third.txt").touch()
    return tmp_path


@pytest.mark.parametrize("made", [SavedModelArtifact, BundleArtifact, Third])
def test_every_kind_has_the_whole_interface(made, tmp_path):
    wanted = [name for name in vars(Artifact) if not name.startswith("_")]
    assert {"settings", "vocabulary", "tensor_rows", "requirements", "request", "runtimes"} <= set(wanted)
    for name in wanted:
        assert hasattr(made, name) or hasattr(made(tmp_path), name), name
    for name in ("tensor_rows", "tokenize", "request", "prepared", "runtimes"):
        theirs = inspect.signature(getattr(made, name)).parameters
        assert list(theirs) == list(inspect.signature(getattr(Artifact, name)).parameters)


def test_a_bundle_is_known_by_its_description():
    assert {kind.name: kind.file for kind in KINDS}["LiteRT bundle"] == DESCRIPTION


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_folder_is_of_the_kind_whose_file_it_holds(tmp_path, kind):
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / kind.file).touch()
    for folder in (tmp_path, tmp_path / "1", str(tmp_path / "1")):
        opened = open_artifact(folder)
        assert type(opened).__name__ == kind.class_name
        assert opened.folder == tmp_path / "1"


def test_versions_are_compared_as_numbers_and_others_passed_over(tmp_path):
    for name in ("9", "10"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "saved_model.pb").touch()
    (tmp_path / "11").mkdir()
    assert open_artifact(tmp_path).folder.name == "10"


@pytest.mark.parametrize(
    ("make", "found"),
    [
        (lambda path: None, "there is no "),
        (lambda path: path.touch(), " is a file"),
        (lambda path: path.mkdir(), " holds nothing"),
        (lambda path: (path / "1").mkdir(parents=True), " holds 1/"),
    ],
)
def test_a_folder_without_an_artifact_is_described(tmp_path, make, found):
    make(tmp_path / "folder")
    with pytest.raises(FileNotFoundError, match=r"must hold a SavedModel .* or a LiteRT bundle") as raised:
        open_artifact(tmp_path / "folder")
    assert found in str(raised.value)


def test_commands_take_a_third_kind_that_is_one_line_in_the_registry(capsys, third):
    code, out, _ = run(capsys, "inspect", str(third), "--json")
    assert code == 0
    assert json.loads(out) == {
        "tensors": [
            {"signature": "third", "direction": "input", "name": "text", "dtype": "string", "shape": [None]}
        ],
        "requirements": {
            "facts": {"format": 3},
            "ops": [{"name": "ADD", "version": 2, "uses": 1}],
            "foreign": [],
        },
        "vocabulary": {"size": 4096, "sha256": load_vocabulary(DEMONSTRATION).sha256},
    }
    code, out, _ = run(capsys, "run", str(third), "--prompt", "a", "--json")
    assert code == 0
    assert json.loads(out)["token_ids"] == [2, 5]
    with pytest.raises(FileNotFoundError, match=r"or a third kind \(third.txt\)"):
        open_artifact(third / "nowhere")


def test_finding_an_artifact_takes_no_tensorflow():
    code = "import export.artifact, sys; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
