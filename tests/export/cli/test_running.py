"""`run` as a user types it."""

import json

import pytest

from tests.export.cli.commands import PHOTO, SPEECH, run
from tests.export.report.reading import read_page


@pytest.mark.slow
def test_run_prints_tokens_counts_and_tensors(capsys, export_folder):
    arguments = (
        "run",
        str(export_folder),
        "--prompt",
        "see <|image|> hear <|audio|>",
        "--image",
        PHOTO,
        "--audio",
        SPEECH,
    )
    code, out, _ = run(capsys, *arguments)
    assert code == 0
    assert "soft tokens per image: 280" in out
    assert "soft tokens per audio: 123" in out
    assert "[1, 2, 2520, 768]" in out
    result = json.loads(run(capsys, *arguments, "--json")[1])
    assert result["soft_tokens"] == {"image": [280], "audio": [123]}
    assert result["pieces"][0] == "<bos>"
    assert len(result["pieces"]) == len(result["token_ids"])


@pytest.mark.slow
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

    patches, mel = (
        Image.open(tmp_path / "drawn" / "image-0.png"),
        Image.open(tmp_path / "drawn" / "audio-0.png"),
    )
    assert patches.size == (960, 624)  # 60 × 39 patches: a 600 × 400 photograph at 960 × 624
    assert mel.height == 128 * 3
    assert "image-0.png" in out


@pytest.mark.release
def test_run_on_several_images(capsys, export_folder):
    code, out, _ = run(
        capsys,
        "run",
        str(export_folder),
        "--prompt",
        "<|image|>or<|image|>",
        "--image",
        PHOTO,
        "--image",
        PHOTO,
        "--json",
    )
    assert code == 0
    assert json.loads(out)["soft_tokens"]["image"] == [280, 280]


MEDIA = ("--image", PHOTO, "--audio", SPEECH)


@pytest.mark.slow
def test_a_report_shows_what_came_out_beside_what_is_printed(capsys, export_folder, tmp_path):
    report = tmp_path / "new" / "report.html"
    prompt = "see <|image|> hear <|audio|> <script>alert(1)</script>"
    code, out, err = run(
        capsys, "run", str(export_folder), "--prompt", prompt, *MEDIA, "--report", str(report)
    )
    assert (code, err) == (0, f"wrote {report}\n")
    assert "soft tokens per image: 280" in out
    page = read_page(report)
    assert prompt in page.text
    assert "960 × 624 pixels, 60 × 39 patches, 20 × 13 = 260 soft tokens; in the row 280" in page.text
    assert "4.90 s, 490 frames of 128 mel bins, 123 soft tokens of 40 ms; in the row 123" in page.text
    for step in ("reading the files", "running the signature, first call", "running the signature, again"):
        assert step in page.text
    assert len(page.pictures) == 2
    assert report.stat().st_size < 400_000


def test_a_report_of_a_bundle_and_a_prompt_that_is_too_long(capsys, bundle_folder, tmp_path):
    report = tmp_path / "report.html"
    arguments = ("run", str(bundle_folder), "--prompt", "words " * 2000, "--report", str(report), "--json")
    code, out, _ = run(capsys, *arguments)
    assert code == 0
    length = len(json.loads(out)["token_ids"])
    page = read_page(report)
    assert f"places in a row {length:,} tokens {length:,}" in page.text
    assert "at the end of the prompt have no place in the row" in page.text
    assert not page.pictures


@pytest.mark.slow
def test_a_refused_request_has_a_report_too(capsys, export_folder, tmp_path):
    report, file = tmp_path / "report.html", tmp_path / '<script>alert(1)&"x.jpg'
    file.write_text('{"error": "moved"}')
    arguments = ("run", str(export_folder), "--prompt", "<|image|>", "--image", str(file))
    code, out, err = run(capsys, *arguments, "--report", str(report))
    assert (code, out) == (2, "")
    assert "error: `images`: an image must be a JPEG" in err
    page = read_page(report)
    assert "Refused `images`: an image must be a JPEG, PNG, GIF, BMP or WebP file; got a JSON" in page.text
    assert '<script>alert(1)&"x.jpg' in page.text
