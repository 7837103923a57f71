"""Calls of native text as JSON."""

import json
import random
import re

import pytest

from graph_ops.chat.native_calls import MOST_DEPTH, parse_calls
from graph_ops.chat.native_text import call_text, declaration_text, response_text
from tests.data import ROOT
from tests.twins.answers import GOLDENS

Q = '<|"|>'
CASES = json.loads((ROOT / "tests" / "golden" / "native_text.json").read_text(encoding="utf-8"))
"""What JavaScript must give too: `browser/test_chat.js`."""


def test_calls_become_native_text_and_come_back():
    for case in CASES["calls"]:
        assert call_text(**case["call"], quote=Q) == case["native"]
        assert parse_calls(case["native"]) == [case["call"]]


def test_other_calls_are_read_and_texts_refused():
    for case in CASES["read"]:
        assert parse_calls(case["native"]) == case["calls"]
    for native in CASES["refused"]:
        with pytest.raises(ValueError, match="`native`: must be calls such as"):
            parse_calls(native)


def test_declarations_and_responses_are_printed():
    for case in CASES["declarations"]:
        assert declaration_text(case["tool"], quote=Q) == case["native"]
    for case in CASES["responses"]:
        assert response_text(case["name"], case["response"], quote=Q) == case["native"]


def test_the_calls_of_the_goldens_come_back():
    compared = 0
    for case in GOLDENS:
        messages = [message for message in case["messages"] if isinstance(message, dict)]
        calls = [call["function"] for message in messages for call in message.get("tool_calls") or []]
        expected = [(call["name"], call["arguments"] or {}) for call in calls]
        for text in case["outputs"].values():
            if isinstance(text, str) and all(isinstance(arguments, dict) for _, arguments in expected):
                native = re.findall(r"<\|tool_call>.*?<tool_call\|>", text, re.DOTALL)
                if len(native) == len(expected):
                    found = [(call["name"], call["arguments"]) for call in parse_calls("".join(native))]
                    assert found == expected, case["name"]
                    compared += len(found)
    assert compared > 20


@pytest.mark.parametrize(
    ("native", "arguments"),
    [
        ("call:f{}", {}),
        (" call:f{ a : 1 , b:[ 2.0,-3,1e+20 ] } ", {"a": 1, "b": [2.0, -3, 1e20]}),
        (f"call:f{{a:{Q}}},{{<tool_call|>\n{Q}}}", {"a": "},{<tool_call|>\n"}),
        (f"call:f{{{Q}a:b{Q}:{{c:[]}},d:{{}}}}", {"a:b": {"c": []}, "d": {}}),
        ("call:f{a:true,b:false,c:null}", {"a": True, "b": False, "c": None}),
        ("call:f{a:truly,b:01,c:big red}", {"a": "truly", "b": "01", "c": "big red"}),
        ("call:f{a:1,a:2}", {"a": 2}),
        ("call:f{a:1e999,b:-Infinity,c:nan}", {"a": "1e999", "b": "-Infinity", "c": "nan"}),
        (f"call:f{{a:{'[' * 60}{']' * 60}}}", None),
    ],
)
def test_values(native, arguments):
    (call,) = parse_calls(native)
    assert call["name"] == "f"
    assert arguments is None or call["arguments"] == arguments
    assert arguments is None or [type(value) for value in call["arguments"].values()] == [
        type(value) for value in arguments.values()
    ]


def test_several_calls_with_and_without_markers():
    marked = "<|tool_call>call:f{a:1}<tool_call|> <|tool_call>call:g{}<tool_call|>"
    expected = [{"name": "f", "arguments": {"a": 1}}, {"name": "g", "arguments": {}}]
    assert parse_calls(marked) == parse_calls(["call:f{a:1}", "call:g{}"]) == expected
    assert parse_calls("") == parse_calls([]) == parse_calls(["", " "]) == []


@pytest.mark.parametrize(
    ("native", "match"),
    [
        ("f{}", "at character 0 it needs `call:`; got 'f{}'"),
        ("call:f", "at character 5 it needs a name and `{`; got 'f'"),
        ("call:f{a:1", "at character 10 it needs `,` or `}`; got the end of the text"),
        (f"call:f{{a:{Q}x", "needs the closing `<|\"|>`; got 'x'"),
        ("call:f{a:}", "at character 9 it needs a key or a value; got '}'"),
        ("call:f{a}", "at character 8 it needs `:`; got '}'"),
        ("call:f{a:1}x", "at character 11 it needs `call:`; got 'x'"),
        (f"call:f{{a:{'[' * 10**5}", f"it needs at most {MOST_DEPTH} lists and mappings inside each other"),
    ],
)
def test_what_is_no_call_is_refused(native, match):
    with pytest.raises(ValueError, match=re.escape(match)):
        parse_calls(native)


def test_a_call_that_is_cut_anywhere_is_refused():
    native = f"call:f{{a:[1,{{b:{Q}x{Q}}}],c:word}}"
    assert parse_calls(native)
    for end in range(1, len(native)):
        with pytest.raises(ValueError, match="`native`: must be calls such as"):
            parse_calls(native[:end])


def test_hostile_texts_are_read_or_refused():
    rng = random.Random(6)
    parts = ["call:f", "{", "}", "[", "]", ",", ":", Q, "a", "1", " ", "<tool_call|>", "\u00e9"]
    read, refused = 0, set()
    for _ in range(20_000):
        try:
            read += len(parse_calls("call:f{" + "".join(rng.choices(parts, k=rng.randrange(8))) + "}"))
        except ValueError as error:
            refused.add(str(error)[:24])
    assert read > 100
    assert refused == {"`native`: must be calls "}
