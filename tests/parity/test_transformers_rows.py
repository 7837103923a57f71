"""Whole rows in parity "transformers": ids as the released processor's, soft tokens as many as an image's
resized shape has.
"""

import numpy as np
import pytest
import tensorflow as tf
from transformers.models.gemma4.feature_extraction_gemma4 import Gemma4AudioFeatureExtractor
from transformers.models.gemma4.image_processing_pil_gemma4 import Gemma4ImageProcessorPil

from export.verify import samples
from tests.data import needs_real

IMAGE_SIZES = [(480, 640), (876, 1300), (100, 100), (50, 1200), (3000, 200)]
CLIP_LENGTHS = [16_000, 40_123, 161, 700]


@pytest.fixture(scope="module")
def preprocessor(make_preprocessor, real_tokenizer):
    return make_preprocessor(
        real_tokenizer,
        parity="transformers",
        sequence_length=2048,
        max_images_per_prompt=3,
        max_audio_clips_per_prompt=2,
    )


def expected_row(tokenizer, prompt, images, clips):
    """The reference processor's steps, written out: it needs PyTorch as a whole, its parts do not."""
    processor, extractor = Gemma4ImageProcessorPil(), Gemma4AudioFeatureExtractor()
    vision = [
        processor.preprocess(image, return_tensors="np", input_data_format="channels_last")
        for image in images
    ]
    audio = [extractor([clip], sampling_rate=16_000, return_tensors="np") for clip in clips]
    for medium in vision:
        count = int(medium["num_soft_tokens_per_image"][0])
        prompt = prompt.replace("<|image|>", "<|image>" + "\0image" * count + "<image|>", 1)
    for medium in audio:
        count = int(medium["input_features_mask"][0][::4].sum())
        prompt = prompt.replace("<|audio|>", "<|audio>" + "\0audio" * count + "<audio|>", 1)
    prompt = prompt.replace("\0image", "<|image|>").replace("\0audio", "<|audio|>")
    return tokenizer.encode("<bos>" + prompt, add_special_tokens=False).ids, vision, audio


@needs_real
@pytest.mark.parametrize("seed", range(6))
def test_rows_equal_the_reference_processor(preprocessor, huggingface_tokenizer, seed):
    draw = np.random.default_rng(seed)
    images = [
        samples.pixels(*IMAGE_SIZES[draw.integers(len(IMAGE_SIZES))], seed=seed) for _ in range(seed % 4)
    ]
    clips = [
        samples.sounds(CLIP_LENGTHS[draw.integers(len(CLIP_LENGTHS))], seed=seed)["noise"]
        for _ in range(seed % 3)
    ]
    parts = (
        ["<|image|>"] * len(images)
        + ["<|audio|>"] * len(clips)
        + ["hello there", "\n", "<|turn>user", " what?"]
    )
    draw.shuffle(parts)
    prompt = "".join(parts)
    ids, vision, audio = expected_row(huggingface_tokenizer, prompt, images, clips)
    row = {
        name: value.numpy()
        for name, value in preprocessor.generate_preprocess(
            {"prompts": prompt, "images": images, "audio": clips}
        ).items()
    }
    assert row["token_ids"][row["padding_mask"]].tolist() == ids
    check_vision(row, vision, preprocessor)
    check_audio(row, audio, preprocessor)


def check_vision(row, vision, preprocessor):
    block = preprocessor.row.num_vision_tokens_per_image
    for k, medium in enumerate(vision):
        assert np.array_equal(row["pixel_values"][k], medium["pixel_values"][0])
        assert np.array_equal(row["pixel_position_ids"][k], medium["image_position_ids"][0])
    blocks = row["vision_indices"].reshape(-1, block)
    counts = [int(medium["num_soft_tokens_per_image"][0]) for medium in vision] + [0] * (
        len(blocks) - len(vision)
    )
    assert [int((indices > 0).sum()) for indices in blocks] == counts
    assert (
        sorted(index for indices in blocks for index in indices if index)
        == np.flatnonzero(row["vision_mask"]).tolist()
    )


def check_audio(row, audio, preprocessor):
    for k, medium in enumerate(audio):
        frames = len(medium["input_features"][0])
        np.testing.assert_allclose(row["audio_mel"][k, :frames], medium["input_features"][0], atol=1e-4)
        assert np.array_equal(
            row["audio_mel_mask"][k, :frames], medium["input_features_mask"][0].astype(np.int32)
        )
        assert not row["audio_mel_mask"][k, frames:].any()
    if audio:
        assert (
            row["audio_indices"][row["audio_indices"] > 0].tolist()
            == np.flatnonzero(row["audio_mask"]).tolist()
        )


def test_published_counts(make_preprocessor):
    """A 1300 × 876 photo has 260 soft tokens and its last patch is at (59, 38); 640 × 480 gives 266."""
    preprocessor = make_preprocessor(parity="transformers")
    row = preprocessor.generate_preprocess({"prompts": "<|image|>", "images": samples.pixels(876, 1300)})
    positions = row["pixel_position_ids"].numpy()[0]
    assert int(tf.reduce_sum(tf.cast(row["vision_mask"], tf.int32))) == 260
    assert positions[positions[:, 0] >= 0][-1].tolist() == [59, 38]
    row = preprocessor.generate_preprocess({"prompts": "<|image|>", "images": samples.pixels(480, 640)})
    assert int(tf.reduce_sum(tf.cast(row["vision_mask"], tf.int32))) == 266


def test_start_token_follows_the_setting_in_generation(make_preprocessor):
    for add_start_token in (True, False):
        row = make_preprocessor(parity="transformers", add_start_token=add_start_token).generate_preprocess(
            "<bos>hi"
        )
        assert row["token_ids"].numpy().tolist().count(2) == 1 + add_start_token
