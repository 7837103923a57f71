"""The commands as a user types them."""

import json
import subprocess
import sys

import pytest

from export.__main__ import main
from export.options import PreprocessorOptions, make_preprocessor
from export.samples import demonstration_file

VOCABULARY = str(demonstration_file("demonstration.spm"))
PHOTO, SPEECH = str(demonstration_file("photo.jpg")), str(demonstration_file("speech.wav"))


def run(capsys, *arguments):
    """Exit code, standard output, error stream."""
    with pytest.raises(SystemExit) as stop:
        main(list(arguments))
    printed = capsys.readouterr()
    return stop.value.code, printed.out, printed.err


@pytest.fixture(scope="module")
def export_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("commands") / "gemma4"
    with pytest.raises(SystemExit) as stop:
        main(["saved-model", "--tokenizer", VOCABULARY, "--out", str(folder), "--sequence-length", "800"])
    assert stop.value.code == 0
    return folder / "1"


def test_inspect_prints_every_signature(capsys, export_folder):
    code, out, _ = run(capsys, "inspect", str(export_folder))
    assert code == 0
    for name in ("generate_preprocess", "generate_preprocess_arrays", "preprocess", "generate_postprocess", "tokenize", "serving_default"):
        assert name in out
    assert "[?, 2, 2520, 768]" in out
    code, out, _ = run(capsys, "inspect", str(export_folder), "--json")
    assert {"signature": "tokenize", "direction": "output", "name": "lengths", "dtype": "int32", "shape": [None]} in json.loads(out)


def test_run_prints_tokens_counts_and_tensors(capsys, export_folder):
    arguments = ("run", str(export_folder), "--prompt", "see <|image|> hear <|audio|>", "--image", PHOTO, "--audio", SPEECH)
    code, out, _ = run(capsys, *arguments)
    assert code == 0
    assert "soft tokens per image: 280" in out
    assert "soft tokens per audio: 123" in out
    assert "[1, 2, 2520, 768]" in out
    result = json.loads(run(capsys, *arguments, "--json")[1])
    assert result["soft_tokens"] == {"image": [280], "audio": [123]}
    assert result["pieces"][0] == "<bos>"
    assert len(result["pieces"]) == len(result["token_ids"])


def test_run_draws_what_the_model_sees(capsys, export_folder, tmp_path):
    code, out, _ = run(
        capsys,
        "run",
        str(export_folder),
        "--prompt",
        "<|image|><|audio|>",
        "--image",
        PHOTO,
        "--audio",
        SPEECH,
        "--pictures",
        str(tmp_path / "drawn"),
    )
    assert code == 0
    from PIL import Image

    patches, mel = Image.open(tmp_path / "drawn" / "image-0.png"), Image.open(tmp_path / "drawn" / "audio-0.png")
    assert patches.size == (960, 624)  # 60 × 39 patches: a 600 × 400 photograph at 960 × 624
    assert mel.height == 128 * 3
    assert "image-0.png" in out


def test_run_on_several_images(capsys, export_folder):
    code, out, _ = run(capsys, "run", str(export_folder), "--prompt", "<|image|>or<|image|>", "--image", PHOTO, "--image", PHOTO, "--json")
    assert code == 0
    assert json.loads(out)["soft_tokens"]["image"] == [280, 280]


def test_verify_compares_every_step(capsys, export_folder):
    code, out, _ = run(capsys, "verify", str(export_folder), "--texts", "200", "--json")
    results = json.loads(out)
    assert code == 0
    steps = [result["step"] for result in results]
    assert any(step.startswith("tokenize") for step in steps)
    assert any(step.startswith("pixels") for step in steps)
    assert any(step.startswith("log-mel") for step in steps)
    assert any(step == "row: token_ids" for step in steps)
    assert all(result["differing"] == 0 and not result["skipped"] and result["compared"] > 0 for result in results)


def test_verify_fails_where_a_step_is_off(capsys, export_folder, monkeypatch):
    monkeypatch.setattr("export.verifying.MEL_TOLERANCE", -1.0)
    code, out, _ = run(capsys, "verify", str(export_folder), "--texts", "5")
    assert code == 1
    assert "FAR" in out


MISTAKES = {
    "no vocabulary": (("saved-model", "--tokenizer", "nowhere.spm", "--out", "x"), "no file at nowhere.spm"),
    "not a vocabulary": (("saved-model", "--tokenizer", PHOTO, "--out", "x"), "must be a whole SentencePiece model"),
    "missing option": (("saved-model", "--tokenizer", VOCABULARY), "Missing option '--out'"),
    "no source": (("saved-model", "--out", "x"), "--preset or --tokenizer: one of them must be given"),
    "misspelt preset": (("saved-model", "--preset", "gemma4_32b", "--out", "x"), "Did you mean gemma4_2b or gemma4_31b"),
    "deaf preset": (
        ("saved-model", "--preset", "gemma4_31b", "--audio", "--out", "x"),
        "must be of a model that reads audio; 'gemma4_31b'",
    ),
    "pinned": (("saved-model", "--tokenizer", VOCABULARY, "--vocabulary-sha256", "00", "--out", "x"), "sha256 must be the pinned 00"),
    "half a handle": (("saved-model", "--preset", "hf://nobody", "--out", "x"), "a handle must be 'hf://owner/name"),
    "bad parity": (("saved-model", "--tokenizer", VOCABULARY, "--out", "x", "--parity", "torch"), "`parity`: must be one of"),
    "no export": (("inspect", "nowhere"), "no saved_model.pb in nowhere"),
    "no image file": (("run", "EXPORT", "--prompt", "<|image|>", "--image", "nowhere.jpg"), "No such file or directory: 'nowhere.jpg'"),
    "surplus placeholder": (("run", "EXPORT", "--prompt", "<|image|>"), "got 1 placeholder(s) and 0 image(s)"),
    "not an image": (("run", "EXPORT", "--prompt", "<|image|>", "--image", VOCABULARY), "must be an intact JPEG"),
    "unknown command": (("fly",), "No such command 'fly'"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_one_line_and_exit_code_2(capsys, export_folder, mistake):
    arguments, message = MISTAKES[mistake]
    code, out, err = run(capsys, *(str(export_folder) if argument == "EXPORT" else argument for argument in arguments))
    assert code == 2
    assert message in err
    assert "Traceback" not in err + out


def test_the_module_is_quiet_in_a_process_of_its_own(export_folder):
    ran = subprocess.run([sys.executable, "-m", "export", "inspect", export_folder, "--json"], capture_output=True, text=True, check=True)
    assert ran.stderr == ""
    assert json.loads(ran.stdout)


def test_presets_prints_the_eight_presets(capsys):
    code, out, _ = run(capsys, "presets")
    assert code == 0
    for part in ("gemma4_instruct_26b_a4b", "26.0 B", "text, image, audio", "mixture of experts"):
        assert part in out
    listed = json.loads(run(capsys, "presets", "--json")[1])
    assert len(listed) == 8
    assert listed["gemma4_2b"]["parameters"] == 5_100_000_000


def test_options_replace_a_presets_settings():
    options = PreprocessorOptions(
        preset="gemma4_31b", tokenizer=VOCABULARY, sequence_length=700, max_image_pixels=10**6, add_end_token=False
    )
    made = make_preprocessor(options)
    assert (made.sequence_length, made.add_start_token, made.add_end_token, made.audio_converter) == (700, True, False, None)
    assert made.image_converter.config.max_image_pixels == 10**6
    assert make_preprocessor(PreprocessorOptions(tokenizer=VOCABULARY, images=False)).image_converter is None


def test_a_preset_folder_is_exported_and_what_it_leaves_out_is_said(capsys, tmp_path):
    make_preprocessor(PreprocessorOptions(tokenizer=VOCABULARY)).save_to_preset(tmp_path / "preset")
    config = tmp_path / "preset" / "preprocessor.json"
    config.write_text(config.read_text().replace('"config": {', '"config": {"video_converter": {},', 1))
    code, _, err = run(
        capsys, "saved-model", "--preset", str(tmp_path / "preset"), "--no-images", "--no-audio", "--out", str(tmp_path / "out")
    )
    assert code == 0
    assert "note: `video_converter`: is left out" in err
