"""Texts that need many merges one after the other: exact, and in a bounded number of steps."""

import itertools
import math
import random

import numpy as np
import pytest
import tensorflow as tf
from sentencepiece import SentencePieceProcessor

from benchmarks.text import families, litert_tokenizer
from graph_ops.text.bpe import chart, merge, pair_table, rounds, tables
from graph_ops.text.bpe.arrays import earlier
from graph_ops.text.bpe.cache import load_tables
from graph_ops.text.bpe.engine import BuiltinEngine
from graph_ops.text.bpe.merge_table import normal_pieces
from tests.twins.vocabularies import small_vocabulary

LONG = 16_000
RUNS = ("z", "<", '"', "l", "_", "=", " ", "\n", "\u2581", "é", "한", "\ufffd", "lol", "all", "haha", "the ")


@pytest.fixture(scope="module")
def engine(vocabulary):
    return BuiltinEngine(vocabulary)


@pytest.fixture(scope="module")
def in_tensorflow(engine):
    spec = [tf.TensorSpec([None], tf.string)]
    graph = tf.function(engine.encode, input_signature=spec, autograph=False)
    return lambda text: graph(tf.constant([text])).values.numpy().tolist()


@pytest.fixture(scope="module")
def in_litert(engine):
    encode = litert_tokenizer(engine)
    return lambda text: encode(text).tolist()


@pytest.mark.parametrize("unit", RUNS)
def test_long_runs_are_exact_everywhere(unit, in_tensorflow, in_litert, sentencepiece_processor):
    text = unit * (LONG // len(unit))
    expected = sentencepiece_processor.encode(text)
    assert in_tensorflow(text) == expected
    assert in_litert(text) == expected


def test_a_megabyte_of_spaces(in_tensorflow, in_litert, sentencepiece_processor):
    text = " " * 2**20
    expected = sentencepiece_processor.encode(text)
    assert in_tensorflow(text) == expected
    assert in_litert(text) == expected


def test_hostile_mixes_are_exact_everywhere(vocabulary, in_tensorflow, in_litert, sentencepiece_processor):
    for name, text in itertools.islice(families(vocabulary, size=3000, seed=51), 0, 120):
        expected = sentencepiece_processor.encode(text)
        assert in_tensorflow(text) == expected, name
        assert in_litert(text) == expected, name


def merging(vocabulary):
    """A function from a text to what merging its characters takes, and to what merging them by chart does."""
    constants = load_tables(vocabulary)
    arrays = tables.flatten(constants.merges)
    table = tables.unflatten(
        {name: tf.constant(part) for name, part in arrays.items()}, type(constants.merges)
    )
    normal, longest = normal_pieces(vocabulary), constants.longest_piece

    def efforts(ids):
        """The effort of all, and the chart's lengths and prunings; segments end where nothing is joined."""
        is_joined, ranks = pair_table.look_up(table, ids, earlier(ids, by=1, fill=-1))
        segments = tf.cumsum(1 - tf.cast(is_joined, tf.int32), exclusive=True)
        charted = chart.merge(ids, segments, ranks, table, longest_piece=longest)
        _, _, effort = merge.merge_with_effort(ids, tf.range(tf.size(ids)), table, longest_piece=longest)
        return effort, (charted.lengths, charted.prunings)

    graph = tf.function(efforts, input_signature=[tf.TensorSpec([None], tf.int32)], autograph=False)

    def effort_of(text):
        ids = [normal.get(letter, -1) for letter in text.replace(" ", "\u2581")]
        effort, charted = graph(tf.constant(ids, tf.int32))
        return merge.Effort(*map(int, effort)), tuple(map(int, charted))

    return effort_of


@pytest.fixture(scope="module")
def efforts_of(vocabulary):
    return merging(vocabulary)


@pytest.fixture(scope="module")
def longest(vocabulary):
    """Characters of the longest piece."""
    return max(map(len, normal_pieces(vocabulary)))


def assert_bounded(size, longest, effort, charted):
    assert effort.rounds <= rounds.MAX_ROUNDS
    assert effort.work <= (rounds.WORK_PER_SYMBOL + 1) * size + rounds.FREE_WORK
    assert effort.steps <= 2 * longest
    assert effort.windows <= 2 + math.log(size, 4)
    assert effort.redone <= size * effort.windows
    lengths, prunings = charted
    assert lengths <= 2 * longest
    assert prunings <= 1 + math.log2(longest * size)


@pytest.mark.parametrize("unit", RUNS)
def test_steps_do_not_grow_with_a_run(unit, efforts_of, longest):
    for size in (LONG // 4, LONG):
        text = unit * (size // len(unit))
        assert_bounded(len(text), longest, *efforts_of(text))


def test_steps_are_bounded_on_hostile_mixes(vocabulary, efforts_of, longest):
    known = normal_pieces(vocabulary)
    for _, text in families(vocabulary, size=LONG, seed=52, count=6):
        text = "".join(letter for letter in text if letter in known)
        assert_bounded(max(len(text), 1), longest, *efforts_of(text or "a"))


@pytest.mark.slow
@pytest.mark.parametrize("falls", [pytest.param(False, marks=pytest.mark.release), True])
def test_a_long_chain_of_ranks_goes_through_the_chart(falls, tmp_path, monkeypatch):
    """Each pair of the text has a better rank than the one after it, or a worse one, so that rounds merge one
    pair at a time and the choice at one end decides all.
    """
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda _: str(tmp_path))
    letters = [chr(0x4E00 + place) for place in range(600)]
    pairs = ["".join(pair) for pair in itertools.pairwise(letters)]
    vocabulary = small_vocabulary([*(reversed(pairs) if falls else pairs), *letters])
    effort, charted = merging(vocabulary)("".join(letters))
    assert effort.rounds <= rounds.MAX_ROUNDS < len(letters) // 2  # which is how many merges there are
    assert effort.redone > 0
    assert_bounded(len(letters), 2, effort, charted)
    texts = ["".join(letters), "".join(letters[1:]), "".join(letters[5:300] + letters[:298])]
    engine = BuiltinEngine(vocabulary)
    theirs, in_litert = SentencePieceProcessor(model_proto=vocabulary.proto), litert_tokenizer(engine)
    for text in texts:
        assert engine.encode(tf.constant([text])).values.numpy().tolist() == theirs.encode(text)
        assert in_litert(text).tolist() == theirs.encode(text)


def test_random_letters_of_one_segment_are_exact(in_tensorflow, in_litert, sentencepiece_processor):
    draw = random.Random(53)
    for letters in ("ab", "alo", "etaoin", "-=.", "zl<"):
        text = "".join(draw.choices(letters, k=LONG))
        expected = sentencepiece_processor.encode(text)
        assert np.array_equal(in_tensorflow(text), expected)
        assert np.array_equal(in_litert(text), expected)
