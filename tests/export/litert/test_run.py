"""One request to a bundle: what goes in, what comes out, what is refused."""

import json
import sys

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from export.litert import run as running
from export.litert.write import DESCRIPTION, MODEL
from export.verify import samples
from tests.twins.vocabularies import REPEATABLE


@pytest.fixture(scope="module")
def bundle(tiny_bundle):
    return running.load_bundle(tiny_bundle)


@REPEATABLE
@given(st.binary(max_size=50))
def test_a_texts_inputs_are_its_bytes_and_how_many_count(text):
    inputs = running.text_inputs("prompts", text)
    assert inputs.keys() == {"prompts", "prompts_length"}
    assert inputs["prompts"].dtype == np.uint8
    assert inputs["prompts"].size == max(len(text), 1)
    assert inputs["prompts_length"].tolist() == [len(text)]
    assert inputs["prompts"].tobytes()[: len(text)] == text


def test_a_status_is_its_sentence_with_its_numbers(bundle):
    text, length = np.zeros(2, np.uint8), np.array([7], np.int32)
    with pytest.raises(ValueError, match=r"a length must be from 0 .*; got 7, and 2 are given"):
        bundle.run("tokenize", text=text, text_length=length)
    assert bundle.run("tokenize", text=text, text_length=length - 5)["lengths"].tolist() == [2]


def test_a_request_packs_its_items_into_the_slots(bundle):
    items = [np.zeros((3, 4, 3), np.uint8), np.zeros((5, 1, 3), np.uint8)]
    outputs = running.request(bundle, b"ab", {"image": items})
    assert outputs["token_ids"].tolist() == [[97, 98]]
    assert outputs["vision_indices"].tolist() == [[7, 6]]  # height + width of each
    assert running.request(bundle, b"", {})["vision_indices"].tolist() == [[0, 0]]


@pytest.mark.parametrize(
    ("media", "message"),
    [
        ({"image": [np.zeros((1, 1, 3), np.uint8)] * 3}, r"`images`: this bundle has 2 slot\(s\); got 3"),
        ({"audio": [np.zeros(9, np.float32)]}, r"`audio`: this bundle has 0 slot\(s\); got 1"),
    ],
)
def test_more_items_than_slots_are_refused(bundle, media, message):
    with pytest.raises(ValueError, match=message):
        running.request(bundle, b"a", media)


def test_a_folder_without_a_bundle_is_refused(tmp_path):
    for load in (running.read_bundle_description, running.load_bundle):
        with pytest.raises(FileNotFoundError, match=f"must hold a LiteRT bundle; no {DESCRIPTION} in"):
            load(tmp_path)


def test_a_bundle_without_its_runtime_says_what_to_install(tiny_bundle, monkeypatch):
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    with pytest.raises(ValueError, match=r"runs on ai-edge-litert .* 'gemma4-graph\[litert\]'"):
        running.load_bundle(tiny_bundle)


def test_files_are_decoded_under_the_bundles_settings():
    image = samples.pixels(6, 5)
    png = tf.io.encode_png(image).numpy()
    found = running.decoded({"image": [png, png], "audio": []}, {"image_converter": None})
    assert found.keys() == {"image"}
    for read in found["image"]:
        np.testing.assert_array_equal(read, image)
    limited = {"image_converter": {"config": {"max_image_pixels": 29}}}
    with pytest.raises(ValueError, match="pixels"):
        running.decoded({"image": [png]}, limited)


def test_the_compiled_model_resizes_inputs_and_outputs(tiny_bundle):
    description = json.loads((tiny_bundle / DESCRIPTION).read_text())
    run = running.CompiledRunner(tiny_bundle / MODEL, description).get_signature_runner("tokenize")
    for text in (b"a", b"abcde", b"ab"):
        outputs = run(**running.text_inputs("text", text))
        assert outputs["lengths"].tolist() == [len(text)]
        assert outputs["token_ids"].shape == (1, running.MOST_OUTPUTS_PER_INPUT * len(text))
        assert outputs["token_ids"][0, : len(text)].tolist() == list(text)
