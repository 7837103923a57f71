"""A placeholder of a video to those of its frames, with their times."""

from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from graph_ops.faults import Fault
from graph_ops.rows.videos import ClockIds, clock_ids, expand_videos
from graph_ops.text.tokens import TokenRows
from tests.graph_ops.rows.padded import padded

IDS = ClockIds(tuple(range(10)), 11, 12)
VIDEO = 99


def expanded(prompts, seconds, totals):
    seconds = tf.constant(seconds, tf.int32)
    return expand_videos(
        TokenRows(*padded(prompts)), seconds, tf.constant(totals), placeholder=VIDEO, ids=IDS
    )


def rows(found):
    return [
        ids[:length].tolist()
        for ids, length in zip(found.rows.token_ids.numpy(), found.rows.lengths.numpy(), strict=True)
    ]


def written(*seconds):
    """The ids of frames that are shown then."""
    ids = []
    for second in seconds:
        ids += [12] if ids else []
        ids += [11 if c == ":" else int(c) for c in f"{second // 60:02d}:{second % 60:02d}"] + [12, VIDEO]
    return ids


def test_each_frame_has_its_time_and_a_placeholder():
    found = expanded([[50, VIDEO, 51], [VIDEO], [52]], [[[0, 61]], [[5, -1]], [[-1, -1]]], [[2], [1], [0]])
    assert rows(found) == [[50, *written(0, 61), 51], written(5), [52]]
    assert found.source.numpy()[0, :3].tolist() == [0, 1, 1]
    assert found.finding.fault.numpy().tolist() == [0, 0, 0]


def test_minutes_take_the_digits_that_they_need():
    seconds = [0, 59, 60, 5999, 6000, 2**31 - 1]
    found = expanded([[VIDEO]], [[seconds]], [[6]])
    assert rows(found) == [written(*seconds)]


def test_the_kth_placeholder_is_the_kth_video_that_is_there():
    found = expanded([[VIDEO, 50, VIDEO]], [[[1], [-1], [3]]], [[4, 0, 4]])
    assert rows(found) == [[*written(1), 50, *written(3)]]


def test_other_placeholders_than_videos_are_reported_and_left():
    found = expanded([[VIDEO, VIDEO], [50]], [[[1]], [[2]]], [[3], [3]])
    assert found.finding.fault.numpy().tolist() == [Fault.VIDEO_COUNT] * 2
    assert found.finding.detail.numpy().tolist() == [[2, 1], [0, 1]]
    assert rows(found) == [[VIDEO, VIDEO], [50]]


def test_empty_prompts_and_batches_are_taken():
    assert rows(expanded([[]], [[[-1]]], [[0]])) == [[]]
    nothing = TokenRows(tf.zeros([0, 0], tf.int32), tf.zeros([0], tf.int32))
    times = tf.zeros([0, 1, 2], tf.int32), tf.zeros([0, 1], tf.int32)
    assert expand_videos(nothing, *times, placeholder=VIDEO, ids=IDS).rows.token_ids.shape[0] == 0


def test_ids_are_those_of_the_written_text(tokenizer):
    """What a text with the times becomes, whatever stands around it."""
    vocabulary = tokenizer.vocabulary
    ids = clock_ids(vocabulary)
    video = tokenizer.token_to_id("<|video|>")
    draw = np.random.default_rng(0)
    for text in ["{} a", "see {}", "1{}2", "10:{}:1", " {} ", "▁{}▁", "a\n{}\n", "<b>{}", "no. {}", "7 {}"]:
        seconds = draw.integers(0, 9000, 3).tolist()
        times = " ".join(f"{second // 60:02d}:{second % 60:02d} <|video|>" for second in seconds)
        expected = np.asarray(tokenizer(text.format(times))).tolist()
        prompt = np.asarray(tokenizer(text.format("<|video|>")))
        given = TokenRows(tf.constant([prompt], tf.int32), tf.constant([len(prompt)]))
        found = expand_videos(given, tf.constant([[seconds]]), tf.constant([[3]]), placeholder=video, ids=ids)
        assert rows(found) == [expected], text


def test_a_vocabulary_that_joins_digits_is_refused(vocabulary):
    with pytest.raises(ValueError, match=r"`video_converter`: the vocabulary must split digits.*\['10'\]"):
        clock_ids(SimpleNamespace(pieces=[*vocabulary.pieces, "10"]))  # type: ignore[arg-type]
