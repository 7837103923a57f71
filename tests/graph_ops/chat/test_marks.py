"""Rows of marks as ids: those of the rendered text, and nobody can forge a mark."""

import random

import pytest
import tensorflow as tf

import graph_ops
from graph_ops.chat.marks import (
    marked_tokens,
    marks_of,
    quote_mark,
    spelled_tokens,
    tokenize_marked,
)
from graph_ops.family import GEMMA4
from graph_ops.text.reading import Reading, read_as_tokens
from tests.graph_ops.chat.rig import marked, spelled
from tests.twins import chat as twin
from tests.twins.vocabularies import small_vocabulary


@pytest.fixture(scope="module", params=["sentencepiece", "builtin"])
def tokenizer(request, vocabulary):
    return graph_ops.Gemma4Tokenizer(vocabulary, engine=request.param)


def without_tokens(messages):
    """The dialogue, its texts without special tokens."""
    kept = {word for word in twin.WORDS if not word.startswith(("<|", "<c", "<t", "<bos"))}

    def cleaned(value):
        if isinstance(value, str):
            for word in twin.WORDS:
                value = value if word in kept or not word else value.replace(word, "")
            return value
        if isinstance(value, dict):
            return {key: cleaned(each) for key, each in value.items()}
        return [cleaned(each) for each in value] if isinstance(value, list) else value

    return cleaned(messages)


@pytest.mark.parametrize("reading", [Reading.TRAINED, Reading.CONTROL], ids=str)
def test_the_ids_are_those_of_the_rendered_text(tokenizer, reading):
    rng = random.Random(3)
    dialogues = [without_tokens(twin.random_dialogue(rng)) for _ in range(300)]
    found = [ids for ids, _ in marked(tokenizer, *dialogues, reading=reading)]
    rows = tokenizer.tokenize_rows(tf.constant(spelled(*dialogues)), reading=Reading.CONTROL)
    assert found == [
        ids[:length].tolist() for ids, length in zip(*(part.numpy() for part in rows), strict=True)
    ]


@pytest.mark.real
def test_the_ids_are_those_of_tokenizers(real_tokenizer, huggingface_tokenizer):
    rng = random.Random(4)
    dialogues = [without_tokens(twin.random_dialogue(rng)) for _ in range(300)]
    found = [ids for ids, _ in marked(real_tokenizer, *dialogues)]
    assert found == [
        huggingface_tokenizer.encode(text, add_special_tokens=False).ids for text in spelled(*dialogues)
    ]


def test_what_is_allowed_to_spell_tokens_is_the_rendered_text(tokenizer):
    rng = random.Random(5)
    dialogues = [
        [
            {"role": "user", "content": twin.random_text(rng)},
            {"role": "critic", "content": twin.random_text(rng)},
        ]
        for _ in range(300)
    ]
    found = marked(tokenizer, *dialogues, reading=Reading.CONTROL, allows_tokens=True)
    rows = tokenizer.tokenize_rows(tf.constant(spelled(*dialogues)), reading=Reading.CONTROL)
    assert [ids for ids, _ in found] == [
        ids[:length].tolist() for ids, length in zip(*(part.numpy() for part in rows), strict=True)
    ]


def test_a_vocabulary_without_cuts_is_read_plainly():
    names = [name.decode() for name in spelled_tokens(GEMMA4)[1:] if name]
    crossing = ["<|", "|t", "tu", "ur", "rn", "n>"]
    vocabulary = small_vocabulary([*crossing, *"<|turn>"], user_defined=[*names, "\n"])
    marks = marks_of(vocabulary, GEMMA4, reading=Reading.TRAINED, allows_tokens=False)
    assert (marks.reading, marks.breaks) == (Reading.PLAIN, ())


def test_a_vocabulary_without_the_tokens_is_refused():
    with pytest.raises(ValueError, match=r"special tokens needed for chat; these are missing: \['<\|turn>'"):
        marks_of(small_vocabulary(["a"]), GEMMA4, reading=Reading.TRAINED, allows_tokens=False)


CALL = {"function": {"name": "f", "arguments": {"a": "x"}}, "id": "1"}


def learned(tokenizer, messages, **options):
    """The pieces that are learned, those that are not as one ·."""
    ((ids, flags),) = marked(tokenizer, messages, add_generation_prompt=False, **options)
    pieces = [
        tokenizer.vocabulary.pieces[index] if flag else "·" for index, flag in zip(ids, flags, strict=True)
    ]
    text = "".join(pieces).replace("\u2581", " ")
    while "··" in text:
        text = text.replace("··", "·")
    return text


def test_what_the_model_itself_says_is_learned(demonstration_tokenizer):
    dialogue = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello"},
        {"role": "assistant", "content": " you"},
        {"role": "user", "content": "Go"},
        {"role": "assistant", "reasoning": "hm", "tool_calls": [CALL, CALL]},
        {"role": "tool", "content": "1", "tool_call_id": "1"},
        {"role": "tool", "content": "2", "tool_call_id": "1"},
        {"role": "assistant", "content": "Done"},
    ]
    call = '<|tool_call>call:f{a:<|"|>x<|"|>}<tool_call|>'
    assert learned(demonstration_tokenizer, dialogue) == (
        f"·Helloyou<turn|>·<|channel>thought\nhm\n<channel|>{call}{call}<|tool_response>·Done<turn|>·"
    )


def test_an_open_call_and_a_closed_turn_are_learned_from_too(demonstration_tokenizer):
    call = '<|tool_call>call:f{a:<|"|>x<|"|>}<tool_call|><|tool_response>'
    user = {"role": "user", "content": "Go"}
    opened = [user, {"role": "assistant", "tool_calls": [CALL]}]
    assert learned(demonstration_tokenizer, opened) == f"·{call}"
    again = [*opened, {"role": "assistant", "content": "Done"}]
    assert learned(demonstration_tokenizer, again) == f"·{call}Done<turn|>·"
    other = [user, {"role": "assistant", "content": "One"}, {"role": "model", "content": "Two"}]
    assert learned(demonstration_tokenizer, other) == "·One<turn|>·Two<turn|>·"


def test_nothing_that_others_say_is_learned(demonstration_tokenizer):
    dialogue = [{"role": role, "content": "x", "tool_calls": [CALL]} for role in ("user", "critic", "tool")]
    assert learned(demonstration_tokenizer, dialogue) == "·"


def test_a_row_of_no_dialogue_is_empty(demonstration_tokenizer):
    marks = marks_of(demonstration_tokenizer.vocabulary, GEMMA4, reading=Reading.TRAINED, allows_tokens=False)
    rows = tokenize_marked(tf.zeros([0], tf.string), marks, tokenizer=demonstration_tokenizer)
    assert rows.token_ids.shape[0] == rows.lengths.shape[0] == 0


def test_marks_are_no_utf8_and_differ():
    marks = marked_tokens(learns=False)[:-1]
    assert len(set(marks)) == len(marks)
    assert quote_mark() in marks
    for mark in marks:
        with pytest.raises(UnicodeDecodeError):
            mark.decode()


def test_every_special_token_of_the_template_has_its_own_id(demonstration_tokenizer):
    names = {name.decode() for name in spelled_tokens(GEMMA4) if name} - {"<bos>"}
    assert names <= set(read_as_tokens(demonstration_tokenizer.vocabulary, Reading.TRAINED))
