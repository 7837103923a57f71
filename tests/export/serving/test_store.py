"""Versions of a model: found, loaded beside the old one, switched to, drained, unloaded. The servables are
stand-ins.
"""

import threading
import time
from typing import Any

import pytest

from export.serving.refusals import Refusal
from export.serving.store import Choice, ModelStore, Servable


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "1").mkdir()
    return tmp_path


def make(folder, **choice):
    """A store whose load fails for version 13, and the lines that it reported."""
    lines = []

    def load(version, path):
        if version == 13:
            raise OSError("broken")
        return Servable(version, {}, {}, None, {})

    return ModelStore("m", folder, load, Choice(**choice), lines.append), lines


def serving(store, **wish):
    with store.use("m", **wish) as servable:
        return servable.version


def test_the_highest_version_serves_and_the_old_one_goes(folder):
    store, lines = make(folder)
    store.refresh()
    assert serving(store) == 1
    (folder / "10").mkdir()
    (folder / "9").mkdir()
    store.refresh()
    assert serving(store) == 10
    assert store.states("m") == [(1, "END", None), (10, "AVAILABLE", None)]
    assert lines == ["version 1: available", "version 10: available", "version 1: unloaded"]


def test_only_folders_with_a_number_are_versions(folder):
    for name in (".export-x", ".3", "5.tmp", "-7", "v8", "٣"):
        (folder / name).mkdir()
    (folder / "12").write_text("a file")
    store, _ = make(folder, latest=None)
    store.refresh()
    assert [version for version, _, _ in store.states("m")] == [1]


def test_a_version_that_fails_to_load_leaves_the_old_one_serving_and_is_tried_again_when_it_changes(folder):
    store, lines = make(folder)
    store.refresh()
    (folder / "13").mkdir()
    for _ in range(3):
        store.refresh()
    assert serving(store) == 1
    assert lines == ["version 1: available", "version 13: failed to load: broken"]
    version, state, error = store.states("m")[1]
    assert (version, state, error.message) == (13, "END", f"{folder}/13: broken")
    (folder / "13" / "saved_model.pb").write_text("")
    store.refresh()
    assert lines.count("version 13: failed to load: broken") == 2


def test_a_request_under_way_keeps_its_version_while_new_ones_go_to_the_next(folder):
    store, lines = make(folder)
    store.refresh()
    with store.use("m") as old:
        (folder / "2").mkdir()
        refreshing = threading.Thread(target=store.refresh)
        refreshing.start()
        while "version 2: available" not in lines or store.states("m")[0][1] != "UNLOADING":
            time.sleep(0.001)
        assert serving(store) == 2
        with pytest.raises(Refusal, match=r"Servable not found for request: Specific\(m, 1\)"):
            serving(store, version=1)
        assert old.version == 1
        assert refreshing.is_alive()
    refreshing.join(10)
    assert store.states("m")[0] == (1, "END", None)


def test_policies_choose_versions_and_labels_name_them(folder):
    for version in (2, 3):
        (folder / str(version)).mkdir()
    labels = {"stable": 2, "canary": 3, "old": 1}
    store, _ = make(folder, latest=2, labels=labels)
    store.refresh()
    assert [version for version, _, _ in store.states("m")] == [2, 3]
    assert (serving(store), serving(store, label="stable"), serving(store, label="canary")) == (3, 2, 3)
    with pytest.raises(Refusal, match=r"Servable not found for request: Specific\(m, 1\)"):
        serving(store, label="old")
    store, _ = make(folder, latest=None)
    store.refresh()
    assert serving(store, version=1) == 1
    store, _ = make(folder, specific=(1, 2, 8))
    store.refresh()
    assert [version for version, _, _ in store.states("m")] == [1, 2]


def test_a_version_that_is_removed_is_unloaded(folder):
    store, _ = make(folder)
    store.refresh()
    (folder / "1").rmdir()
    store.refresh()
    with pytest.raises(Refusal, match=r"Servable not found for request: Latest\(m\)"):
        serving(store)
    assert store.states("m") == [(1, "END", None)]


def test_watching_finds_a_version_by_itself(folder):
    store, _ = make(folder)
    store.refresh()
    store.watch(every_seconds=0.01)
    (folder / "2").mkdir()
    deadline = time.monotonic() + 300
    while serving(store) != 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    store.stop()
    assert serving(store) == 2


UNKNOWN: dict[str, tuple[Any, ...]] = {
    "another model": (("x",), {}, r"Servable not found for request: Latest\(x\)", 404),
    "another version": (("m",), {"version": 7}, r"Servable not found for request: Specific\(m, 7\)", 404),
    "another model's version": (
        ("x",),
        {"version": 1},
        r"Servable not found for request: Specific\(x, 1\)",
        404,
    ),
    "another label": (("m",), {"label": "beta"}, "Unrecognized servable version label: beta", 400),
    "no name": (("",), {}, "ModelSpec has no name specified", 400),
}


@pytest.mark.parametrize("wish", UNKNOWN)
def test_what_is_not_there_is_refused_as_tf_serving_refuses_it(folder, wish):
    names, choice, message, status = UNKNOWN[wish]
    store, _ = make(folder)
    store.refresh()
    with pytest.raises(Refusal, match=message) as refused, store.use(*names, **choice):
        pass
    assert refused.value.http_status == status


def test_status_of_what_is_not_there(folder):
    store, _ = make(folder)
    store.refresh()
    with pytest.raises(Refusal, match="Could not find any versions of model x"):
        store.states("x")
    with pytest.raises(Refusal, match="Could not find version 7 of model m"):
        store.states("m", 7)


def test_a_folder_that_is_gone_changes_nothing_and_one_without_versions_unloads(folder):
    store, _ = make(folder / "model")
    (folder / "model" / "1").mkdir(parents=True)
    store.refresh()
    (folder / "model").rename(folder / "away")
    store.refresh()
    assert serving(store) == 1
    (folder / "model" / "2").mkdir(parents=True)
    store.refresh()
    assert serving(store) == 2
    (folder / "model" / "2").rmdir()
    store.refresh()
    assert store.states("m") == [(1, "END", None), (2, "END", None)]
