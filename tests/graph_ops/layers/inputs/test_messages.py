"""Messages of Python, read one by one."""

import pytest

from graph_ops.layers.inputs.messages import is_dialogue, read_messages, read_tools, shown_items

USER = {"role": "user", "content": "Hi"}


def call(name="f", arguments=None, **more):
    return {"type": "function", "function": {"name": name, "arguments": arguments}, **more}


def read(*messages):
    return read_messages(list(messages), quote="'")


def test_a_string_is_one_part_and_a_list_says_that_it_is_one():
    (string, listed, nothing) = read(
        USER, {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "odd"}]}, {"role": "user"}
    )
    assert string.parts == (("text", "Hi"),)
    assert listed.parts == (("text", "a"), ("other", ""), ("list", ""))
    assert nothing.parts == ()


@pytest.mark.parametrize("key", ["reasoning", "reasoning_content"])
def test_thoughts_go_by_two_names(key):
    assert read({"role": "assistant", "content": "x", key: "hm"})[0].thought == "hm"


def test_a_tool_answers_for_the_last_call_with_its_id():
    calls = [call("f", id="1"), call("g", {"b": "x", "a": 1}, id="1"), call("h", id="2")]
    messages = read(
        {"role": "assistant", "tool_calls": calls},
        {"role": "tool", "content": 42, "tool_call_id": "1"},
        {"role": "tool", "content": "x", "tool_call_id": "9", "name": "n"},
        {"role": "tool", "content": None, "tool_call_id": "9"},
    )
    assert messages[0].calls == ("call:f{}", "call:g{a:1,b:'x'}", "call:h{}")
    assert [message.name for message in messages] == ["", "g", "n", "unknown"]
    assert [message.parts for message in messages[1:]] == [(("value", "42"),), (("text", "x"),), ()]


def test_a_tool_and_a_call_without_ids_belong_together():
    assert read({"role": "assistant", "tool_calls": [call("f")]}, {"role": "tool"})[1].name == "f"


def test_responses_may_stand_beside_the_call():
    responses = [{"name": "f", "response": {"b": 1, "a": None}}, {"response": "x"}]
    (message,) = read({"role": "assistant", "tool_calls": [call()], "tool_responses": responses})
    assert message.responses == ("response:f{a:null,b:1}", "response:unknown{value:'x'}")


def test_items_stand_in_the_order_of_the_text():
    def image(name):
        return {"type": "image", "image": name}

    messages = read(
        {"role": "user", "content": [image("a"), {"type": "text", "text": "x"}]},
        {"role": "assistant", "content": [image("c")], "tool_calls": [call(id="1")]},
        {"role": "tool", "content": [image("b")], "tool_call_id": "1"},
        {"role": "user", "content": [image("d")]},
        {"role": "tool", "content": [image("nobody asked")]},
    )
    assert [item.payload for item in shown_items(messages)] == ["a", "b", "c", "d"]


def test_what_a_first_system_message_shows_is_text_alone():
    (message,) = read({"role": "system", "content": [{"type": "image"}, {"type": "text", "text": "s"}]})
    assert message.parts == (("text", ""), ("text", "s"), ("list", ""))
    assert shown_items([message]) == []
    with pytest.raises(ValueError, match="a system message at the beginning shows no media; message 0 has"):
        read({"role": "system", "content": [{"type": "image", "image": b"file"}]})


@pytest.mark.parametrize(
    ("messages", "kind", "says"),
    [
        (
            "Hi",
            TypeError,
            "a dialogue must be a list of mappings such as .*; got str 'Hi'. Pass such a list.",
        ),
        ([USER, "Hi"], TypeError, "a dialogue must be a list of mappings"),
        ([{"content": "Hi"}], ValueError, "must have a `role`, .*; message 0 has None. Name who speaks"),
        ([{"role": 3}], ValueError, "must have a `role`, .*; message 0 has 3"),
        (
            [USER, {"role": "user", "content": 3}],
            TypeError,
            "content must be a string or .*; message 1 has int 3",
        ),
        ([{"role": "user", "content": b"x"}], TypeError, "content must be a string or a list of parts"),
        ([{"role": "tool", "content": {"a": 1}}], TypeError, "Pass what a tool answered as `tool_responses`"),
        ([{"role": "user", "content": ["x"]}], TypeError, "a part must be a mapping such as .* has str 'x'"),
        ([{"role": "user", "content": [{"type": "text", "text": 3}]}], TypeError, "`text` must be a string"),
        ([{"role": "a", "reasoning": ["x"]}], TypeError, "`reasoning` must be a string; message 0 has list"),
        ([{"role": "a", "tool_calls": ["x"]}], TypeError, "a tool call must be a mapping with a `function`"),
        ([{"role": "a", "tool_calls": [call(None)]}], TypeError, "a function must have a name, a string"),
        (
            [{"role": "a", "tool_calls": [call("f", "{}")]}],
            TypeError,
            r"Parse them, .* `json.loads\(arguments\)`",
        ),
        (
            [{"role": "a", "tool_responses": ["x"]}],
            TypeError,
            "a tool response must be a mapping with `name`",
        ),
        (
            [{"role": "a", "tool_calls": [call("f", {"a": "\ud800"})]}],
            ValueError,
            "must be Unicode, which has no",
        ),
    ],
)
def test_what_the_template_does_not_take_is_refused(messages, kind, says):
    with pytest.raises(kind, match=f"`messages`.*{says}"):
        read_messages(messages, quote="'")


def test_tools_are_schemas():
    tool = {"function": {"name": "f", "description": "d"}}
    assert read_tools([tool], quote="'") == ["declaration:f{description:'d'}"]
    assert read_tools(None, quote="'") == []
    with pytest.raises(TypeError, match="`tools`: must be a list of mappings, the schemas of functions; got"):
        read_tools([print], quote="'")
    with pytest.raises(ValueError, match=r"must be Unicode, .* in tool 0"):
        read_tools([{"function": {"name": "f", "description": "\udcff"}}], quote="'")


def test_a_dialogue_is_a_list_of_mappings():
    assert is_dialogue([])
    assert is_dialogue([USER])
    assert is_dialogue((USER,))
    assert not any(map(is_dialogue, ("", "Hi", USER, [USER, None], [[USER]], None, b"")))
