"""Inputs find the smallest signature of fixed sizes that holds them, or learn which sizes there are."""

import numpy as np
import pytest

from export.litert.fitting import fitted

SHAPES: dict[str, dict[str, list[int | None]]] = {
    "detokenize_64": {"token_ids": [1, 64], "lengths": [1]},
    "detokenize_stream_64": {"token_ids": [1, 64], "lengths": [1], "pending": [1, 3]},
    "preprocess_image_96x160": {"images": [1, 96, 160, 3]},
    "preprocess_image_200x80": {"images": [1, 200, 80, 3]},
    "preprocess_image_300x300": {"images": [1, 300, 300, 3]},
    "tokenize": {"text": [None]},
}
SIGNATURES = {
    name: {"inputs": {key: {"shape": shape} for key, shape in inputs.items()}}
    for name, inputs in SHAPES.items()
}
LENGTHS = np.array([3], np.int32)


@pytest.mark.parametrize(
    ("size", "name"),
    [
        ((1, 1), "96x160"),
        ((96, 160), "96x160"),
        ((97, 80), "200x80"),
        ((97, 81), "300x300"),
        ((300, 300), "300x300"),
        ((0, 0), "96x160"),
    ],
)
def test_the_smallest_that_holds_all_sides_is_taken(size, name):
    images = np.full((1, *size, 3), 7, np.uint8)
    found, inputs = fitted(SIGNATURES, "preprocess_image", {"images": images})
    assert found == f"preprocess_image_{name}"
    padded = inputs["images"]
    assert list(padded.shape) == SHAPES[found]["images"]
    assert padded.dtype == np.uint8
    np.testing.assert_array_equal(padded[:, : size[0], : size[1]], images)
    assert padded.sum() == images.sum()


def test_kinds_with_a_name_in_common_are_told_apart_by_their_inputs():
    ids = np.ones((1, 3), np.int32)
    assert fitted(SIGNATURES, "detokenize", {"token_ids": ids, "lengths": LENGTHS})[0] == "detokenize_64"
    inputs = {"token_ids": ids, "lengths": LENGTHS, "pending": np.zeros((1, 3), np.int32)}
    assert fitted(SIGNATURES, "detokenize_stream", inputs)[0] == "detokenize_stream_64"


@pytest.mark.parametrize("name", ["tokenize", "detokenize_64"])
def test_a_whole_name_takes_what_is_given(name):
    given = {"text": np.zeros(1000, np.uint8)}
    assert fitted(SIGNATURES, name, given) == (name, given)


@pytest.mark.parametrize(
    ("kind", "inputs", "sentence"),
    [
        (
            "preprocess_image",
            {"images": np.zeros((1, 301, 20, 3), np.uint8)},
            r"`images`: must fit into \[1, 96, 160, 3\] or \[1, 200, 80, 3\] or \[1, 300, 300, 3\], the "
            r"sizes of this bundle; got \[1, 301, 20, 3\]\. Send less, or export with a larger --static\.",
        ),
        (
            "detokenize",
            {"token_ids": np.zeros((1, 65), np.int32), "lengths": LENGTHS},
            r"`token_ids`: must fit into \[1, 64\], .* got \[1, 65\]",
        ),
        ("preprocess_audio", {"audio": np.zeros((1, 9))}, "`signature`: must be one of .* with audio, among"),
        ("detokenize", {"ids": np.zeros((1, 9))}, "`signature`: must be one of .*'detokenize' with ids"),
        ("preprocess_image", {"images": np.zeros((1, 9, 9))}, r"`images`: must fit .* got \[1, 9, 9\]"),
    ],
)
def test_what_fits_nowhere_is_refused_with_the_sizes(kind, inputs, sentence):
    with pytest.raises(ValueError, match=sentence):
        fitted(SIGNATURES, kind, inputs)
