"""Native text of JSON."""

import pytest

from graph_ops.chat.native_text import call_text, declaration_text, response_text, value_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a'b", "'a'b'"),
        (None, "null"),
        (True, "true"),
        (2.0, "2.0"),
        (1e20, "1e+20"),
        ([1, ["x"]], "[1,['x']]"),
        ({"b": 1, "A": {"c": None}}, "{A:{c:null},b:1}"),
        ({}, "{}"),
    ],
)
def test_values_are_written_as_python_prints_them(value, text):
    assert value_text(value, quote="'") == text


def test_keys_that_differ_in_case_alone_stay_in_order():
    assert value_text({"b": 1, "B": 2, "a": 3}, quote="") == "{a:3,b:1,B:2}"


def test_keys_of_nested_mappings_in_declarations_are_quoted():
    assert value_text({"a": 1}, quote="'", quotes_keys=True) == "{'a':1}"


def test_calls_and_responses():
    assert call_text("f", None, quote="'") == "call:f{}"
    assert call_text("f", {"b": "x", "a": 1}, quote="'") == "call:f{a:1,b:'x'}"
    assert response_text("f", {"r": 2}, quote="'") == "response:f{r:2}"
    assert response_text("f", "ok", quote="'") == "response:f{value:'ok'}"


def test_a_declaration():
    tool = {
        "function": {"name": "f", "description": "d", "parameters": {"type": "object", "required": ["a"]}}
    }
    expected = "declaration:f{description:'d',parameters:{required:['a'],type:'OBJECT'}}"
    assert declaration_text(tool, quote="'") == expected


@pytest.mark.parametrize("tool", [{"name": "f"}, {"function": {"description": "d"}}, "f", {"function": None}])
def test_a_tool_without_a_function_or_a_name_is_refused(tool):
    with pytest.raises(ValueError, match="`tools`: a tool must be a mapping with a `function`, which has"):
        declaration_text(tool, quote="'")
