"""Artifacts beside the references, step by step and place by place."""

import pytest

from export import artifact
from export.artifact import KINDS, Kind
from export.verify.verify import STEPS, verify
from tests.export.verify.rig import Off, subject


class Compared:
    """An artifact of text alone, in a runtime that is right and, in a folder called off, one that is not."""

    def __init__(self, folder):
        self.folder = folder
        made = subject(runtimes=[Off if folder.name == "off" else lambda right: right])
        self.settings, self.vocabulary, self._runtimes = made.config, made.vocabulary, made.runtimes
        for runtime in self._runtimes:
            runtime.name = folder.name

    def tensor_rows(self):
        return []

    def request(self, prompt, media):
        return {}

    def runtimes(self):
        return self._runtimes


@pytest.fixture
def folders(monkeypatch, tmp_path):
    """Folders of the kind above, by name."""
    kind = Kind("compared kind", "compared.txt", __name__, "Compared")
    monkeypatch.setattr(artifact, "KINDS", (*KINDS, kind))
    made = {name: tmp_path / name for name in ("right", "off")}
    for folder in made.values():
        folder.mkdir()
        (folder / "compared.txt").touch()
    return made


def test_every_step_compares_each_artifact_and_the_class_once(folders):
    said = []
    results = verify(folders["right"], str(folders["off"]), num_texts=5, report=said.append)
    assert said == [
        line
        for folder in folders.values()
        for line in (f"loading {folder}", *(f"comparing {step.__name__} of {folder}" for step in STEPS))
    ]
    by_step = {}
    for result in results:
        by_step.setdefault(result.step, []).append((result.runtime, result.passed))
    for step in ("tokenize 20 texts", "detokenize 5 rows", "text -> row -> text"):
        assert by_step[step] == [("Python", True), ("right", True), ("off", False)]
    steps = [result.step for result in results]
    assert steps == sorted(steps, key=steps.index)


def test_nothing_is_no_line_and_a_folder_without_an_artifact_is_refused(tmp_path):
    assert verify() == []
    with pytest.raises(FileNotFoundError, match="`folder`: must hold a SavedModel"):
        verify(tmp_path)
