"""What is asked of a server, and what is refused before it is asked."""

import numpy as np
import pytest

from gemma4_client import Client, InputError, Refused, Signature, Spec
from gemma4_client.calls import Calls
from gemma4_client.transport import Blocking, Settings, finished
from tests.export.tiny import EMPTY


def test_texts_become_ids_and_ids_texts(client):
    assert client.tokenize(["ab", "", "né"]).token_ids == [[97, 98], [], [110, 233]]
    assert client.detokenize([[97, 98], [], [233]]).checked() == ["ab", "", "é"]
    assert client.detokenize([]).texts == []


def test_generated_ids_become_texts(client):
    ids, mask = np.array([[97, 98, 99]], np.int32), np.array([[True, True, False]])
    assert client.generate_postprocess(ids, mask).texts == ["ab"]


def test_rows_may_have_different_numbers_of_files(client):
    answer = client.generate_preprocess(["a", "b", "c"], [[b"123"], [b"1", b"22"], []])
    assert answer.outputs["sizes"].tolist() == [3, 3, 0]
    assert answer.statuses == ("", "", "")
    assert answer.version == 1


def test_the_signature_is_the_one_for_what_is_passed(client):
    assert "sizes" not in client.generate_preprocess(["a"]).outputs
    with pytest.raises(InputError, match="generate_preprocess takes images, prompts; got audio, images, pr"):
        client.generate_preprocess(["a"], audio=[[b"1"]])


def test_a_fault_of_a_row_leaves_the_others(client):
    answer = client.generate_preprocess(["ab", ""])
    assert answer.statuses == ("", EMPTY)
    assert answer.faults == {1: EMPTY}
    assert answer.outputs["token_ids"].tolist()[0] == [97, 98]


def test_statuses_come_with_whatever_outputs_are_asked_for(client):
    answer = client.generate_preprocess(["", "a"], outputs=["token_ids"])
    assert set(answer.outputs) == {"token_ids", "status"}
    assert answer.faults == {0: EMPTY}


def test_rows_to_train_on_have_responses(client):
    answer = client.preprocess(["a", "b"], ["xy", ""], [[b"1"], []])
    assert (answer.outputs["y"].tolist(), answer.outputs["sizes"].tolist()) == ([2, 0], [1, 0])
    assert answer.statuses == ()


def test_tokens_are_counted_from_sizes(client):
    counts = client.count_tokens(["ab", "c"], [[(3, 4)], []])
    assert (counts.num_tokens, counts.fits) == ([9, 1], [True, True])
    assert client.count_tokens(["ab"]).num_tokens == [2]
    assert client.count_tokens(["a" * 20]).statuses == ("too long",)


def test_any_signature_is_asked(client):
    answer = client.predict("generate", {"prompts": ["a"], "seed": np.array([7], np.int32)})
    assert answer.outputs["text"].texts() == ["a 7"]


REFUSED = {
    "signature": ("fly", {}, None, r"`signature`: must be one of the model's, count_tokens, .*; got fly\."),
    "names": ("tokenize", {"texts": ["a"]}, None, "`inputs`: tokenize takes text; got texts"),
    "dtype": ("generate", {"prompts": ["a"], "seed": [1.5]}, None, r"`seed`: must be int32 \[\?\]; got 1\.5"),
    "shape": ("tokenize", {"text": [["a"]]}, None, r"`text`: must be string \[\?\]; got string \[1, 1\]"),
    "rows": ("generate", {"prompts": ["a"], "seed": []}, None, "must have the same number of rows"),
    "outputs": (
        "tokenize",
        {"text": ["a"]},
        ["ids"],
        "`outputs`: tokenize gives lengths, token_ids; got ids",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_the_signature_does_not_take_is_refused(client, case):
    signature, inputs, outputs, message = REFUSED[case]
    with pytest.raises(InputError, match=message):
        client.predict(signature, inputs, outputs)


@pytest.mark.parametrize("prompts", ["Hello", b"Hello"])
def test_a_text_alone_is_refused(client, prompts):
    with pytest.raises(InputError, match="`prompts`: must be a list"):
        client.generate_preprocess(prompts)
    with pytest.raises(InputError, match="`texts`: must be a list"):
        client.tokenize(prompts)


def test_a_server_refuses_what_only_it_can_know(client):
    with pytest.raises(Refused, match=r"RESOURCE_EXHAUSTED.*Send fewer rows or smaller files") as caught:
        client.tokenize(["a" * (33 << 20)])
    assert caught.value.code == "RESOURCE_EXHAUSTED"


def test_another_model_or_version_is_not_found(address):
    for client in (Client(address, "other"), Client(address, version=9)):
        assert not client.ready()
        with pytest.raises(Refused, match=r"NOT_FOUND.*Pass a `model`, `version` or `label`"):
            client.tokenize(["a"])
    assert Client(address, version=1).ready()


def test_a_signature_that_has_changed_is_asked_for_again(address):
    """A version with other signatures takes over: the server refuses, and is asked what it has now."""
    settings = Settings(address, "gemma4")
    calls = Calls(Blocking(settings), settings)
    text = {"text": Spec("int32", (None,))}
    calls._known = {"tokenize": Signature(text, {})}
    with pytest.raises(Refused, match="INVALID_ARGUMENT"):
        finished(calls.predict("tokenize", {"text": [1]}))
    assert finished(calls.tokenize(["a"])).token_ids == [[97]]
    calls._known = {}
    assert finished(calls.tokenize(["a"])).token_ids == [[97]]
