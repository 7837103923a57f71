"""Videos in a LiteRT bundle: the class's tensors, what is refused, and the commands that ask it."""

import json

import numpy as np
import pytest

from export.litert.buckets import parse_buckets
from export.litert.run import decoded, load_bundle, request, text_inputs
from export.litert.signatures import device_signatures
from export.litert.write import export_litert
from export.verify.verify import verify
from export.videos import VideoArray, VideoFiles
from tests.export.cli.commands import run
from tests.export.report.reading import read_page
from tests.export.rig_videos import COUNT, PLACES, RATES, png, preprocessor, video

PROMPT = "a <|video|> b <|video|>"
NAMES = {
    "pixel_values_videos": "pixel_values",
    "video_position_ids": "pixel_position_ids",
    "video_indices": "vision_indices",
    "video_mask": "vision_mask",
}
"""KerasHub's names of what a bundle gives for frames."""


pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def ours():
    return preprocessor(images=False)


@pytest.fixture(scope="module")
def folder(ours, made_once):
    return made_once("video_bundle", lambda place: export_litert(ours, place))


@pytest.fixture(scope="module")
def bundle(folder):
    return load_bundle(folder)


@pytest.fixture(scope="module")
def videos():
    return [
        VideoArray(one, rate, tuple(places))
        for one, rate, places in zip([video(), video(height=80, width=48)], RATES, PLACES, strict=True)
    ]


@pytest.fixture(scope="module")
def expected(ours, videos):
    frames, rates, places = zip(*videos, strict=True)
    x = {"prompts": PROMPT, "videos": [*frames], "fps": [*rates], "frame_indices": [*map(list, places)]}
    return {name: np.asarray(value) for name, value in ours.generate_preprocess(x).items()}


def check_row(outputs, expected, names):
    for name in names:
        theirs = expected[NAMES.get(name, name)]
        np.testing.assert_allclose(outputs[name][0], theirs, atol=1.01 / 255, rtol=0, err_msg=name)


def test_a_row_has_the_tensors_of_the_class(bundle, videos, expected):
    outputs = request(bundle, PROMPT.encode(), {"video": videos})
    check_row(outputs, expected, ["token_ids", "padding_mask", "position_ids", *NAMES])
    differs = outputs["pixel_values_videos"][0] != expected["pixel_values"]
    assert np.count_nonzero(differs) <= 2


def test_videos_that_were_preprocessed_before_give_the_same_row(bundle, videos, expected):
    counts = np.zeros((1, 2 * COUNT), np.int32)
    said = {"frame_indices": np.zeros((1, 2, COUNT), np.int32), "fps": np.array([RATES], np.float32)}
    for k, one in enumerate(videos):
        sizes = np.array([one.frames.shape[:3]], np.int32)
        outputs = bundle.run("preprocess_video", videos=one.frames[np.newaxis], video_sizes=sizes)
        counts[0, k * COUNT : (k + 1) * COUNT] = outputs["soft_tokens"].ravel()
        said["frame_indices"][0, k] = [one.frame_indices[frame] for frame in (0, 2, 4)]
    text = text_inputs("prompts", PROMPT.encode())
    row = bundle.run("generate_preprocess_counts", **text, video_soft_tokens=counts, **said)
    check_row(row, expected, ["token_ids", "padding_mask", "video_indices", "video_mask"])
    sizes = np.array([[one.frames.shape[:3] for one in videos]], np.int32)
    tokens = bundle.run("tokenize", **text_inputs("text", PROMPT.encode()))
    ids = {"token_ids": tokens["token_ids"], "lengths": tokens["lengths"]}
    nothing = np.full((1, 2, 1), -1, np.int32)
    count = bundle.run(
        "count_tokens", **ids, video_sizes=sizes, frame_indices=nothing, fps=np.zeros((1, 2), np.float32)
    )
    assert count["num_tokens"].tolist() == [int(expected["padding_mask"].sum())]


@pytest.mark.parametrize(
    ("prompt", "changes", "message"),
    [
        ("<|video|><|video|>", {}, r"got 2 placeholder\(s\) and 1 video"),
        ("<|video|>", {"fps": -1.0}, "`fps`: must be a positive number"),
        ("<|video|>", {"fps": float("nan")}, "`fps`: must be a positive number"),
        ("<|video|>", {"frame_indices": (0, 9, 8, 10, 11)}, "got 8 as number 2"),
        ("<|video|>", {"frame_indices": (0, 9)}, "`frame_indices`: must be one number for each frame"),
        ("9" * 600 + "<|video|>", {}, r"they take a `sequence_length` of \d+, and it is 700"),
    ],
)
def test_what_is_wrong_is_said(bundle, prompt, changes, message):
    with pytest.raises(ValueError, match=message):
        request(bundle, prompt.encode(), {"video": [VideoArray(video())._replace(**changes)]})


def test_a_video_of_files_is_decoded_with_what_is_said_of_its_source():
    frames = video(2)
    file = VideoFiles(tuple(map(png, frames)), 12.5, (3, 9))
    (read,) = decoded({"video": [file]}, {"video_converter": {"config": {}}})["video"]
    assert read[1:] == (12.5, (3, 9))
    np.testing.assert_array_equal(read.frames, frames)


def test_the_commands_run_and_verify_it(capsys, folder, tmp_path):
    frames = tmp_path / "frames"
    frames.mkdir()
    for k, frame in enumerate(video()):
        (frames / f"{k:03d}.png").write_bytes(png(frame))
    code, out, error = run(
        capsys,
        *("run", str(folder), "--prompt", "see <|video|>", "--video", str(frames), "--json"),
        *("--pictures", str(tmp_path / "drawn"), "--report", str(tmp_path / "report.html")),
    )
    assert (code, len(json.loads(out)["soft_tokens"]["video"])) == (0, COUNT), error
    assert sorted(path.name for path in (tmp_path / "drawn").iterdir()) == [
        f"frame-{k}.png" for k in range(COUNT)
    ]
    page = read_page(tmp_path / "report.html")
    assert len(page.pictures) == page.text.count("soft tokens; in the row") == COUNT
    results = [result for result in verify(folder, num_texts=2) if result.step.startswith("row of a video")]
    assert results
    assert all(result.passed for result in results)


def test_a_static_bundle_has_inputs_of_fixed_size(ours):
    table = device_signatures(ours.settings, parse_buckets(["text=64", "video=8x48x96"]))
    assert table["preprocess_video_8x48x96"].inputs["videos"].shape == (1, 8, 48, 96, 3)
    assert table["generate_preprocess_counts_64"].inputs["frame_indices"].shape == (1, 2, COUNT)
    assert all(None not in given.shape for signature in table.values() for given in signature.inputs.values())
