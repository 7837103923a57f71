"""What the rules make of marks."""

import pytest
import tensorflow as tf

from graph_ops.chat.draft_rules import (
    Mark,
    folded_rules,
    neighbour_rules,
    turn_rules,
    written_for,
    wrong_turns,
)
from graph_ops.chat.marks import spelled_tokens
from graph_ops.family import GEMMA4


def encoded(text):
    """`A·Hi·END` and the like: names of marks in capitals, between points."""
    parts = (Mark[part].text if part in Mark.__members__ else part.encode() for part in text.split("·"))
    return b"".join(parts)


def rewritten(text, rules):
    """The same text by rules."""
    for pattern, rewrite in rules:
        text = tf.strings.regex_replace(text, pattern, rewrite)
    return text.numpy()


def test_a_mark_is_no_utf_8_and_an_expression_knows_it():
    for mark in Mark:
        with pytest.raises(UnicodeDecodeError):
            mark.text.decode()
        assert tf.strings.regex_full_match(mark.text, mark.expression)
    assert len({mark.text for mark in Mark}) == len(Mark)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("TURN·user\nHi·END", "TURN·user\nHi·END"),
        ("TURN·assistant\nHi·END", "ASSISTANT·Hi·ASSISTANT_END"),
        ("TURN·model\nHi·END", "MODEL·Hi·MODEL_END"),
        ("CHANNEL·CHANNEL_END·CALL·CALL_END·TOOL·TOOL_END", ""),
        ("CHANNEL·so·CHANNEL_END", "CHANNEL·so·CHANNEL_END"),
    ],
)
def test_turns(text, expected):
    assert rewritten(encoded(text), turn_rules()) == encoded(expected)


CALLS = "ASSISTANT·CALL·f·CALL_END"
ANSWER = "ANSWER·response:f{}·ANSWER_END"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{CALLS}·SAYS·x·ASSISTANT_END·{ANSWER}·{ANSWER}", f"{CALLS}·{ANSWER}·{ANSWER}·x·ASSISTANT_END"),
        (f"{CALLS}·SAYS·ASSISTANT_END·{ANSWER}", f"{CALLS}·{ANSWER}"),
        (f"{CALLS}·SAYS·x·ASSISTANT_END", f"{CALLS}·x·WAITS"),
        (f"TURN·user\nx·END·{ANSWER}", "TURN·user\nx·END"),
        ("ASSISTANT·SAYS·a·ASSISTANT_END·ASSISTANT·SAYS·b·ASSISTANT_END", "ASSISTANT·ab·ASSISTANT_END"),
        ("ASSISTANT·SAYS·a·ASSISTANT_END·MODEL·SAYS·b·MODEL_END", "ASSISTANT·a·ASSISTANT_END·b·MODEL_END"),
        ("MODEL·SAYS·a·MODEL_END·ASSISTANT·SAYS·b·ASSISTANT_END", "MODEL·a·ASSISTANT·b·ASSISTANT_END"),
        ("TURN·user\nx·END·OPENS", "TURN·user\nx·END·OPENS"),
        ("TURN·user\nx·END·OPENS_THINKING·GOES_ON", "TURN·user\nx·END·OPENS_THINKING"),
        (f"{CALLS}·SAYS·ASSISTANT_END·OPENS", f"{CALLS}·WAITS"),
        (f"{CALLS}·SAYS·ASSISTANT_END·{ANSWER}·OPENS", f"{CALLS}·{ANSWER}"),
        (f"{CALLS}·SAYS·ASSISTANT_END·{ANSWER}·OPENS_THINKING·GOES_ON", f"{CALLS}·{ANSWER}·GOES_ON"),
        ("ANSWER·response:{}·ANSWER_END", "ANSWER·response:unknown{}·ANSWER_END"),
        ("BLOCK·BLOCK_END", ""),
        ("BLOCK·FOLDED·BLOCK_END", "BLOCK·BLOCK_END"),
    ],
)
def test_neighbours(text, expected):
    assert rewritten(encoded(text), neighbour_rules()) == encoded(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PART·a", "a"),
        ("PART·a·PART·b", "a b "),
        ("PART·IMAGE·PART·b", " b "),
        ("LIST·PART·a", "LIST·a "),
        ("", ""),
    ],
)
def test_folded_messages(text, expected):
    assert rewritten(encoded(text), folded_rules()) == encoded(expected)


@pytest.mark.parametrize(
    ("text", "is_wrong"),
    [
        ("START·BLOCK·BLOCK_END·TURN·user\nx·END", False),
        ("START·BLOCK·BLOCK_END", True),
        ("START·BLOCK·THINK·BLOCK_END·OPENS", True),
        ("START·BLOCK·FOLDED·BLOCK_END·OPENS", False),
        ("ASSISTANT·CHANNEL·so·CHANNEL_END·CALL·f·CALL_END", False),
        ("TURN·user\nCALL·f·CALL_END", True),
        ("MODEL·CHANNEL·so·CHANNEL_END", True),
        ("ANSWER·response:f{·PART·21}·ANSWER_END", False),
        ("ANSWER·response:f{}·ANSWER_END", True),
        ("ANSWER·response:f{·PART·21·PART·IMAGE·}·ANSWER_END", True),
    ],
)
def test_what_no_draft_is_right_with(text, is_wrong):
    text = encoded(text.replace("\nCALL", "\n·CALL"))
    assert bool(tf.strings.regex_full_match(text, f"(?s).*(?:{wrong_turns()}).*")) == is_wrong


def test_something_is_written_for_all_marks_but_those_of_rules():
    written = written_for(spelled_tokens(GEMMA4), gives_empty_thought=True)
    silent = {mark.name for mark, text in zip(Mark, written, strict=True) if not text}
    assert silent == {"FOLDED", "SAYS", "ANSWERED", "PART", "LIST", "VALUE"}
    assert written[Mark.OPENS] == b"<|turn>model\n<|channel>thought\n<channel|>"
