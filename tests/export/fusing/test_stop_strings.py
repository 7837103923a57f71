"""Stop strings beside a plain search in the text so far, for ids that come one a step."""

import numpy as np
import pytest
import tensorflow as tf

from export.fusing.stop_strings import cut_texts, looking_for, nothing_seen
from tests.export.fusing.rig import text_preprocessor

TEXTS = [
    "on one two",
    "a fox 🦊 and 名前 é, ends.",
    "aaaa abab abc",
    "日本語のテキスト。終わり",
    "x\n\n\ny  z",
]


@pytest.fixture(scope="module")
def settings():
    return text_preprocessor().settings


def ids_of(settings, texts):
    return [settings.tokenizer.tokenize_rows(tf.constant([text])).token_ids[0].numpy() for text in texts]


def seen_in(settings, rows, stops, restart_ids=()):
    """What is seen after each step, rows beside one another, as in the loop of a model."""
    width = max(map(len, rows))
    restarts = tf.constant(restart_ids, tf.int32, [len(restart_ids)])
    look = tf.function(looking_for(tf.constant(stops), restarts, settings), autograph=False)
    seen = nothing_seen(tf.constant([0] * len(rows)))
    steps = []
    for place in range(width):
        is_new = np.array([place < len(row) for row in rows])
        ids = np.array([row[place] if place < len(row) else 0 for row in rows], np.int32)
        seen = look(seen, tf.constant(ids), tf.constant(is_new))
        steps.append(seen)
    return steps


def plainly(settings, row, stops):
    """Step and text of the first hit, by searching the whole text after each id; None without one.

    The bytes of a character that is not whole yet are U+FFFD, and no text.
    """
    for count in range(1, len(row) + 1):
        ids = tf.constant([row[:count]])
        text = settings.tokenizer.detokenize_rows(ids, tf.ones_like(ids, tf.bool)).numpy()[0].decode()
        text = text.rstrip("\ufffd")
        if places := [text.find(stop) for stop in stops if stop and stop in text]:
            return count - 1, text[: min(places)]
    return None


def found_by(settings, rows, stops):
    steps = seen_in(settings, rows, stops)
    cuts = np.stack([step.cuts for step in steps], axis=1)
    return [found_in(settings, row, mine.tolist()) for row, mine in zip(rows, cuts, strict=True)]


def found_in(settings, row, cuts):
    hits = [place for place, cut in enumerate(cuts) if cut >= 0]
    if not hits:
        return None
    ids = tf.constant([row])
    whole = settings.tokenizer.detokenize_rows(ids, tf.ones_like(ids, tf.bool))
    return hits[0], cut_texts(whole, tf.constant([cuts[hits[0]]])).numpy()[0].decode()


@pytest.mark.parametrize(
    "stops",
    [
        ["e t", "🦊", "b", "。", "\n\n"],
        ["on one two", " ", "aa", "本語", "\n\n\n"],
        ["", "é", "never", "日", "z"],
        ["one two three", "\ufe0f", "abc", "終わり", "\ny  z"],
    ],
    ids=["spread over ids", "more than one character", "one character", "whole ends"],
)
def test_a_stop_string_is_found_at_the_id_that_completes_it(settings, stops):
    rows = ids_of(settings, TEXTS)
    expected = [plainly(settings, row, [stop]) for row, stop in zip(rows, stops, strict=True)]
    assert found_by(settings, rows, [[stop] for stop in stops]) == expected


def test_the_first_of_several_that_overlap_cuts_the_text(settings):
    rows = ids_of(settings, ["aaaa abab abc"] * 4)
    stops = [["abab", "bab", ""], ["bab", "abab", "b"], ["abc", "bc", "c"], ["", "nowhere", "aaaaa"]]
    expected = [plainly(settings, row, some) for row, some in zip(rows, stops, strict=True)]
    assert found_by(settings, rows, stops) == expected
    assert expected[3] is None


def test_strings_of_random_texts_are_found_where_a_search_finds_them(settings):
    draw = np.random.default_rng(5)
    letters = list("ab é名🦊\n")
    texts = ["".join(draw.choice(letters, draw.integers(8, 24))) for _ in range(16)]
    rows = ids_of(settings, texts)
    stops = [["".join(draw.choice(letters, draw.integers(1, 4))) for _ in range(3)] for _ in texts]
    expected = [plainly(settings, row, some) for row, some in zip(rows, stops, strict=True)]
    assert found_by(settings, rows, stops) == expected
    assert {answer is None for answer in expected} == {True, False}


def test_a_character_that_never_becomes_whole_is_no_text(settings):
    """Its first byte waits, and what follows makes it U+FFFD, which may be a stop string too."""
    fox = ids_of(settings, ["🦊"])[0][-4:]
    letter = ids_of(settings, ["x"])[0][-1:]
    rows = [fox[:2], np.concatenate([fox[:2], letter])]
    assert found_by(settings, rows, [["\ufffd"], ["\ufffd"]]) == [None, (2, "")]


def test_special_ids_are_no_text_and_some_begin_it_anew(settings):
    a, b = (ids_of(settings, [letter])[0][-1] for letter in "ab")
    turn = settings.tokenizer.vocabulary.find("<turn|>")
    special = settings.tokenizer.stripped_token_ids(with_audio=False)[-1]
    row = np.array([a, special, b])
    assert found_by(settings, [row], [["ab"]])[0] == (2, "")
    row = np.array([a, turn, b])
    assert found_by(settings, [row], [["a<turn|>b"]])[0] == (2, "")
    assert seen_in(settings, [row], [["a<turn|>b"]], restart_ids=(turn,))[-1].cuts.numpy().tolist() == [-1]
    assert seen_in(settings, [row], [["b"]], restart_ids=(turn,))[-1].cuts.numpy().tolist() == [0]


def test_without_a_stop_string_nothing_is_looked_at(settings):
    for stops in ([[""]], np.zeros((1, 0), object)):
        look = looking_for(tf.constant(stops, tf.string), tf.zeros([0], tf.int32), settings)
        seen = look(nothing_seen(tf.constant([0])), tf.constant([300]), tf.constant([True]))
        assert (seen.tail.numpy().tolist(), seen.cuts.numpy().tolist()) == ([b""], [-1])


def test_texts_are_cut_to_bytes():
    cut = cut_texts(tf.constant(["abc", "abc", "é"]), tf.constant([0, -1, 2])).numpy().tolist()
    assert cut == [b"", b"abc", "é".encode()]
