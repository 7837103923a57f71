"""Rows with videos: in which order items stand, what they take, what is wrong with them."""

import re

import numpy as np
import pytest
import tensorflow as tf

import graph_ops
from export.verify import samples
from graph_ops.pipeline.videos import expand_frames
from graph_ops.text.tokens import TokenRows

COUNT = 3
ROW = {
    "num_frames_per_video": COUNT,
    "num_vision_tokens_per_image": 70,
    "max_videos_per_prompt": 2,
    "sequence_length": 900,
    "audio_input_feat_size": 0,
}


def video(frames=5, height=48, width=80, seed=0):
    return np.stack([samples.pixels(height, width, seed=seed + k) for k in range(frames)])


@pytest.fixture(scope="module")
def make(demonstration_tokenizer):
    made = {}

    def preprocessor(**row):
        key = tuple(row.items())
        if key not in made:
            made[key] = graph_ops.Gemma4CausalLMPreprocessor(
                demonstration_tokenizer,
                graph_ops.Gemma4ImageConverter(max_soft_tokens=70),
                video_converter=graph_ops.Gemma4VideoConverter(num_frames=COUNT),
                **ROW | row,
            )
        return made[key]

    return preprocessor


def text_of(preprocessor, row):
    ids = row["token_ids"].numpy()[row["padding_mask"].numpy()]
    return "".join(preprocessor.tokenizer.id_to_token(int(token)) for token in ids).replace("\u2581", " ")


def written(seconds, counts):
    return " ".join(
        f"{second // 60:02d}:{second % 60:02d} <|image>{'<|video|>' * count}<image|>"
        for second, count in zip(seconds, counts, strict=True)
    )


@pytest.mark.parametrize(
    ("parity", "times"),
    [("keras_hub", ([0, 120, 240], [0, 2, 600])), ("transformers", ([0, 60, 180], [0, 2, 4]))],
)
def test_several_videos_and_images_share_a_row(make, parity, times):
    preprocessor, image = make(parity=parity), samples.pixels(48, 80)
    clips = [video(), video(4, 80, 48, 30)]
    prompt = "a <|video|>b<|image|><|video|>"
    places = [[0, 60, 120, 180, 240], [0, 1, 2, 300]]
    x = {"prompts": prompt, "videos": clips, "images": image, "frame_indices": places, "fps": [1.0, 0.5]}
    row = preprocessor.generate_preprocess(x)
    counts = (row["video_position_ids"].numpy()[..., 0] >= 0).sum(axis=1) // 9
    assert (counts > 50).all()
    soft = 70 if parity == "keras_hub" else counts[0]
    first, second = written(times[0], counts[:3]), written(times[1], counts[3:])
    expected = f"<bos>a {first}b<|image>{'<|image|>' * soft}<image|>{second}"
    assert text_of(preprocessor, row) == expected
    mask, indices = row["video_mask"].numpy(), row["video_indices"].numpy()
    np.testing.assert_array_equal(np.flatnonzero(mask), indices[indices > 0])
    if parity == "keras_hub":
        assert (indices[: mask.sum()] > 0).all()
    else:
        assert [(block > 0).sum() for block in indices.reshape(-1, 70)] == counts.tolist()
    sizes = {
        "video_sizes": [clip.shape[:3] for clip in clips],
        "image_sizes": [image.shape[:2]],
    }
    count = preprocessor.count_tokens({"prompts": prompt, **sizes})
    assert (int(count.num_tokens), bool(count.fits)) == (int(row["padding_mask"].numpy().sum()), True)


def test_a_video_that_does_not_fit_says_what_it_takes(make):
    preprocessor = make(sequence_length=141)
    x = {"prompts": ["see <|video|>", "a"], "videos": [video(), None]}
    with pytest.raises(ValueError, match="row 0: `prompts`: a row must hold all frames") as raised:
        preprocessor.generate_preprocess(x)
    needed = int(re.search(r"`sequence_length` of (\d+)", str(raised.value)).group(1))
    row = preprocessor.generate_preprocess(x, sequence_length=needed)
    assert row["padding_mask"].numpy()[0].all()
    with pytest.raises(ValueError, match="a row must hold all frames"):
        preprocessor.generate_preprocess(x, sequence_length=needed - 1)


BAD_PLACES = {"videos": video(), "frame_indices": [1, 0, 2, 3, 4]}


@pytest.mark.parametrize(
    ("x", "message"),
    [
        ({"prompts": "<|video|>"}, r"got 1 placeholder\(s\) and 0 video"),
        ({"prompts": "<|video|><|video|>", "videos": video()}, r"got 2 placeholder\(s\) and 1 video"),
        ({"prompts": "a", "videos": video()}, r"got 0 placeholder\(s\) and 1 video"),
        ({"prompts": "<|video|>" * 3, "videos": [video()] * 3}, "a row may have at most 2; got 3"),
        ({"prompts": "<|video|>", "videos": [b"no file"]}, "each frame that is taken must be an intact"),
        ({"prompts": "<|video|>", **BAD_PLACES}, "`frame_indices`: must be one number"),
        ({"prompts": "<|video|>", "videos": video(), "fps": -1.0}, "`fps`: must be a positive"),
    ],
)
def test_what_is_no_video_is_reported(make, x, message):
    with pytest.raises(ValueError, match=message):
        make(parity="keras_hub").generate_preprocess(x)


def test_placeholders_are_read_where_other_special_tokens_are_not(make):
    preprocessor = make(allow_special_tokens="none")
    row = preprocessor.generate_preprocess({"prompts": "<|turn><|video|>", "videos": video()})
    assert text_of(preprocessor, row).startswith("<bos><|turn>00:00 <|image><|video|>")


def test_training_rows_learn_nothing_of_a_video(make):
    x = {"prompts": ["<|video|>"], "responses": ["ok"], "videos": [video()]}
    _, _, weight = make(parity="keras_hub")(x)
    assert 0 < int(weight.numpy().sum()) < 5


def test_without_videos_prompts_stay_as_they_are(make):
    prompts = TokenRows(tf.zeros([1, 2], tf.int32), tf.constant([2]))
    found = expand_frames(prompts, None, make(parity="keras_hub").settings, also=None)
    assert found.prompts is prompts
    assert found.finding is None
