"""Values of a file, in an error."""

from graph_ops.text.vocabulary.quoted import quoted


def test_a_value_is_quoted_as_json():
    assert quoted({"a": [1, None, True, "ä"]}) == '{"a": [1, null, true, "ä"]}'


def test_a_long_value_is_cut():
    assert quoted("x" * 200) == '"' + "x" * 119 + "…"
    assert quoted("x" * 118) == '"' + "x" * 118 + '"'


def test_half_a_surrogate_pair_can_be_printed():
    assert quoted("\ud800").encode() == rb'"\ud800"'
