"""The comparison of `make test-tensorflows`, without its installations."""

import json
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from tests.data import ROOT
from tools.across_tensorflows import compare
from tools.run_signatures import pack, unpack

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


@pytest.mark.slow
def test_a_bare_process_runs_every_signature_that_is_asked_for(tmp_path):
    module = tf.Module()
    module.twice = tf.function(
        lambda x: {"y": 2 * x}, input_signature=[tf.TensorSpec([None], tf.float32, name="x")]
    )
    tf.saved_model.save(module, str(tmp_path / "model"), signatures={"twice": module.twice})
    (tmp_path / "requests").write_text(json.dumps({"twice": {"x": pack(np.array([1, -3], np.float32))}}))
    subprocess.run(
        [sys.executable, "-I", ROOT / "tools/run_signatures.py", "model", "requests", "answers"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    answers = json.loads((tmp_path / "answers").read_text())
    assert answers["versions"]["tensorflow"] == tf.__version__
    assert unpack(answers["outputs"]["twice"]["y"]).tolist() == [2, -6]
