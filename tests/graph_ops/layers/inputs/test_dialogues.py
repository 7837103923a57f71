"""Dialogues as tensors."""

import pytest

from graph_ops.layers.inputs.dialogues import SWITCHES, as_dialogues
from graph_ops.layers.inputs.messages import read_messages

OFF = dict.fromkeys(SWITCHES, False)
SHORT = [{"role": "user", "content": "a"}]
LONG = [
    {"role": "user", "content": [{"type": "text", "text": "b"}, {"type": "image"}]},
    {"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": {"x": "é"}}}]},
]


def tensors(*dialogues, tools=(), quote="'", **switches):
    read = [read_messages(each, quote=quote) for each in dialogues]
    return as_dialogues(read, tools or [[] for _ in read], {**OFF, **switches})


def test_shorter_dialogues_are_filled_up_with_nothing():
    found = tensors(SHORT, LONG, tools=[["t"], []])
    assert found.roles.numpy().tolist() == [[b"user", b""], [b"user", b"assistant"]]
    assert found.parts.numpy().tolist() == [
        [[b"a", b"", b""], [b"", b"", b""]],
        [[b"b", b"", b""], [b"", b"", b""]],
    ]
    assert found.part_types.numpy()[1, 0].tolist() == [b"text", b"image", b"list"]
    assert found.calls.numpy().tolist() == [[[b""], [b""]], [[b""], ["call:f{x:'é'}".encode()]]]
    assert found.tools.numpy().tolist() == [[b"t"], [b""]]
    assert found.responses.shape == (2, 2, 0)


def test_a_quote_may_be_a_mark():
    assert tensors(LONG, quote="\udcffM").calls.numpy()[0, 1, 0] == b"call:f{x:\xffM\xc3\xa9\xffM}"


def test_switches_are_for_all_or_one_a_dialogue():
    found = tensors(SHORT, SHORT, enable_thinking=True, preserve_thinking=[True, False])
    assert found.enable_thinking.numpy().tolist() == [True, True]
    assert found.preserve_thinking.numpy().tolist() == [True, False]
    for wrong in (1, [True], "yes", None):
        with pytest.raises(ValueError, match="`enable_thinking`: must be True or False, one for all"):
            tensors(SHORT, SHORT, enable_thinking=wrong)


def test_text_that_is_not_unicode_is_refused():
    with pytest.raises(ValueError, match="`messages`: must be Unicode, which has no lone surrogates"):
        tensors([{"role": "user", "content": "\udcffM"}])
