"""The table of faults."""

import re

import pytest

from graph_ops.fault_table import SENTENCES, Fault


def test_codes_are_counted_up_and_each_has_a_sentence():
    assert [int(fault) for fault in Fault] == list(range(max(Fault) + 1))
    assert set(SENTENCES) == set(Fault) - {Fault.NONE}


@pytest.mark.parametrize("fault", SENTENCES, ids=lambda fault: fault.name)
def test_a_sentence_names_an_argument_first_and_quotes_two_numbers_at_most(fault):
    sentence = SENTENCES[fault]
    assert re.match(r"`\w+`(, `\w+`)*: ", sentence)
    assert {field[1] for field in re.findall(r"\{[^}]*\}", sentence)} <= {"0", "1"}
