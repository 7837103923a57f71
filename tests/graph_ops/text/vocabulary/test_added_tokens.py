"""Added tokens that SentencePiece finds where Hugging Face does, and the refusal of others."""

import time

import pytest

from graph_ops.text.vocabulary.added_tokens import (
    added_tokens,
    check_added_tokens,
    check_ids,
    check_order,
    found_first,
)


def entries(**normalized):
    return {token: {"content": token, "normalized": value} for token, value in normalized.items()}


def test_tokens_are_known_by_their_content():
    token = {"content": "<x>", "id": 3}
    assert added_tokens([token]) == {"<x>": token}


@pytest.mark.parametrize("given", [None, {}, 5, "a", [None], [{}], [{"content": 5}], [{"content": ""}]])
def test_what_is_no_list_of_tokens_is_refused(given):
    with pytest.raises(ValueError, match=r"`added_tokens` must be"):
        added_tokens(given)


@pytest.mark.parametrize("index", [None, True, 1.0, "1", 2, -1])
def test_an_id_that_hugging_face_would_not_give_is_refused(index):
    check_ids({"a": 0}, {"<x>": {"id": 1}, "a": {"id": 0}})
    with pytest.raises(ValueError, match='the id of the added token "<x>" must be 1; got '):
        check_ids({"a": 0}, {"<x>": {"id": index}})


@pytest.mark.parametrize(
    ("token", "entry"),
    [("a", {"lstrip": True}), ("a b", {}), ("<0x41>", {}), ("<bos>", {"special": False})],
)
def test_a_flag_or_text_that_sentencepiece_knows_nothing_of_is_refused(token, entry):
    with pytest.raises(ValueError, match="added token"):
        check_added_tokens({token: entry})


def test_those_that_are_not_normalized_are_found_first():
    assert found_first(entries(a=True, b=False, c=None)) == {"b", "c"}


@pytest.mark.parametrize("second", ["xaby", "xab", "abx", "xa"])
def test_a_second_token_that_reaches_into_a_first_is_refused(second):
    with pytest.raises(ValueError, match="must not overlap"):
        check_order(entries(**{"ab": False, second: True}))


@pytest.mark.parametrize("second", ["bx", "b", "xx", "a", "ax"])
def test_others_are_accepted(second):
    check_order(entries(**{"ab": False, second: True}))


def test_the_longest_tokens_take_no_time():
    started = time.perf_counter()
    check_order(entries(**{"a" * 7_998 + "b": False, "a" * 7_998: False, "c" * 7_999: True}))
    assert time.perf_counter() - started < 5
