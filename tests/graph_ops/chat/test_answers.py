"""Answers from their segments."""

import tensorflow as tf

from graph_ops.chat.answers import (
    FINISH_REASONS,
    Segments,
    assembled,
    beginnings,
    finish_reasons,
    kinds,
    marker_numbers,
    markers,
    stops,
)
from graph_ops.family import GEMMA4

BEGIN, INSIDE = (int(number) for number in beginnings(tf.constant([False, True])))
CHANNEL, CHANNEL_END, CALL, CALL_END = (int(marker_numbers(tf.constant(which))) for which in range(4))


def test_segments_of_several_answers_go_where_they_belong():
    rows = [
        [(BEGIN, ""), (CHANNEL, "thought\nHm.\n"), (CHANNEL_END, " It is"), (CALL, "call:f{}")],
        [(INSIDE, "thought\n so"), (CALL, "x"), (CHANNEL_END, "a"), (CHANNEL_END, "b ")],
        [(BEGIN, "\n")],
        [(BEGIN, ""), (CALL, "call:g{"), (CALL, "call:h{}")],
    ]
    flat = [(text, marker, place) for place, row in enumerate(rows) for marker, text in row]
    texts, numbers, of_row = zip(*flat, strict=True)
    segments = Segments(tf.constant(texts), tf.constant(numbers), tf.constant(of_row, tf.int64))
    answers = assembled(segments, tf.constant([2, 1, 0, 0]), family=GEMMA4)
    assert answers.thought.numpy().tolist() == [b"Hm.", b"thought\n so<|tool_call>x", b"", b""]
    assert answers.content.numpy().tolist() == [b"It is", b"ab", b"", b""]
    calls = [[b"call:f{}", b""], [b"", b""], [b"", b""], [b"call:g{", b"call:h{}"]]
    assert answers.calls.numpy().tolist() == calls
    assert answers.finish_reason.numpy().tolist() == [2, 1, 0, 0]


def test_a_thought_reaches_to_its_end_whatever_is_in_it():
    order = [BEGIN, CALL, CHANNEL, CALL, CALL_END, CHANNEL_END, CALL, CHANNEL, INSIDE, CALL]
    found = kinds(tf.constant(order))
    assert [part.numpy().astype(int).tolist() for part in found] == [
        [0, 0, 1, 1, 1, 0, 0, 1, 1, 1],
        [0, 1, 0, 0, 0, 0, 1, 0, 0, 0],
    ]


def test_the_name_of_a_channel_goes_and_what_is_cut_of_it():
    names = ["", "t", "though", "thought", "thought\n", "thought\n\n", "thoughts", "though \n", "x"]
    expected = ["", "", "", "", "", "", "thoughts", "though ", "x"]
    rows = tf.range(len(names), dtype=tf.int64)
    segments = Segments(tf.constant(names), tf.fill([len(names)], CHANNEL), rows)
    found = assembled(segments, tf.zeros([len(names)], tf.int32), family=GEMMA4)
    assert [text.decode() for text in found.thought.numpy()] == expected
    inside = Segments(
        tf.constant(["thought", ""]), tf.constant([CHANNEL, CALL]), tf.constant([0, 0], tf.int64)
    )
    found = assembled(inside, tf.constant([0]), family=GEMMA4)
    assert found.thought.numpy().tolist() == [b"thought<|tool_call>"]


def test_each_stop_has_its_reason_and_none_is_length():
    found = finish_reasons(tf.range(-1, len(stops(GEMMA4))), family=GEMMA4).numpy()
    assert [FINISH_REASONS[reason] for reason in found] == ["length", "stop", "stop", "tool_calls"]
    assert stops(GEMMA4)[-1] == "<|tool_response>"
    assert markers(GEMMA4) == ("<|channel>", "<channel|>", "<|tool_call>", "<tool_call|>")
