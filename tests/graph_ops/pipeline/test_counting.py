"""What a request takes is what its row holds."""

import random

import numpy as np
import pytest
import tensorflow as tf

from graph_ops.config import PARITIES, AudioConfig, ImageConfig, RowConfig
from graph_ops.faults import Fault, Finding
from graph_ops.pipeline.counting import count_row_tokens, count_tokens
from graph_ops.pipeline.served import encode
from graph_ops.settings import make_settings
from graph_ops.target import LITERT
from graph_ops.text.tokens import TokenRows

REQUESTS = 120


@pytest.fixture(scope="module", params=PARITIES)
def preset(request, demonstration_tokenizer):
    row = RowConfig(sequence_length=40, num_vision_tokens_per_image=4, parity=request.param)
    configs = {"image": ImageConfig(max_soft_tokens=4), "audio": AudioConfig(max_audio_length=1)}
    return make_settings(demonstration_tokenizer, row, configs)


def requests():
    """Prompts with sizes of media, too many, too few, too large and too small ones included."""
    rng = random.Random(0)
    prompts, images, clips = [], np.zeros((REQUESTS, 3, 2), np.int32), np.zeros((REQUESTS, 2), np.int32)
    for place in range(REQUESTS):
        num_images, num_clips = rng.choice([0, 0, 1, 1, 2, 2, 3]), rng.choice([0, 1, 1, 2])
        for slot in range(num_images):
            images[place, slot] = [rng.choice([48, 60, 100, 1, 150]), rng.choice([48, 96, 100])]
        clips[place, :num_clips] = rng.choice([1, 640, 4_000, 16_000, 20_000])
        shown = rng.choice([num_images] * 9 + [num_images + 1])
        parts = ["<|image|>"] * shown + ["<|audio|>"] * num_clips + ["word "] * rng.choice([0, 2, 9, 40])
        rng.shuffle(parts)
        prompts.append(" ".join(parts))
    return {"prompts": prompts, "image_sizes": images, "audio_lengths": clips}


def test_the_count_is_the_length_of_the_row_and_the_finding_that_of_the_row(preset):
    sizes = {name: tf.constant(value) for name, value in requests().items()}
    count = count_tokens(sizes, preset)
    media = {
        "images": tf.zeros([REQUESTS, 3, 150, 100, 3], tf.uint8),
        "audio": tf.zeros([REQUESTS, 2, 20_000]),
    }
    given: dict[str, tf.Tensor] = sizes | media
    rows, finding = encode(given, preset, sequence_length=40, training=False, served=True)
    seen = set()
    for place in range(REQUESTS):
        held = int(tf.reduce_sum(tf.cast(rows["padding_mask"][place], tf.int32)))
        ours, theirs = int(count.finding.fault[place]), int(finding.fault[place])
        seen.add(ours)
        if ours == Fault.TOO_MANY_TOKENS:
            assert (held, theirs) == (40, 0)
            assert count.num_tokens[place] > 40
        else:
            assert ours == theirs
            assert count.finding.detail[place].numpy().tolist() == finding.detail[place].numpy().tolist()
            assert ours == Fault.MEDIA_DO_NOT_FIT or count.num_tokens[place] == held
    assert seen >= {0, Fault.TOO_MANY_TOKENS, Fault.MEDIA_DO_NOT_FIT, Fault.IMAGE_COUNT, Fault.IMAGE_LIMIT}


def test_a_longer_row_holds_what_is_counted(preset):
    longer = preset._replace(row=RowConfig(**{**vars(preset.row), "sequence_length": 400}))
    sizes = {name: tf.constant(value) for name, value in requests().items()}
    short, long = count_tokens(sizes, preset), count_tokens(sizes, longer)
    assert short.num_tokens.numpy().tolist() == long.num_tokens.numpy().tolist()
    assert not {Fault.TOO_MANY_TOKENS, Fault.MEDIA_DO_NOT_FIT} & set(long.finding.fault.numpy().tolist())


def test_a_device_counts_the_same(preset):
    given = requests()
    sizes = {"image_sizes": given["image_sizes"][:, :2], "audio_lengths": given["audio_lengths"][:, :1]}
    tensors = {name: tf.constant(value) for name, value in sizes.items()}
    expected = count_tokens(tensors | {"prompts": tf.constant(given["prompts"])}, preset)
    rows = preset.tokenizer.tokenize_rows(tf.constant(given["prompts"]))
    found = count_row_tokens(rows, tensors, preset, also=Finding.none(rows.lengths), target=LITERT)
    for ours, theirs in zip(tf.nest.flatten(found), tf.nest.flatten(expected), strict=True):
        assert ours.numpy().tolist() == theirs.numpy().tolist()


def test_text_alone_is_its_ids_and_the_start(demonstration_tokenizer):
    settings = make_settings(demonstration_tokenizer, RowConfig(sequence_length=3), {})
    count = count_tokens({"prompts": tf.constant(["", "a", "a long text does not fit"])}, settings)
    ids = demonstration_tokenizer(["", "a", "a long text does not fit"])
    assert count.num_tokens.numpy().tolist() == [len(row) + 1 for row in ids.to_list()]
    assert count.finding.fault.numpy().tolist() == [0, 0, Fault.TOO_MANY_TOKENS]
    nothing = TokenRows(tf.zeros([1, 0], tf.int32), tf.constant([0]))
    also = Finding(tf.constant([int(Fault.TEXT_LENGTH)]), tf.constant([[1, 2]]))
    refused = count_row_tokens(nothing, {}, settings, also=also)
    assert (refused.num_tokens.numpy().tolist(), refused.finding.fault.numpy().tolist()) == (
        [0],
        [Fault.TEXT_LENGTH],
    )
