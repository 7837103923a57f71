"""`inspect` and `verify` as a user types them, and what a user gets wrong."""

import hashlib
import json

import pytest
import tensorflow as tf

from export.cli import artifacts
from tests.data import DEMONSTRATION
from tests.export.cli.commands import PHOTO, VOCABULARY, run


def test_inspect_prints_every_signature(capsys, export_folder):
    code, out, _ = run(capsys, "inspect", str(export_folder))
    assert code == 0
    for name in (
        "generate_preprocess",
        "generate_preprocess_arrays",
        "preprocess",
        "generate_postprocess",
        "tokenize",
        "serving_default",
    ):
        assert name in out
    assert "[?, 2, 2520, 768]" in out
    code, out, _ = run(capsys, "inspect", str(export_folder), "--json")
    assert {
        "signature": "tokenize",
        "direction": "output",
        "name": "lengths",
        "dtype": "int32",
        "shape": [None],
    } in json.loads(out)["tensors"]


def test_inspect_says_what_a_runtime_must_have(capsys, export_folder, bundle_folder):
    code, out, _ = run(capsys, "inspect", str(export_folder))
    words = " ".join(out.split())
    assert code == 0
    graph = f"producer {tf.version.GRAPH_DEF_VERSION}, min_consumer 12"
    assert f"needs: tensorflow_version {tf.__version__}, {graph}" in words
    assert "SentencepieceTokenizeOp" in words
    assert "versions of ops" not in words
    code, out, _ = run(capsys, "inspect", str(bundle_folder), "--json")
    needs = json.loads(out)["requirements"]
    assert needs["facts"]["schema_version"] == 3
    assert needs["foreign"] == []
    words = " ".join(run(capsys, "inspect", str(bundle_folder))[1].split())
    digest = hashlib.sha256(DEMONSTRATION.read_bytes()).hexdigest()
    assert f"vocabulary: 4,096 pieces, sha256 {digest}" in words
    assert all(f"{op['name']} {op['version']}" in words for op in needs["ops"])


@pytest.mark.slow
def test_verify_compares_every_step(capsys, export_folder):
    code, out, _ = run(capsys, "verify", str(export_folder), "--texts", "200", "--json")
    results = json.loads(out)
    assert code == 0
    steps = [result["step"] for result in results]
    assert any(step.startswith("tokenize") for step in steps)
    assert any(step.startswith("pixels") for step in steps)
    assert any(step.startswith("log-mel") for step in steps)
    assert any(step == "row: token_ids" for step in steps)
    assert all(
        result["differing"] == 0 and not result["skipped"] and result["compared"] > 0 for result in results
    )


@pytest.mark.release
def test_verify_fails_where_a_step_is_off(capsys, export_folder, monkeypatch):
    monkeypatch.setattr("export.verify.media.MEL_TOLERANCE", -1.0)
    code, out, _ = run(capsys, "verify", str(export_folder), "--texts", "5")
    assert code == 1
    assert "FAR" in out


MISTAKES = {
    "no vocabulary": (("saved-model", "--tokenizer", "nowhere.spm", "--out", "x"), "no file at nowhere.spm"),
    "not a vocabulary": (
        ("saved-model", "--tokenizer", PHOTO, "--out", "x"),
        "must be a whole SentencePiece model",
    ),
    "missing option": (("saved-model", "--tokenizer", VOCABULARY), "Missing option '--out'"),
    "no source": (("saved-model", "--out", "x"), "--preset or --tokenizer: one of them must be given"),
    "misspelt preset": (
        ("saved-model", "--preset", "gemma4_32b", "--out", "x"),
        "Did you mean gemma4_2b or gemma4_31b",
    ),
    "deaf preset": (
        ("saved-model", "--preset", "gemma4_31b", "--audio", "--out", "x"),
        "must be of a model that reads audio; 'gemma4_31b'",
    ),
    "pinned": (
        ("saved-model", "--tokenizer", VOCABULARY, "--vocabulary-sha256", "00", "--out", "x"),
        "sha256 must be the pinned 00",
    ),
    "half a handle": (
        ("saved-model", "--preset", "hf://nobody", "--out", "x"),
        "a handle must be 'hf://owner/name",
    ),
    "bad parity": (
        ("saved-model", "--tokenizer", VOCABULARY, "--out", "x", "--parity", "torch"),
        "Invalid value for '--parity': must be one of keras_hub, transformers; got 'torch'.",
    ),
    "bad engine": (
        ("saved-model", "--tokenizer", VOCABULARY, "--out", "x", "--engine", "unigram"),
        "Invalid value for '--engine': must be one of sentencepiece, builtin; got 'unigram'.",
    ),
    "bad size": (
        ("litert", "--tokenizer", VOCABULARY, "--out", "x", "--static", "image=big"),
        "--static: must be like text=256,1024",
    ),
    "nowhere": (("inspect", "nowhere"), "there is no nowhere. Pass DIR, such as models/gemma4, or DIR/N."),
    "a file": (("verify", PHOTO), "photo.jpg is a file."),
    "no image file": (
        ("run", "EXPORT", "--prompt", "<|image|>", "--image", "nowhere.jpg"),
        "No such file or directory: 'nowhere.jpg'",
    ),
    "surplus placeholder": (
        ("run", "EXPORT", "--prompt", "<|image|>"),
        "got 1 placeholder(s) and 0 image(s)",
    ),
    "not an image": (
        ("run", "EXPORT", "--prompt", "<|image|>", "--image", VOCABULARY),
        "must be an intact JPEG",
    ),
    "not a model's folder": (("serve", "nowhere", "--embedded"), "`folder`: must hold a version"),
    "a version to serve": (
        ("serve", "EXPORT", "--embedded"),
        "must be the folder of a model, above its versions",
    ),
    "unknown command": (("fly",), "No such command 'fly'"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_one_line_and_exit_code_2(capsys, export_folder, mistake):
    arguments, message = MISTAKES[mistake]
    code, out, err = run(
        capsys, *(str(export_folder) if argument == "EXPORT" else argument for argument in arguments)
    )
    assert code == 2
    assert message in err
    assert len(err.splitlines()) == 1
    assert out == ""


@pytest.mark.release
def test_a_model_stands_for_its_newest_version(capsys, export_folder, tmp_path):
    model = tmp_path / "model"
    model.mkdir()
    for version in ("9", "10"):
        (model / version).symlink_to(export_folder)
    (model / "11").mkdir()  # not an artifact
    code, out, err = run(capsys, "inspect", str(model))
    assert (code, err) == (0, f"note: taking {model / '10'}, the newest version\n")
    assert out == run(capsys, "inspect", str(export_folder))[1]
    request = ("--prompt", "hello", "--json")
    assert run(capsys, "run", str(model), *request)[1] == run(capsys, "run", str(export_folder), *request)[1]


def test_a_folder_without_an_artifact_is_named_with_what_it_holds(capsys, tmp_path):
    for name in ("a", "b", "c", "d", "e", "f", "g"):
        (tmp_path / name).touch()
    (tmp_path / "1").mkdir()
    code, _, err = run(capsys, "run", str(tmp_path), "--prompt", "a")
    assert code == 2
    assert "must hold a SavedModel (saved_model.pb) or a LiteRT bundle (signatures.json)" in err
    assert f"{tmp_path} holds 1/, a, b, c, d and 3 more" in err


def test_a_bundle_is_inspected_and_run(capsys, bundle_folder):
    code, out, err = run(capsys, "inspect", str(bundle_folder))
    assert (code, err) == (0, "")
    assert "tokenize" in out
    assert "uint8" in out
    code, out, err = run(capsys, "run", str(bundle_folder), "--prompt", "hello", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["pieces"][0] == "<bos>"


def test_an_export_that_is_there_is_refused_before_anything_is_built(capsys, export_folder, bundle_folder):
    source = ("--tokenizer", VOCABULARY)
    taken = ("--out", str(export_folder.parent), "--version", "1")
    for command, arguments in (
        ("saved-model", taken),
        ("litert", ("--out", str(bundle_folder))),
        ("fuse", (*taken, "--model", "any")),
    ):
        code, _, err = run(capsys, command, *source, *arguments)
        assert code == 2
        assert "must be new;" in err


def test_the_size_of_a_folder_is_that_of_its_files(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x").write_bytes(bytes(3))
    (tmp_path / "y").write_bytes(bytes(4))
    assert artifacts.size_of(tmp_path) == 7
    assert artifacts.size_of(tmp_path / "y") == 4
