"""Special tokens in texts, broken: the ids are those of texts in which they are ordinary characters."""

import random

import pytest
import tensorflow as tf

import graph_ops
from graph_ops.chat.breaks import NoCutError, breaks_of, broken
from graph_ops.text.reading import Reading, read_as_tokens
from tests.twins.vocabularies import small_vocabulary

MARK = b"\xffZ"
READINGS = (Reading.TRAINED, Reading.CONTROL, Reading.PLACEHOLDERS)


@pytest.fixture(scope="module", params=["sentencepiece", "builtin"])
def tokenizer(request, vocabulary):
    return graph_ops.Gemma4Tokenizer(vocabulary, engine=request.param)


def rows(tokenizer, texts, reading):
    found = tokenizer.tokenize_rows(tf.constant(texts), reading=reading)
    return [ids[:length].tolist() for ids, length in zip(*(part.numpy() for part in found), strict=True)]


def hostile(tokens, count):
    """Texts of tokens, halves of tokens and what pieces may begin or end with."""
    rng = random.Random(2)
    halves = [token[:cut] for token in tokens for cut in (1, len(token) - 2)]
    words = [
        *tokens,
        *tokens,
        *halves,
        "<",
        "|",
        ">",
        "<|",
        "|>",
        "a",
        " ",
        "\n",
        "turn",
        "é",
        "<b>",
        "7",
        "\0",
    ]
    return ["".join(rng.choices(words, k=rng.randrange(1, 9))) for _ in range(count)]


@pytest.mark.parametrize("reading", READINGS, ids=str)
def test_broken_texts_are_read_as_characters(tokenizer, reading):
    tokens = read_as_tokens(tokenizer.vocabulary, Reading.CONTROL)
    chosen = [token for token in tokens if "unused" not in token] + ["<unused7>", "<unused42>"]
    texts = [*tokens, *hostile(chosen, 3000)]
    found = broken(tf.constant(texts), breaks=breaks_of(tokenizer.vocabulary, reading), mark=MARK)
    split = [text.split(MARK) for text in found.numpy()]
    segments = iter(rows(tokenizer, [segment for parts in split for segment in parts], reading))
    ids = [[index for _ in parts for index in next(segments)] for parts in split]
    assert ids == rows(tokenizer, texts, Reading.PLAIN)


def test_texts_without_special_tokens_are_not_broken(vocabulary):
    texts = tf.constant(["a < b", "<b>bold</b>", "x <| y |> z", "<unused>"])
    assert (broken(texts, breaks=breaks_of(vocabulary, Reading.CONTROL), mark=MARK) == texts).numpy().all()


def test_nothing_is_broken_for_a_reading_that_knows_no_special_token(vocabulary):
    assert breaks_of(vocabulary, Reading.PLAIN) == ()


def test_a_token_that_pieces_lie_across_everywhere_has_no_break():
    token = "<|a>"
    pieces = ["<|", "|a", "a>", *token]
    vocabulary = small_vocabulary(pieces, user_defined=[token])
    with pytest.raises(NoCutError, match="has no cut"):
        breaks_of(vocabulary, Reading.TRAINED)
    assert breaks_of(small_vocabulary(pieces[1:], user_defined=[token]), Reading.TRAINED)
