"""Calls with messages."""

import numpy as np
import pytest

from graph_ops.config import RowConfig
from graph_ops.layers.inputs.chat import DEFAULTS, QUOTE_MARK, chat_inputs, read_chat

USER = [{"role": "user", "content": "Hi"}]
TOOL = [{"function": {"name": "f", "description": "d"}}]


def asked(*payloads, kind="image"):
    return [{"role": "user", "content": [{"type": kind, kind: each} for each in payloads]}]


def test_one_dialogue_or_several():
    assert not read_chat(USER, None, quote="").batched
    assert len(read_chat(USER, TOOL, quote="").tools) == 1
    both = read_chat([USER, []], TOOL, quote="'")
    assert (both.batched, [len(each) for each in both.dialogues]) == (True, [1, 0])
    assert both.tools == [["declaration:f{description:'d'}"]] * 2
    assert read_chat([USER, USER], [TOOL, []], quote="'").tools[1] == []
    with pytest.raises(
        ValueError, match=r"`tools`: there must be one list for each dialogue, .* got 1 for 2"
    ):
        read_chat([USER, USER], [TOOL], quote="")


def test_media_are_taken_out_in_order():
    chat = read_chat([asked(b"a", b"b"), USER], None, quote="")
    assert chat.media() == {"images": [[b"a", b"b"], []]}
    assert read_chat(asked(None), None, quote="").media() == {}
    with pytest.raises(ValueError, match="parts must hold all of their images or none; 1 of 2 hold none"):
        read_chat(asked(b"a", None), None, quote="").media()


def test_media_become_slots():
    pixels = np.zeros([4, 6, 3], np.uint8)
    inputs, batched = chat_inputs({"messages": [asked(pixels), USER]}, row=RowConfig())
    assert batched
    assert inputs["images"].shape == (2, 2, 4, 6, 3)
    assert inputs["image_sizes"].numpy().tolist() == [[[4, 6], [0, 0]], [[0, 0], [0, 0]]]
    inputs, batched = chat_inputs({"messages": asked(None), "images": [b"file"]}, row=RowConfig())
    assert (batched, inputs["images"].numpy().tolist()) == (False, [[b"file"]])


def test_media_are_given_once():
    with pytest.raises(
        ValueError, match="`messages`, `images`: a medium must be given once; got it in parts"
    ):
        chat_inputs({"messages": asked(b"a"), "images": [b"b"]}, row=RowConfig())


def test_switches_have_the_templates_defaults():
    inputs, _ = chat_inputs({"messages": USER, "enable_thinking": True}, row=RowConfig())
    assert {name: bool(inputs[name].numpy()[0]) for name in DEFAULTS} == {**DEFAULTS, "enable_thinking": True}


def test_the_quote_of_our_own_text_is_one_that_no_text_can_spell():
    with pytest.raises(UnicodeEncodeError):
        QUOTE_MARK.encode()
