"""Videos in an exported SavedModel: the class's tensors, and what is wrong with one row alone."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from export.saved_model.write import export_saved_model
from tests.export.rig_videos import COUNT, PLACES, PROMPT, RATES, files_of, media, preprocessor, video


@pytest.fixture(scope="module")
def ours():
    return preprocessor()


@pytest.fixture(scope="module")
def signatures(ours, made_once):
    folder = made_once("videos", lambda place: export_saved_model(ours, place))
    loaded = tf.saved_model.load(folder / "1")
    # A signature's function is alive as long as its module.
    return loaded, dict(loaded.signatures)


def run(signatures, name, **inputs):
    found = signatures[1][name](**{key: tf.constant(value) for key, value in inputs.items()})
    return {key: value.numpy() for key, value in found.items()}


def statuses(outputs):
    return [status.decode() for status in outputs["status"]]


def of_files(rows, places=None, rates=None):
    """The inputs of rows of videos that are lists of frames."""
    packed = [files_of(videos) for videos in rows]
    slots, longest = np.max([files.shape for files in packed], axis=0)
    files = np.full((len(rows), slots, longest), b"", object)
    for row, found in zip(files, packed, strict=True):
        row[: found.shape[0], : found.shape[1]] = found
    return {
        "videos": files,
        "frame_indices": np.full((len(rows), slots, 1), -1, np.int32)
        if places is None
        else np.array(places, np.int32),
        "fps": np.zeros((len(rows), slots)) if rates is None else np.array(rates, np.float64),
    }


@pytest.mark.slow
def test_files_and_arrays_give_the_tensors_of_the_class(ours, signatures):
    videos, image = media()
    more, other = media(40)
    x = {
        "prompts": [PROMPT, PROMPT],
        "videos": [videos, more],
        "images": [image, other],
        "frame_indices": [PLACES, PLACES],
        "fps": [RATES, RATES[::-1]],
    }
    expected = ours.generate_preprocess(x)
    said = {"frame_indices": np.array(x["frame_indices"], np.int32), "fps": np.array(x["fps"], np.float64)}
    packed = np.zeros((2, 2, 5, 80, 80, 3), np.uint8)
    for b, row in enumerate(x["videos"]):
        for k, one in enumerate(row):
            packed[b, k, :, : one.shape[1], : one.shape[2]] = one
    arrays = run(
        signatures,
        "generate_preprocess_arrays",
        prompts=x["prompts"],
        videos=packed,
        video_sizes=np.array([[one.shape[:3] for one in row] for row in x["videos"]], np.int32),
        images=np.stack(x["images"])[:, np.newaxis],
        image_sizes=np.array([[image.shape[:2]], [other.shape[:2]]], np.int32),
        **said,
    )
    images = np.array([[files_of([[image]])[0, 0]], [files_of([[other]])[0, 0]]], object)
    files = run(
        signatures,
        "generate_preprocess",
        prompts=x["prompts"],
        images=images,
        **of_files(x["videos"], x["frame_indices"], x["fps"]),
    )
    for outputs in (arrays, files):
        assert statuses(outputs) == ["", ""]
        assert outputs.keys() - {"status"} == expected.keys()
        for name, value in expected.items():
            np.testing.assert_array_equal(outputs[name], value, err_msg=name)


@pytest.mark.slow
def test_one_video_needs_no_images_and_its_tokens_are_counted_before(ours, signatures):
    one = video()
    row = run(signatures, "generate_preprocess_video", prompts=["<|video|>"], **of_files([[one]]))
    expected = ours.generate_preprocess({"prompts": "<|video|>", "videos": one})
    np.testing.assert_array_equal(row["token_ids"][0], expected["token_ids"])
    np.testing.assert_array_equal(row["pixel_values_videos"][0, :COUNT], expected["pixel_values"])
    count = run(
        signatures,
        "count_tokens",
        prompts=["<|video|>"],
        image_sizes=np.zeros((1, 0, 2), np.int32),
        video_sizes=np.array([[one.shape[:3]]], np.int32),
        frame_indices=np.full((1, 1, 0), -1, np.int32),
        fps=np.zeros((1, 1)),
    )
    assert count["num_tokens"].tolist() == [int(row["padding_mask"].sum())]


def broken(files):
    files = files.copy()
    files[0, 2] = b"no picture"
    return files


BAD: dict[str, tuple[str, dict[str, Any], str]] = {
    "too few videos": ("<|video|><|video|>", {}, r"got 2 placeholder(s) and 1 video"),
    "places out of order": (
        "<|video|>",
        {"frame_indices": [4, 3, 2, 1, 0]},
        "`frame_indices`: must be one number",
    ),
    "a place below 0": ("<|video|>", {"frame_indices": [0, -5, 2, 3, 4]}, "got -5 as number 1"),
    "a rate below 0": ("<|video|>", {"fps": -24.0}, "`fps`: must be a positive number"),
    "no rate": ("<|video|>", {"fps": float("nan")}, "`fps`: must be a positive number"),
    "a broken frame": ("<|video|>", {"videos": broken}, "must be an intact JPEG, PNG, GIF, BMP or WebP file"),
    "a long text": (
        "<|video|>" + "9" * 700 + "<|video|>",
        {"count": 2},
        "a row must hold all frames of its videos; they take a `sequence_length` of",
    ),
    "too many videos": ("<|video|>" * 3, {"count": 3}, "a prompt may have at most `max_videos_per_prompt`"),
}


@pytest.mark.slow
def test_what_is_wrong_with_a_row_is_its_status_and_its_neighbours_are_whole(signatures):
    one = video()
    prompts = ["see <|video|>", *(prompt for prompt, _, _ in BAD.values()), "see <|video|>"]
    rows = [[one], *([one] * change.get("count", 1) for _, change, _ in BAD.values()), [one]]
    inputs = of_files(rows)
    inputs["frame_indices"] = np.full((*inputs["videos"].shape[:2], 5), -1, np.int32)
    for b, (_, change, _) in enumerate(BAD.values(), start=1):
        if "videos" in change:
            inputs["videos"][b] = change["videos"](inputs["videos"][b])
        for name in change.keys() & {"frame_indices", "fps"}:
            inputs[name][b, 0] = change[name]
    outputs = run(signatures, "generate_preprocess_video", prompts=prompts, **inputs)
    found = statuses(outputs)
    assert (found[0], found[-1]) == ("", "")
    for name, status in zip(BAD, found[1:-1], strict=True):
        assert BAD[name][2] in status, (name, status)
    np.testing.assert_array_equal(outputs["token_ids"][0], outputs["token_ids"][-1])
    np.testing.assert_array_equal(
        outputs["pixel_values_videos"][0], outputs["pixel_values_videos"][-1], strict=True
    )
    assert outputs["video_mask"][0].any()
    assert not outputs["padding_mask"][1:-1].any()
    assert not outputs["pixel_values_videos"][1:-1].any()
