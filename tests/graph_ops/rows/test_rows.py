"""Placeholders, truncation and packing against their slow twins."""

import random

import numpy as np
import pytest
import tensorflow as tf

from graph_ops.faults import Fault
from graph_ops.rows.packing import Segment, next_token_labels, pack_rows, truncated_lengths
from graph_ops.rows.placeholders import (
    Placeholder,
    count_ids,
    expand_placeholders,
    first_of,
    soft_token_indices,
)
from tests.twins import rows as twin

IMAGE, AUDIO = (101, 102, 103), (201, 202, 203)


def padded(rows, garbage=7):
    width = max((len(row) for row in rows), default=0)
    return tf.constant(
        [row + [garbage] * (width - len(row)) for row in rows], tf.int32, (len(rows), width)
    ), tf.constant([len(row) for row in rows], tf.int32)


def random_prompt(draw, images, clips):
    tokens = (
        [draw.randrange(10) for _ in range(draw.randrange(12))] + [IMAGE[1]] * images + [AUDIO[1]] * clips
    )
    draw.shuffle(tokens)
    return tokens


@pytest.mark.parametrize("seed", range(20))
def test_expansion_equals_the_twin(seed):
    draw = random.Random(seed)
    image_counts = [[draw.randrange(6) for _ in range(3)] for _ in range(5)]
    audio_counts = [[draw.randrange(4) for _ in range(2)] for _ in range(5)]
    prompts = [random_prompt(draw, draw.randrange(4), draw.randrange(3)) for _ in range(5)]
    ids, lengths = padded(prompts, garbage=IMAGE[1])  # placeholders in the padding must not count
    media = [Placeholder(*IMAGE, tf.constant(image_counts)), Placeholder(*AUDIO, tf.constant(audio_counts))]
    expand = tf.function(
        lambda ids, lengths: expand_placeholders(ids, lengths, media, width=40),
        input_signature=[tf.TensorSpec([None, None], tf.int32), tf.TensorSpec([None], tf.int32)],
    )
    for result in (expand_placeholders(ids, lengths, media, width=40), expand(ids, lengths)):
        for b, prompt in enumerate(prompts):
            expected, starts, media_end = twin.expand(
                prompt,
                {
                    IMAGE[1]: (IMAGE[0], IMAGE[2], image_counts[b]),
                    AUDIO[1]: (AUDIO[0], AUDIO[2], audio_counts[b]),
                },
            )
            assert result.lengths[b] == len(expected)
            assert result.token_ids[b].numpy().tolist()[: len(expected)] == expected[:40]
            assert result.media_end[b] == media_end
            for found, placeholder in zip(result.starts, (IMAGE[1], AUDIO[1]), strict=True):
                assert found[b].numpy().tolist()[: len(starts[placeholder])] == starts[placeholder]


def test_expansion_beyond_the_width_still_reports_its_length():
    ids, lengths = padded([[1, IMAGE[1], 2]])
    result = expand_placeholders(ids, lengths, [Placeholder(*IMAGE, tf.constant([[10]]))], width=4)
    assert result.token_ids.numpy().tolist() == [[1, 101, 102, 102]]
    assert result.lengths.numpy().tolist() == [14]
    assert result.media_end.numpy().tolist() == [13]


@pytest.mark.parametrize("batch", [0, 3])
def test_empty_prompts_expand_to_nothing(batch):
    result = expand_placeholders(
        tf.zeros([batch, 0], tf.int32),
        tf.zeros([batch], tf.int32),
        [Placeholder(*IMAGE, tf.zeros([batch, 2], tf.int32))],
        width=5,
    )
    assert result.token_ids.shape == (batch, 5)
    assert result.lengths.numpy().tolist() == [0] * batch


def test_soft_token_indices_stand_in_one_block_a_medium():
    indices = soft_token_indices(tf.constant([[0, 6], [4, 0]]), tf.constant([[3, 2], [1, 0]]), block=3)
    assert indices.numpy().tolist() == [[1, 2, 3, 7, 8, 0], [5, 0, 0, 0, 0, 0]]


def test_ids_are_counted_inside_the_length_only():
    assert count_ids(tf.constant([[5, 5, 5], [5, 1, 5]]), tf.constant([2, 3]), wanted=5).numpy().tolist() == [
        2,
        2,
    ]


def test_the_first_of_several_ids_is_found_inside_the_length_only():
    ids, lengths = tf.constant([[5, 9, 7], [1, 2, 7], [7, 7, 7]]), tf.constant([3, 2, 3])
    assert first_of(ids, lengths, wanted=[7, 9]).numpy().tolist() == [1, 3, 0]
    assert first_of(ids[:, :0], tf.zeros_like(lengths), wanted=[7]).numpy().tolist() == [0, 0, 0]


def test_truncation_equals_taking_turns_for_every_small_case():
    cases = np.array([(p, r, f) for p in range(12) for r in range(12) for f in range(p + 1)], np.int32)
    for budget in range(12):
        some = cases[cases[:, 2] <= budget]
        kept = truncated_lengths(
            tf.constant(some[:, 0]), tf.constant(some[:, 1]), budget=budget, floor=tf.constant(some[:, 2])
        )
        expected = [twin.take_turns(p, r, budget, f) for p, r, f in some.tolist()]
        assert np.stack(kept, axis=-1).tolist() == [list(pair) for pair in expected]


@pytest.mark.parametrize("start", [None, 2])
@pytest.mark.parametrize("end", [None, 1])
def test_packing_equals_the_twin(start, end):
    draw = random.Random(0)
    prompts = [[draw.randrange(3, 90) for _ in range(draw.randrange(6))] for _ in range(30)]
    responses = [[draw.randrange(3, 90) for _ in range(draw.randrange(5))] for _ in range(30)]
    rows = pack_rows(
        Segment(*padded(prompts)),
        Segment(*padded(responses)),
        keep=tf.ones([30], tf.bool),
        sequence_length=13,
        start_id=start,
        end_id=end,
        pad_id=0,
    )
    for b, (prompt, response) in enumerate(zip(prompts, responses, strict=True)):
        row, mask = twin.pack(prompt, response, 13, start, end, 0)
        assert rows.token_ids[b].numpy().tolist() == row
        assert rows.response_mask[b].numpy().tolist() == mask
        assert int(tf.reduce_sum(tf.cast(rows.padding_mask[b], tf.int32))) == len(prompt) + len(response) + (
            start is not None
        ) + (end is not None)


def test_labels_are_the_successors_and_weigh_on_the_response():
    rows = pack_rows(
        Segment(*padded([[5, 6]] * 2)),
        Segment(*padded([[7]] * 2)),
        keep=tf.constant([True, False]),
        sequence_length=7,
        start_id=2,
        end_id=1,
        pad_id=9,
    )
    inputs, y, sample_weight = next_token_labels(rows)
    assert inputs.token_ids.numpy().tolist() == [[2, 5, 6, 7, 1, 9], [9] * 6]
    assert y.numpy().tolist() == [[5, 6, 7, 1, 9, 9], [9] * 6]
    assert sample_weight.numpy().tolist() == [[False, False, True, True, False, False], [False] * 6]


def test_fault_codes_keep_their_numbers():
    released = [
        "NONE",
        "IMAGE_UNDECODABLE",
        "IMAGE_TOO_LARGE",
        "IMAGE_TOO_THIN",
        "IMAGE_COUNT",
        "AUDIO_UNDECODABLE",
        "AUDIO_FORMAT",
        "AUDIO_TRUNCATED",
    ]
    released += [
        "AUDIO_EMPTY",
        "AUDIO_COUNT",
        "MEDIA_IN_RESPONSE",
        "MEDIA_DO_NOT_FIT",
        "TOKEN_ID_OUT_OF_RANGE",
        "IMAGE_LIMIT",
        "AUDIO_LIMIT",
        "TEXT_LENGTH",
        "AUDIO_LENGTH",
        "SOFT_TOKENS",
        "IMAGE_SIZE",
        "AUDIO_VALUE",
    ]
    assert [fault.name for fault in Fault if fault < len(released)] == released
    assert Fault.AUDIO_TOO_SHORT == 23
