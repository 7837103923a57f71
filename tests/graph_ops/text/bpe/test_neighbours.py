"""Neighbours of one more length, on the smallest chart that has some: t, h, e and the pieces th and he."""

import pytest
import tensorflow as tf

from graph_ops.text.bpe.neighbours import LENGTH_BITS, Chart, Spans, neighbours

LONGEST = 3
T, H, E = 0, 1, 2
TH, HE = 3, 4
"""Numbers of the spans."""


def chart_of_the(th, he):
    """What is known of `the` before stretches of three symbols are looked at, `th` and `he` being ranks.

    ```
    place       0 1 2
    symbol      t h e
    begin here  t h e      th he
    ```
    """
    spans = Spans(
        starts=[0, 1, 2, 0, 1],
        ends=[1, 2, 3, 2, 3],
        ids=[symbol << LENGTH_BITS for symbol in (20, 21, 22)]
        + [(rank << LENGTH_BITS) + 1 for rank in (th, he)],
        worst=[0, 0, 0, th + 1, he + 1],
        left_bounds=[0, 0, 0, th, he],
        right_bounds=[0, 0, 0, th + 1, he + 1],
    )
    one, two = 2 ** (LONGEST - 1), 2 ** (LONGEST - 2)
    return Chart(
        length=tf.constant(3),
        spans=Spans(*map(tf.constant, spans)),
        numbers=tf.constant([T, H, E, TH, HE, -1]),
        ending=tf.constant([2, 2, 2 + 4]),
        beginning=tf.constant([0, one + two, one]),
        before=tf.constant([1, 1, 2]),
        after=tf.constant([0, 2, 1]),
        neighbours=tf.constant([0, 2, 2]),
        lefts=tf.constant([], tf.int32),
        rights=tf.constant([], tf.int32),
    )


@pytest.mark.parametrize(
    ("th", "he", "expected"),
    [
        (5, 7, (2, 2, TH, E)),  # `th` is whole before `h` and `e` may merge
        (7, 5, (1, 1, T, HE)),
    ],
    ids=["th first", "he first"],
)
def test_the_better_pair_keeps_its_symbols_from_the_other(th, he, expected):
    found = neighbours(chart_of_the(th, he), longest=LONGEST)
    assert [part.numpy().tolist() for part in found] == [[number] for number in expected]


def test_stretches_of_different_segments_are_no_neighbours():
    apart = chart_of_the(5, 7)._replace(beginning=tf.constant([0, 0, 0]))
    assert neighbours(apart, longest=LONGEST).places.shape == [0]
