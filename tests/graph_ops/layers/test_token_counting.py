"""`count_tokens` of a preprocessor."""

import numpy as np
import pytest
import tensorflow as tf

from graph_ops.layers.token_counting import TokenCount


def test_one_request_and_several_in_lists_of_any_length(make_preprocessor):
    preprocessor = make_preprocessor(parity="transformers")
    one = preprocessor.count_tokens({"prompts": "See <|image|>", "image_sizes": [(480, 640)]})
    assert isinstance(one, TokenCount)
    row = preprocessor.generate_preprocess(
        {"prompts": "See <|image|>", "images": np.zeros((1, 480, 640, 3), np.uint8)}
    )
    assert int(one.num_tokens) == int(tf.reduce_sum(tf.cast(row["padding_mask"], tf.int32)))
    assert bool(one.fits)
    prompts = ["See <|image|>", "a", "<|image|><|image|><|audio|>"]
    sizes = [[(480, 640)], [], [(48, 48), [96, 48]]]
    several = preprocessor.count_tokens(
        {"prompts": prompts, "image_sizes": sizes, "audio_lengths": [[], [], [16_000]]}
    )
    assert several.num_tokens[0] == one.num_tokens
    assert several.fits.numpy().tolist() == [True, True, True]
    assert preprocessor.count_tokens("a").num_tokens == several.num_tokens[1]


def test_arrays_tensors_and_graphs(make_preprocessor):
    preprocessor = make_preprocessor()
    sizes = np.array([[[480, 640], [0, 0]], [[0, 0], [0, 0]]])
    count = tf.function(
        lambda given: preprocessor.count_tokens({"prompts": ["<|image|>", ""], "image_sizes": given})
    )(tf.constant(sizes))
    assert count.num_tokens.numpy().tolist() == [1 + 282, 1]
    again = preprocessor.count_tokens({"prompts": ["<|image|>", ""], "image_sizes": sizes})
    assert again.num_tokens.numpy().tolist() == [1 + 282, 1]


def test_what_is_too_long_does_not_fit_and_raises_nothing(make_preprocessor):
    preprocessor = make_preprocessor(images=False, audio=False, sequence_length=4)
    count = preprocessor.count_tokens(["a", "a long text that is cut"])
    assert count.fits.numpy().tolist() == [True, False]
    assert count.num_tokens[1] > 4


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"prompts": "<|image|>"}, r"row 0: `prompts`: a prompt needs one `<\|image\|>` for each"),
        ({"prompts": "<|image|>", "image_sizes": [(-1, 4)]}, "row 0: `image_sizes`: a height and width must"),
        ({"prompts": "", "images": None}, r"`x`: takes `prompts` and the sizes .*; got \['images'\] too"),
        ({"prompts": "", "image_sizes": np.zeros([2])}, "`image_sizes`: must have rank 3 in a batch"),
    ],
)
def test_what_is_wrong_is_named(make_preprocessor, given, match):
    with pytest.raises(ValueError, match=match):
        make_preprocessor().count_tokens(given)
