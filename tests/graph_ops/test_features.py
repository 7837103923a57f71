"""What the table of features says, and the rows that a preprocessor makes by it."""

import numpy as np
import pytest
import tensorflow as tf

import graph_ops
from graph_ops.features import BY_NAME, DIMS, FEATURES, feature_names, static_shape
from graph_ops.media.table import MEDIA


def test_names_are_unique_and_every_letter_is_explained_and_used():
    assert [*BY_NAME] == [feature.name for feature in FEATURES]
    letters = {dim for feature in FEATURES for dim in feature.dims if isinstance(dim, str)}
    assert letters == DIMS.keys()
    assert all(feature.dims[0] == "B" and feature.padding and feature.meaning for feature in FEATURES)


def test_groups_are_text_labels_and_the_media():
    groups = [*dict.fromkeys(feature.group for feature in FEATURES)]
    assert groups == ["text", *(medium.group for medium in MEDIA), "labels"]


def test_names_of_groups_come_in_the_tables_order():
    assert feature_names("labels", "text") == [
        "token_ids",
        "padding_mask",
        "position_ids",
        "y",
        "sample_weight",
    ]
    assert feature_names() == feature_names("smell") == []
    assert feature_names(*{feature.group for feature in FEATURES}) == [*BY_NAME]


def test_a_static_shape_has_a_size_for_each_letter():
    feature = BY_NAME["pixel_position_ids"]
    assert static_shape(feature, {"B": None, "I": 4, "P": 9}) == [None, 4, 9, 2]
    with pytest.raises(KeyError, match="P"):
        static_shape(feature, {"B": None, "I": 4})


def test_rows_have_the_dtypes_and_ranks_of_the_table(make_preprocessor):
    preprocessor = make_preprocessor(
        video_converter=graph_ops.Gemma4VideoConverter(num_frames=1),
        num_frames_per_video=1,
        num_vision_tokens_per_image=280,
    )
    pixels = np.zeros((1, 48, 48, 3), np.uint8)
    x, y, weight = preprocessor(
        {
            "prompts": ["<|image|><|video|>"],
            "responses": ["b"],
            "images": pixels,
            "videos": pixels[np.newaxis],
        }
    )
    rows = {**x, "y": y, "sample_weight": weight}
    assert rows.keys() == BY_NAME.keys()
    for name, tensor in rows.items():
        assert (tensor.dtype, tensor.shape.rank) == (BY_NAME[name].dtype, len(BY_NAME[name].dims)), name


def test_rows_of_text_have_the_shapes_of_the_table(make_preprocessor):
    preprocessor = make_preprocessor(images=False, audio=False, sequence_length=7)
    rows, _, _ = preprocessor({"prompts": ["a"], "responses": ["b"]})
    for name in feature_names("text"):
        assert rows[name].shape == tf.TensorShape(static_shape(BY_NAME[name], {"B": 1, "S": 7}))
