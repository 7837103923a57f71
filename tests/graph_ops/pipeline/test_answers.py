"""Answers of ids and of texts beside a slow twin."""

import random

import numpy as np
import pytest
import tensorflow as tf

import graph_ops
from graph_ops.chat.answers import FINISH_REASONS
from graph_ops.family import GEMMA4
from graph_ops.faults import Fault
from graph_ops.pipeline.answers import has_answers, parse_ids, parse_texts
from graph_ops.text.reading import Reading
from graph_ops.text.vocabulary.sentencepiece_model import PieceType
from tests.export.tiny import tiny_preprocessor
from tests.twins.answers import MARKERS, STOPS, rendered_answers, taken_apart, tokens_of

HOSTILE = 3_000
WORDS = ["", " ", "\n", "thought", "thought\n", "call:f{a:1}", "\u2003x", "\u2581", "\U0001f98a", "<|turn>"]


@pytest.fixture(scope="module", params=["sentencepiece", "builtin"])
def preset(request, vocabulary_file):
    tokenizer = graph_ops.Gemma4Tokenizer(vocabulary_file, engine=request.param)
    return graph_ops.Gemma4CausalLMPreprocessor(tokenizer).settings


def read(answers):
    """Tuples as the twin has them."""
    parts = [part.numpy().tolist() for part in answers]
    return [
        (thought.decode(), content.decode(), [call.decode() for call in calls if call], FINISH_REASONS[why])
        for thought, content, calls, why in zip(*parts, strict=True)
    ]


def parsed(rows, in_thought, preset):
    """Answers of ids, with garbage behind them."""
    ids = np.full((len(rows), max(map(len, rows)) + 1), 9, np.int32)
    for place, row in enumerate(rows):
        ids[place, : len(row)] = row
    lengths = tf.constant([len(row) for row in rows])
    return parse_ids(tf.constant(ids), lengths, tf.constant(in_thought), preset)


def hostile_texts():
    rng = random.Random(5)
    words = [*WORDS, *MARKERS * 3, *STOPS]
    return ["".join(rng.choices(words, k=rng.randrange(9))) for _ in range(HOSTILE)], [
        rng.random() < 0.3 for _ in range(HOSTILE)
    ]


def test_texts_of_the_goldens_cut_anywhere_and_hostile_ones():
    cut = [(text[:end], inside) for text, inside in rendered_answers() for end in range(len(text) + 1)]
    cut += list(zip(*hostile_texts(), strict=True))
    texts, in_thought = zip(*cut, strict=True)
    assert len(texts) > 5_000
    found = read(parse_texts(tf.constant(texts), tf.constant(in_thought), family=GEMMA4))
    for text, is_inside, answer in zip(texts, in_thought, found, strict=True):
        expected = taken_apart(tokens_of(text), in_thought=is_inside)
        assert answer == (*expected[:2], [call for call in expected[2] if call], expected[3]), text


def runs_of(ids, vocabulary, stripped):
    """Markers and stops by name, and between them lists of the ids that become text."""
    runs: list = [[]]
    for index in ids:
        if vocabulary.pieces[index] in (*MARKERS, *STOPS):
            runs += [vocabulary.pieces[index], []]
        elif index not in stripped:
            runs[-1].append(index)
    return runs


def cut_anywhere(whole, in_thought):
    """Beginnings of rows of ids, all of the short ones, and whether each begins in a thought."""
    cuts = [range(0, len(ids) + 1, 1 if len(ids) < 12 else 9) for ids in whole]
    return [
        (ids[:end], flag) for ids, flag, ends in zip(whole, in_thought, cuts, strict=True) for end in ends
    ]


def test_ids_of_the_goldens_cut_anywhere_and_hostile_ones(preset):
    texts, in_thought = zip(*rendered_answers(), *zip(*hostile_texts(), strict=True), strict=True)
    tokenizer = preset.tokenizer
    tokens = tokenizer.tokenize_rows(tf.constant(texts), reading=Reading.CONTROL)
    ids, lengths = tokens.token_ids.numpy(), tokens.lengths.numpy().tolist()
    whole = [row[:length].tolist() for row, length in zip(ids, lengths, strict=True)]
    rows, flags = zip(*cut_anywhere(whole, in_thought), strict=True)
    result = parsed(rows, flags, preset)
    assert not result.finding.fault.numpy().any()
    stripped = tokenizer.stripped_token_ids(with_audio=False)
    runs = [runs_of(row, tokenizer.vocabulary, stripped) for row in rows]
    flat = [run for row in runs for run in row if isinstance(run, list)]
    decoded = iter(tokenizer.detokenize(tf.ragged.constant(flat, dtype=tf.int32)).numpy().tolist())
    for row, is_inside, answer in zip(runs, flags, read(result.answers), strict=True):
        parts = [(run, True) if isinstance(run, str) else (next(decoded).decode(), False) for run in row]
        expected = taken_apart(parts, in_thought=is_inside)
        assert answer == (*expected[:2], [call for call in expected[2] if call], expected[3]), row


def test_what_ordinary_pieces_spell_is_text(preset):
    """Each marker in each place, spelled by the pieces of its characters."""
    vocabulary = preset.tokenizer.vocabulary
    for name in (*MARKERS, *STOPS):
        spelled = [vocabulary.find(character) for character in name]
        assert None not in spelled
        thought = [vocabulary.find(piece) for piece in ("<|channel>",)]
        end = [vocabulary.find(piece) for piece in ("<channel|>",)]
        rows = [spelled, [*thought, *spelled, *end, *spelled]]
        for answer in read(parsed(rows, [False, False], preset).answers):
            assert answer in [("", name, [], "length"), (name, name, [], "length")]


def test_a_spelled_quote_in_a_call_is_a_finding_and_elsewhere_text(preset):
    vocabulary = preset.tokenizer.vocabulary
    spelled = [vocabulary.find(character) for character in '<|"|>']
    call, end, quote = (vocabulary.find(name) for name in ("<|tool_call>", "<tool_call|>", '<|"|>'))
    rows = [[*spelled, call, quote, quote, end], [*spelled, call, quote, *spelled, quote, end]]
    result = parsed(rows, [False, False], preset)
    assert result.finding.fault.numpy().tolist() == [0, Fault.SPELLED_QUOTE]
    assert result.finding.detail.numpy().tolist() == [[0, 0], [3, 2]]
    assert read(result.answers) == [("", '<|"|>', ['<|"|><|"|>'], "length"), ("", '<|"|>', [], "length")]


def test_a_faulty_row_is_empty_and_leaves_its_neighbours_alone(preset):
    a = preset.tokenizer.vocabulary.find("a")
    ids = tf.constant([[a, a], [a, 10**6], [a, a]])
    result = parse_ids(ids, tf.constant([1, 2, 3]), tf.fill([3], False), preset)
    expected = [0, Fault.TOKEN_ID_OUT_OF_RANGE, Fault.TEXT_LENGTH]
    assert result.finding.fault.numpy().tolist() == expected
    assert read(result.answers) == [("", "a", [], "length"), *[("", "", [], "length")] * 2]


def test_a_cut_keeps_so_many_bytes_of_the_last_segment(preset):
    find = preset.tokenizer.vocabulary.find
    thought, end, call, a, b = map(find, ("<|channel>", "<channel|>", "<|tool_call>", "a", "b"))
    rows = [[thought, a, b, end, a, b], [thought, a, b], [a, b, call, a, b], [a, b], [a, b]]
    width = max(map(len, rows))
    ids = tf.constant([[*row, *[0] * (width - len(row))] for row in rows])
    lengths, cuts = tf.constant([len(row) for row in rows]), tf.constant([1, 1, 0, -1, 9])
    result = parse_ids(ids, lengths, tf.fill([5], False), preset, cuts=cuts)
    expected = [("ab", "a", []), ("a", "", []), ("", "ab", []), ("", "ab", []), ("", "ab", [])]
    assert read(result.answers) == [(*answer, "length") for answer in expected]


def test_a_vocabulary_without_the_markers_has_no_answers(preset):
    assert has_answers(preset.tokenizer.vocabulary, GEMMA4)
    assert not has_answers(tiny_preprocessor().tokenizer.vocabulary, GEMMA4)
    kinds = dict(zip(preset.tokenizer.vocabulary.pieces, preset.tokenizer.vocabulary.types, strict=True))
    assert {kinds[name] for name in MARKERS} == {PieceType.USER_DEFINED}
