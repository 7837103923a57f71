"""What a server says of each row reaches the caller."""

import pytest

from gemma4_client import Answer, Counts, RowError, Tensor, Texts, Version
from gemma4_client.answers import read_answer, read_tokens, read_versions
from gemma4_client.messages import MESSAGES
from gemma4_client.wire import to_proto


def test_an_answer_has_its_statuses():
    response = MESSAGES["PredictResponse"]()
    response.model_spec.version.value = 7
    response.outputs["status"].CopyFrom(to_proto(Tensor("string", (2,), (b"", b"bad"))))
    answer = read_answer(response)
    assert (answer.version, answer.statuses, answer.faults) == (7, ("", "bad"), {1: "bad"})
    with pytest.raises(RowError, match="row 1: bad"):
        answer.checked()


def test_a_good_answer_is_itself():
    answer = Answer({}, ("",), 1)
    assert answer.checked() is answer
    assert Answer({}, (), 1).faults == {}
    assert Texts(["a"], ("",)).checked() == ["a"]
    assert Counts([3], [True], ("",)).checked() == [3]


@pytest.mark.parametrize("rows", [Texts([""], ("bad",)), Counts([0], [False], ("bad",))])
def test_texts_and_counts_are_checked_too(rows):
    with pytest.raises(RowError, match="row 0: bad"):
        rows.checked()


def test_ids_end_at_their_length():
    ids = Tensor("int32", (2, 2), (b"\x01\0\0\0" * 4))
    lengths = Tensor("int32", (2,), b"\x02\0\0\0\x00\0\0\0")
    assert read_tokens(Answer({"token_ids": ids, "lengths": lengths}, (), 1)).token_ids == [[1, 1], []]


def test_states_of_versions_have_names():
    response = MESSAGES["GetModelStatusResponse"]()
    failed = response.model_version_status.add(version=2, state=50)
    failed.status.error_message = "no file"
    response.model_version_status.add(version=1, state=30)
    assert read_versions(response) == [Version(2, "END", "no file"), Version(1, "AVAILABLE", "")]
