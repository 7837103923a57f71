"""`parse_response` of a preprocessor."""

import numpy as np
import pytest
import tensorflow as tf

from graph_ops.layers.answer_parsing import ParsedResponse
from graph_ops.text.reading import Reading

ANSWER = "<|channel>thought\nHm.\n<channel|>Wait. <|tool_call>call:f{a:1}<tool_call|><|tool_response>"


def test_an_answer_of_ids_and_of_text(make_preprocessor):
    preprocessor = make_preprocessor()
    expected = ParsedResponse("Hm.", "Wait.", ["call:f{a:1}"], "tool_calls")
    ids = preprocessor.tokenizer.tokenize_rows(tf.constant([ANSWER]), reading=Reading.CONTROL).token_ids
    for given in (ids[0], ids[0].numpy().tolist(), ANSWER, np.array(ANSWER), tf.constant(ANSWER)):
        assert preprocessor.parse_response(given) == expected
    for given in (ids, [ANSWER], np.array([ANSWER]), tf.constant([ANSWER])):
        assert preprocessor.parse_response(given) == [expected]


def test_an_answer_that_begins_inside_a_thought(make_preprocessor):
    preprocessor = make_preprocessor()
    answers = preprocessor.parse_response(["so\n<channel|>yes<turn|>", "so"], in_thought=True)
    assert answers == [ParsedResponse("so", "yes", [], "stop"), ParsedResponse("so", "", [], "length")]
    assert preprocessor.parse_response([], in_thought=True) == ParsedResponse("", "", [], "length")


def test_an_id_outside_the_vocabulary_is_refused(make_preprocessor):
    with pytest.raises(ValueError, match="row 1: `token_ids`: an id must be in"):
        make_preprocessor().parse_response([[300], [99_999]])
