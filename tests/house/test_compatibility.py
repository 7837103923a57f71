"""The comparisons of `make test-tensorflows` and `make test-litert-versions`, without their installations."""

import json
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tools.compatibility.answers import packed, rows, run_bare
from tools.compatibility.bare import pack, unpack
from tools.compatibility.bundle_requests import bundle_requests
from tools.compatibility.comparing import Comparison, Row, cells, compare, show
from tools.compatibility.environments import beside, environment

OUTPUTS = {
    "preprocess": {
        "audio_mel": pack(np.array([[0.5, -6.9]], np.float32)),
        "token_ids": pack(np.array([[2, 5]], np.int32)),
        "status": pack(np.array([b"", "é\0".encode()], object)),
    }
}


def changed(**outputs):
    return {"preprocess": OUTPUTS["preprocess"] | {name: pack(array) for name, array in outputs.items()}}


def test_arrays_come_back_from_json():
    for array in (
        np.array([[np.nan, -0.0]], np.float32),
        np.zeros([0, 3], np.uint8),
        np.array([[b"\xff", b""]], object),
    ):
        back = unpack(json.loads(json.dumps(pack(array))))
        assert (back.dtype, back.shape, back.tobytes()) == (array.dtype, array.shape, array.tobytes()) or (
            back.tolist() == array.tolist()
        )


def test_the_same_outputs_have_no_differences():
    assert compare(OUTPUTS, OUTPUTS) == (3, 3, {})
    assert compare(changed(token_ids=np.array([[2, 5]], np.int32)), OUTPUTS).differences == {}


def test_each_difference_is_named_and_measured():
    assert compare(changed(audio_mel=np.array([[0.5, -6.75]], np.float32)), OUTPUTS).differences == {
        "preprocess: audio_mel": np.float32(-6.75) - np.float64(np.float32(-6.9))
    }
    assert compare(changed(token_ids=np.array([[2, 5]], np.int64)), OUTPUTS).differences == {
        "preprocess: token_ids": "int64 [1, 2] beside int32 [1, 2]"
    }
    assert compare(changed(status=np.array([b"", b"fault"], object)), OUTPUTS).differences == {
        "preprocess: status": "1 of 2 strings"
    }
    assert compare({}, OUTPUTS).differences == dict.fromkeys(
        (f"preprocess: {name}" for name in OUTPUTS["preprocess"]), "missing"
    )


def row(differences: Any = (), errors: Any = ()):
    comparison = Comparison(8 - len(differences), 8, dict(differences))
    return Row("bundle", "LiteRT 1", {}, comparison, dict(errors))


def test_a_row_says_the_largest_difference_of_each_tensor():
    mel = {"preprocess: audio_mel": 2e-6, "serving_default: audio_mel": 3e-6}
    assert cells(row(mel)) == ("bundle", "LiteRT 1", "6 of 8", "audio_mel ≤ 3.0e-06")
    assert cells(row(mel | {"tokenize/3: lengths": "missing"}))[-1] == "audio_mel ≤ 3.0e-06; lengths missing"
    assert cells(row())[-2:] == ("8 of 8", "none")
    assert row(mel).is_good
    assert not row({"preprocess: token_ids": 1.0}).is_good


def test_a_row_says_what_did_not_load_or_run():
    assert cells(row(errors={"load": "no\n ADD 9"}))[-1] == "does not load: no ADD 9"
    assert cells(row(errors={"a/0": "x", "a/1": "y"}))[-1] == "2 calls fail, the first a/0: x"
    assert not row(errors={"a/0": "x"}).is_good


def test_the_first_runtime_is_what_the_others_are_compared_with(capsys):
    good: dict[str, Any] = {"versions": {}, "outputs": OUTPUTS, "errors": {}}
    broken: dict[str, Any] = {"versions": {}, "outputs": {}, "errors": {"load": "no"}}
    answers = [("own", good), ("other", good), ("broken", broken)]
    assert [(each.runtime, each.comparison.equal) for each in rows("bundle", iter(answers))] == [
        ("own", 3),
        ("other", 3),
        ("broken", 0),
    ]
    assert capsys.readouterr().err.splitlines()[-1] == "bundle, broken: 0 of 3 equal"


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({"as_json": True, "as_markdown": False}, '"largest": 0.5'),
        ({"as_json": False, "as_markdown": True}, "| bundle | LiteRT 1 | 7 of 8 | token_ids ≤ 5.0e-01 |"),
        ({"as_json": False, "as_markdown": False}, "equal outputs"),
    ],
)
def test_the_table_is_printed_for_people_pages_and_scripts(capsys, form, told):
    assert show([row()], **form) == 0
    assert show([row({"a: token_ids": 0.5})], **form) == 1
    out = capsys.readouterr().out
    assert told.replace('"largest"', '"a: token_ids"') in out


def test_an_environment_that_is_there_is_not_made_again(monkeypatch, tmp_path):
    monkeypatch.setattr("tools.compatibility.environments.WORK", tmp_path)
    monkeypatch.setattr(subprocess, "run", None)
    (tmp_path / "tensorflow-2.16.2").mkdir()
    (tmp_path / "tensorflow-2.16.2" / "installed").touch()
    assert environment("tensorflow==2.16.2") == tmp_path / "tensorflow-2.16.2"
    assert beside("tensorflow==2.16.2") == ["tensorflow-text==2.16.*"]
    assert beside("ai-edge-litert==1.0.1") == beside("tflite-runtime==2.14.0") == ["numpy<2"]
    assert beside("ai-edge-litert==1.1.2") == []


@pytest.mark.slow
def test_a_bare_process_runs_every_signature_that_is_asked_for(tmp_path):
    module = tf.Module()
    module.twice = tf.function(
        lambda x: {"y": 2 * x}, input_signature=[tf.TensorSpec([None], tf.float32, name="x")]
    )
    tf.saved_model.save(module, str(tmp_path / "model"), signatures={"twice": module.twice})
    requests = {"twice": {"x": np.array([1, -3], np.float32)}, "thrice": {"x": np.zeros(1, np.float32)}}
    (tmp_path / "requests").write_text(json.dumps(packed(requests)))
    answers = run_bare(sys.executable, "saved_model", tmp_path / "model", tmp_path / "requests")
    assert answers["versions"]["tensorflow"] == tf.__version__
    assert unpack(answers["outputs"]["twice"]["y"]).tolist() == [2, -6]
    assert answers["errors"].keys() == {"thrice"}


@pytest.mark.slow
def test_a_bare_process_runs_every_call_of_a_bundle_as_litert_does_here(demo_device, tmp_path):
    requests = bundle_requests(demo_device)
    (tmp_path / "requests").write_text(json.dumps(packed(requests)))
    model = demo_device / "preprocessor.tflite"
    answers = run_bare(sys.executable, "bundle", model, tmp_path / "requests")
    assert answers["errors"] == {}
    assert answers["outputs"].keys() == requests.keys()
    ids = {name: unpack(value) for name, value in answers["outputs"]["tokenize/1"].items()}
    assert ids["lengths"].tolist() == [6]  # "This is a test.", as in docs/devices.md


def test_what_does_not_load_is_told(tmp_path):
    (tmp_path / "requests").write_text("{}")
    (tmp_path / "model").write_bytes(b"no model")
    answers = run_bare(sys.executable, "bundle", tmp_path / "model", tmp_path / "requests")
    assert answers["outputs"] == {}
    assert "model" in answers["errors"]["load"].lower()
