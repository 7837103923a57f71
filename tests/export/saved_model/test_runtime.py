"""A SavedModel asked as any other runtime is."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from export.saved_model.run import Loaded, load
from export.saved_model.runtime import SavedModelRuntime
from tests.export.tiny import tiny_preprocessor


@pytest.fixture(scope="module")
def runtime(tiny_saved_model):
    return SavedModelRuntime(load(tiny_saved_model), tiny_preprocessor().get_config())


def test_each_text_has_its_own_ids(runtime):
    found = runtime.tokenize([b"abc", b"", "é".encode()])
    assert [ids.tolist() for ids in found] == [[97, 98, 99], [], [233]]


def test_each_row_has_its_own_text(runtime):
    assert runtime.detokenize(np.array([[65, 66], [67, 233]], np.int32)) == [b"AB", "Cé".encode()]


def test_a_generated_row_is_read_where_its_mask_says(runtime):
    ids, mask = np.array([[72, 105, 7, 33]], np.int32), np.array([[True, True, False, True]])
    assert runtime.postprocess(ids, mask) == b"Hi!"


def test_a_row_without_media_is_that_of_the_text_signature(runtime):
    row = runtime.row("ab", {})
    assert row.keys() == {"token_ids", "padding_mask", "status"}
    assert row["token_ids"].tolist() == [[97, 98]]


def test_a_row_with_media_is_packed_and_scaled():
    taken: list[dict[str, list[int]]] = []

    class Signature:
        structured_input_signature = ((), {"prompts", "images", "image_sizes", "max_soft_tokens"})

        def __call__(self, **tensors):
            taken.append({name: tensor.shape.as_list() for name, tensor in tensors.items()})
            pixels = tf.constant([[[[0, 51, 255], [9, 9, 9]]]], tf.uint8)
            return {"pixel_values": pixels, "pixel_position_ids": tf.constant([[[[0, 0], [-1, -1]]]])}

    settings: dict[str, Any] = {
        "image_converter": {"config": {"scale": 1 / 255, "offset": None}},
        "audio_converter": None,
    }
    signatures: dict[str, Any] = {"generate_preprocess_arrays": Signature()}
    runtime = SavedModelRuntime(Loaded(None, signatures), settings)
    items = [np.zeros((2, 9, 3), np.uint8), np.zeros((5, 4, 3), np.uint8)]
    found = runtime.row("<|image|><|image|>", {"image": items})["pixel_values"]
    sizes = {"image_sizes": [1, 2, 2], "max_soft_tokens": [1, 2]}
    assert taken == [{"prompts": [1], "images": [1, 2, 5, 9, 3], **sizes}]
    np.testing.assert_allclose(found[0, 0], [[0.0, 0.2, 1.0], [0.0, 0.0, 0.0]], rtol=1e-6)
