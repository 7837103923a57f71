"""Expanded placeholders, against their slow twin."""

import random

import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from graph_ops.rows.placeholders import (
    Placeholder,
    count_ids,
    expand_placeholders,
    first_of,
    soft_token_indices,
)
from tests.graph_ops.rows.padded import padded
from tests.twins import rows as twin
from tests.twins.vocabularies import REPEATABLE

IMAGE, AUDIO = (101, 102, 103), (201, 202, 203)


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
        autograph=False,
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


def test_without_media_the_ids_are_what_they_were():
    ids, lengths = padded([[5, IMAGE[1], 6], []])
    result = expand_placeholders(ids, lengths, [], width=3)
    assert result.token_ids[0].numpy().tolist() == [5, IMAGE[1], 6]
    assert result.lengths.numpy().tolist() == [3, 0]
    assert (result.media_end.numpy().tolist(), result.starts) == ([0, 0], ())


def test_a_placeholder_beyond_the_counts_becomes_its_two_markers():
    ids, lengths = padded([[IMAGE[1], IMAGE[1], IMAGE[1], 4]])
    result = expand_placeholders(ids, lengths, [Placeholder(*IMAGE, tf.constant([[1]]))], width=8)
    assert result.token_ids.numpy().tolist() == [[101, 102, 103, 101, 103, 101, 103, 4]]
    assert result.starts[0].numpy().tolist() == [[0]]
    assert result.media_end.numpy().tolist() == [7]


ROWS = st.lists(st.lists(st.integers(0, 4), max_size=7), min_size=1, max_size=4)


@REPEATABLE
@given(ROWS, st.integers(0, 4), st.lists(st.integers(0, 4), min_size=1, max_size=3))
def test_ids_are_counted_and_found_as_in_lists(rows, one, several):
    ids, lengths = padded(rows, garbage=one)
    assert count_ids(ids, lengths, wanted=one).numpy().tolist() == [row.count(one) for row in rows]
    width = ids.shape[1]
    places = [next((place for place, each in enumerate(row) if each in several), width) for row in rows]
    assert first_of(ids, lengths, wanted=several).numpy().tolist() == places
