"""JSON as Python holds it -> native text: how declarations, calls and responses stand in a dialogue.

Host code, for what no graph takes: mappings of any depth, sorted keys, numbers as Python prints them.

```
{"name": "f", "arguments": {"a": 1, "b": ["x"]}}   ->   call:f{a:1,b:[<|"|>x<|"|>]}
```

`quote` is what stands on both sides of a string: a token's name, or its mark.
"""

from collections.abc import Mapping, Sequence
from typing import Any

_STANDARD_KEYS = ("description", "type", "properties", "required", "nullable")
"""Of a schema; those of an object that lists its properties beside them are left out."""


def call_text(name: str, arguments: "Mapping[str, Any] | None", *, quote: str) -> str:
    """A call: its name, and its arguments sorted by key."""
    return f"call:{name}{_mapping(arguments or {}, quote, quotes_keys=False)}"


def response_text(name: str, response: Any, *, quote: str) -> str:
    """What a tool answered: a mapping as its keys and values, anything else as `value`."""
    body = response if isinstance(response, Mapping) else {"value": response}
    return f"response:{name}{_mapping(body, quote, quotes_keys=False)}"


def value_text(value: Any, *, quote: str, quotes_keys: bool = False) -> str:
    """A value: strings in quotes, numbers as Python prints them."""
    if isinstance(value, str):
        return f"{quote}{value}{quote}"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return _mapping(value, quote, quotes_keys=quotes_keys)
    if isinstance(value, Sequence):
        return f"[{','.join(value_text(item, quote=quote, quotes_keys=quotes_keys) for item in value)}]"
    return str(value)


def declaration_text(tool: Mapping[str, Any], *, quote: str) -> str:
    """The declaration of a tool, from its schema in OpenAI's form.

    Raises:
        ValueError: not such a schema; says what is missing.
    """
    function = tool.get("function") if isinstance(tool, Mapping) else None
    if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
        raise ValueError(
            "`tools`: a tool must be a mapping with a `function`, which has a `name`; got "
            f"{_shown(tool)}. Pass {{'type': 'function', 'function': {{'name': …, 'description': …, "
            "'parameters': …}}."
        )
    description = f"description:{quote}{_printed(function.get('description'))}{quote}"
    parameters = function.get("parameters")
    fields = [description]
    if parameters:
        fields.append(f"parameters:{{{_parameters(parameters, quote)}")
    if "response" in function:
        fields.append(f"response:{{{_response(function['response'], quote)}")
    return f"declaration:{function['name']}{{{','.join(fields)}}}".strip()


def _parameters(parameters: Mapping[str, Any], quote: str) -> str:
    """What stands behind `parameters:{`, to the closing brace, which the template writes with the type."""
    text = ""
    if parameters.get("properties"):
        text += f"properties:{{{_properties(parameters['properties'], quote)}}},"
    if parameters.get("required"):
        text += f"{_required(parameters['required'], quote)},"
    if parameters.get("type"):
        text += f"{_type(parameters, quote)}}}"
    return text


def _response(response: Mapping[str, Any], quote: str) -> str:
    """What stands behind `response:{`, to the closing brace, which the template writes with the type."""
    text = ""
    if response.get("description"):
        text += f"description:{quote}{response['description']}{quote},"
    if _upper(response) == "OBJECT":
        text += f"{_type(response, quote)}}}"
    return text


def _properties(properties: Mapping[str, Any], quote: str, *, is_filtered: bool = False) -> str:
    """The properties of an object, sorted; without those of standard names where `is_filtered`."""
    kept = (key for key in _sorted(properties) if not (is_filtered and key in _STANDARD_KEYS))
    return ",".join(f"{key}:{{{_property(properties[key], quote)}}}" for key in kept)


def _property(schema: Any, quote: str) -> str:
    """One property; what is no mapping has no fields."""
    schema = schema if isinstance(schema, Mapping) else {}
    kind, fields = _upper(schema), []
    if schema.get("description"):
        fields.append(f"description:{quote}{schema['description']}{quote}")
    if kind == "STRING" and schema.get("enum"):
        fields.append(f"enum:{value_text(schema['enum'], quote=quote, quotes_keys=True)}")
    if kind == "ARRAY" and isinstance(schema.get("items"), Mapping) and schema["items"]:
        fields.append(f"items:{{{_items(schema['items'], quote)}}}")
    if schema.get("nullable"):
        fields.append("nullable:true")
    if kind == "OBJECT":
        listed = isinstance(schema.get("properties"), Mapping)
        inner = schema["properties"] if listed else schema
        fields.append(f"properties:{{{_properties(inner, quote, is_filtered=not listed)}}}")
        if schema.get("required"):
            fields.append(_required(schema["required"], quote))
    return ",".join([*fields, _type(schema, quote)])


def _items(items: Mapping[str, Any], quote: str) -> str:
    """The schema of an array's items: all of its fields, sorted."""
    return ",".join(_item(key, items[key], quote) for key in _sorted(items) if items[key] is not None)


def _item(key: str, value: Any, quote: str) -> str:
    if key == "properties":
        return f"properties:{{{_properties(value, quote) if isinstance(value, Mapping) else ''}}}"
    if key == "required":
        return _required(value, quote)
    if key == "type":
        value = value.upper() if isinstance(value, str) else [str(each).upper() for each in value]
    return f"{key}:{value_text(value, quote=quote, quotes_keys=True)}"


def _required(names: Sequence[Any], quote: str) -> str:
    return f"required:[{','.join(f'{quote}{name}{quote}' for name in names)}]"


def _type(schema: Mapping[str, Any], quote: str) -> str:
    return f"type:{quote}{_upper(schema)}{quote}"


def _upper(schema: Mapping[str, Any]) -> str:
    return _printed(schema["type"]).upper() if "type" in schema else ""


def _mapping(mapping: Mapping[str, Any], quote: str, *, quotes_keys: bool) -> str:
    around = quote if quotes_keys else ""
    fields = (
        f"{around}{key}{around}:{value_text(mapping[key], quote=quote, quotes_keys=quotes_keys)}"
        for key in _sorted(mapping)
    )
    return f"{{{','.join(fields)}}}"


def _sorted(mapping: Mapping[str, Any]) -> list[str]:
    """Keys without regard to case, those that differ in nothing else as they come."""
    return sorted(mapping, key=lambda key: key.lower() if isinstance(key, str) else key)


def _printed(value: Any) -> str:
    return "" if value is None else str(value)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}…"
