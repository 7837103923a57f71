"""One request to one signature: checked, run, answered."""

import grpc
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from export.saved_model.signatures import DEFAULT
from export.saved_model.warmup import write_warmup_requests
from export.serving.prediction import (
    Limits,
    check_inputs,
    load_servable,
    predict,
    run,
    run_request,
    type_name,
)
from export.serving.refusals import Refusal
from export.tensorflow_formats import types_pb2
from tests.export.serving.rig import predict_request
from tests.export.tiny import TABLE, save_tiny
from tests.twins.vocabularies import REPEATABLE

IDS = {"token_ids": np.array([[72, 105]], np.int32), "lengths": np.array([2], np.int32)}
INT32, STRING = types_pb2.DT_INT32, types_pb2.DT_STRING


@pytest.fixture(scope="module")
def servable(tiny_saved_model):
    return load_servable(7, tiny_saved_model)


def test_a_version_is_loaded_with_what_it_says_of_its_signatures(servable):
    assert servable.version == 7
    assert servable.functions.keys() == TABLE.keys()
    for name, signature in TABLE.items():
        assert servable.signature_defs[name].inputs.keys() == signature.inputs.keys()


def test_a_signature_is_cold_until_it_was_run_or_warmed_up(tmp_path):
    folder = save_tiny(tmp_path / "1")
    write_warmup_requests({"tokenize": TABLE["tokenize"]}, folder)
    assert load_servable(1, folder, warm=False).cold.keys() == TABLE.keys()
    servable = load_servable(1, folder)
    assert servable.cold.keys() == TABLE.keys() - {"tokenize"}
    run(servable, "detokenize", IDS)
    assert "detokenize" not in servable.cold


def test_an_answer_names_its_model_and_signature(servable):
    response = predict(servable, predict_request("detokenize", IDS, name="m"), Limits())
    spec = response.model_spec
    assert (spec.name, spec.signature_name, spec.version.value) == ("m", "detokenize", 7)
    assert list(response.outputs["text"].string_val) == [b"Hi"]


def test_no_signature_is_the_default_one(servable):
    request = predict_request("", {"prompts": ["ab"], "images": [[b"123"]]})
    name, outputs = run_request(servable, request, Limits())
    assert name == DEFAULT
    assert outputs["sizes"].tolist() == [3]
    with pytest.raises(Refusal, match=r'Serving signature key "x" not found\.') as refused:
        run_request(servable, predict_request("x", {}), Limits())
    assert refused.value.code is grpc.StatusCode.FAILED_PRECONDITION


def test_outputs_are_those_of_the_filter_in_its_order_or_all_by_name(servable):
    assert list(run(servable, "detokenize", IDS, ["text"])) == ["text"]
    assert list(run(servable, "detokenize", IDS, ["text", "status"])) == ["text", "status"]
    assert list(run(servable, "detokenize", IDS)) == ["status", "text"]


def test_a_graph_that_fails_is_a_refusal_with_its_code(servable):
    with pytest.raises(Refusal) as refused:
        run(servable, "detokenize", {**IDS, "lengths": np.array([2, 2], np.int32)})
    assert refused.value.code is grpc.StatusCode.INVALID_ARGUMENT
    assert run(servable, "detokenize", IDS)["text"].tolist() == [b"Hi"]


SPECS = {"token_ids": (INT32, (1, 2)), "lengths": (INT32, (1,))}
WRONG = {
    "missing": ({"lengths": SPECS["lengths"]}, (), "Sent extra: {}. Missing but required: {token_ids}."),
    "surplus": ({**SPECS, "x": (INT32, (1,))}, (), "Sent extra: {x}. Missing but required: {}."),
    "misspelt": ({"lengths": SPECS["lengths"], "ids": (INT32, (1, 2))}, (), "alias: token_ids(feed name: "),
    "nothing": ({}, (), "input size does not match signature: 0!=2"),
    "type": ({**SPECS, "lengths": (STRING, (1,))}, (), "Expects arg[0] to be int32 but string is provided"),
    "no such type": ({**SPECS, "lengths": (999, (1,))}, (), "to be int32 but 999 is provided"),
    "rank": ({**SPECS, "lengths": (INT32, ())}, (), "`lengths`: must have shape [?]; got []"),
    "rows": ({**SPECS, "lengths": (INT32, (3,))}, (), "got {'lengths': 3, 'token_ids': 1}"),
    "output": (SPECS, ("ids",), "ids Outputs expected to be in the set {status,text}."),
    "twice": (SPECS, ("text", "text"), "duplicate output tensor alias: text"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_does_not_fit_the_signature_is_refused(servable, case):
    given, output_filter, message = WRONG[case]
    check_inputs(servable, "detokenize", SPECS, ("status", "text"), Limits())
    with pytest.raises(Refusal) as refused:
        check_inputs(servable, "detokenize", given, output_filter, Limits())
    assert message in refused.value.message
    assert refused.value.code is grpc.StatusCode.INVALID_ARGUMENT


@REPEATABLE
@given(rows=st.integers(0, 40), most=st.integers(1, 20), answers=st.integers(1, 20))
def test_rows_are_limited_by_their_number_and_by_the_size_of_the_answer(servable, rows, most, answers):
    """A row of `tokenize` has a length and, at least, an id, of four bytes each."""
    limits = Limits(rows=most, answer_bytes=8 * answers + 7)
    given = {"text": (STRING, (rows,))}
    if rows <= min(most, answers):
        check_inputs(servable, "tokenize", given, (), limits)
    else:
        with pytest.raises(Refusal, match=f"must have at most {min(most, answers)} rows .*; got {rows} rows"):
            check_inputs(servable, "tokenize", given, (), limits)


def test_a_type_has_tensorflows_word():
    for number in (types_pb2.DT_FLOAT, types_pb2.DT_UINT8, types_pb2.DT_BOOL, STRING):
        assert type_name(number) == tf.as_dtype(number).name.replace("float32", "float")
    assert type_name(12345) == "12345"
