"""What is wrong with dialogues."""

import pytest
import tensorflow as tf

from graph_ops.chat.findings import dialogue_finding
from graph_ops.chat.native_text import declaration_text
from graph_ops.faults import Fault
from tests.graph_ops.chat.rig import QUOTE, dialogues
from tests.twins import chat as twin

USER = {"role": "user", "content": "Hi"}


def found(finding):
    return [
        (Fault(fault), *detail)
        for fault, detail in zip(finding.fault.numpy(), finding.detail.numpy().tolist(), strict=True)
    ]


def changed(messages, **fields):
    """A dialogue with other strings in some fields."""
    tensors = dialogues(messages)
    return tensors._replace(**{name: tf.constant([value], tf.string) for name, value in fields.items()})


@pytest.mark.parametrize(
    ("tensors", "expected"),
    [
        (dialogues([USER]), (Fault.NONE, 0, 0)),
        (dialogues([]), (Fault.CHAT_EMPTY, 0, 0)),
        (changed([USER], roles=[""], parts=[[""]], part_types=[[""]]), (Fault.CHAT_EMPTY, 1, 0)),
        (changed([USER, USER], roles=["user", ""]), (Fault.CHAT_ROLE, 1, 0)),
        (changed([USER, USER], roles=["user", "a\nb"]), (Fault.CHAT_ROLE, 1, 0)),
        (changed([USER, USER], roles=["user\u3000", "user"]), (Fault.CHAT_ROLE, 0, 0)),
        (changed([USER, USER], part_types=[["text"], ["txt"]]), (Fault.CHAT_PART, 1, 0)),
        (changed([USER], parts=[["a", "b"]], part_types=[["text", "image"]]), (Fault.NONE, 0, 0)),
        (changed([USER], parts=[["a", "b"]], part_types=[["text", "video"]]), (Fault.CHAT_MEDIUM, 0, 1)),
        (
            changed([USER], parts=[["a", "b"]], part_types=[["text", "input_audio"]]),
            (Fault.CHAT_MEDIUM, 0, 1),
        ),
    ],
)
def test_dialogues(tensors, expected):
    assert found(dialogue_finding(tensors, media=("image",), quote=None)) == [expected]


GOOD = (
    "call:f{}",
    "call:f{a:1}",
    'call:get_weather{city:<|"|>Rome, {IT} ]<|"|>,days:[1,2.0,null],where:{a:{b:[[],{}]}}}',
    'call:f{a:<|"|><|"|>,<|"|>k<|"|>:true}',
    "call:f{a: 1, b: -1e+20}",
    'call:f{a:<|"|>\n<turn|><|"|>}',
)
BAD = (
    *(
        "f{}",
        "call:f",
        "call:{}",
        "call:f{",
        "call:f{}}",
        "call:f{a}",
        "call:f{a:}",
        "call:f{a:1,}",
        "call:f{,}",
    ),
    *(
        "call:f{a:[1}",
        "call:f{a:[1,]}",
        "call:f{a:{b:1]}",
        "call:f{a:1}x",
        "call:f{a:1}{b:2}",
        "\x01",
        "call:f\x01",
    ),
    *(
        'call:f{a:<|"|>x}',
        'call:f{a:<|"|>x<|"|>y}',
        'call:f{a:<|"|>x<|"|>,<|"|>}',
        "call:f{a:1:2}",
        " call:f{}",
    ),
    *("response:f{}", 'call:f{a:<|"|>'),
    "call:f{a:" + "[" * 17 + "]" * 17 + "}",
)


@pytest.mark.parametrize("text", GOOD)
def test_native_text_that_parses(text):
    assert found(dialogue_finding(changed([USER], calls=[[text]]), media=("image",), quote=QUOTE)) == [
        (Fault.NONE, 0, 0)
    ]


@pytest.mark.parametrize("text", BAD)
def test_native_text_that_does_not_parse(text):
    tensors = changed([USER, USER], calls=[["", ""], ["call:f{}", text]])
    assert found(dialogue_finding(tensors, media=("image",), quote=QUOTE)) == [(Fault.CHAT_TOOL_TEXT, 1, 1)]


def test_responses_and_tools_are_read_too():
    response = changed([USER], responses=[["response:f{value:1}", "response:f{"]])
    assert found(dialogue_finding(response, media=("image",), quote=QUOTE)) == [(Fault.CHAT_TOOL_TEXT, 0, 1)]
    tools = changed([USER], tools=["declaration:f{description:1}", "", "f"])
    assert found(dialogue_finding(tools, media=("image",), quote=QUOTE)) == [(Fault.CHAT_DECLARATION, 2, 0)]


def test_what_this_project_writes_itself_parses():
    tools = [tool for case in twin.GOLDENS for tool in case["tools"] or []]
    texts = [declaration_text(tool, quote=QUOTE) for tool in tools]
    assert len(texts) > 4
    finding = dialogue_finding(changed([USER], tools=texts), media=("image",), quote=QUOTE)
    assert found(finding) == [(Fault.NONE, 0, 0)]
