"""Requests are checked as predictions are, and run."""

import numpy as np
import pytest

from export.serving.observing import Call
from export.serving.prediction import Limits
from export.serving.refusals import Refusal
from export.serving.v2.datatypes import datatype_named
from export.serving.v2.inference import (
    MOST_TENSORS,
    Inference,
    SentTensor,
    check_count,
    infer,
    signature_of,
    tensors_metadata,
)

TEXT = np.array([b"ab"], object)


@pytest.fixture
def servable(tiny_store):
    with tiny_store.use("tiny") as servable:
        yield servable


def sent(name="text", datatype="BYTES", shape=(1,), array=TEXT):
    return SentTensor(name, datatype_named(datatype, name), shape, lambda: array)


def test_a_signature_is_run_and_its_outputs_have_types(servable):
    call = Call("1", "REST")
    outputs = infer(servable, Inference("", "tokenize", [sent()], []), call, Limits())
    assert [(name, datatype.name, array.tolist()) for name, datatype, array in outputs] == [
        ("lengths", "INT32", [2]),
        ("token_ids", "INT32", [[97, 98]]),
    ]
    assert call.signature == "tokenize"


def test_wanted_outputs_come_in_their_order(servable):
    inference = Inference("", "tokenize", [sent()], ["token_ids", "lengths"])
    outputs = infer(servable, inference, Call("1", "REST"), Limits())
    assert [output.name for output in outputs] == ["token_ids", "lengths"]


@pytest.mark.parametrize(
    ("signature", "tensors", "outputs", "message"),
    [
        ("classify", [sent()], [], "`signature_name`: must be one of .*tokenize; got 'classify'."),
        ("tokenize", [sent(), sent()], [], "`inputs`: each tensor must come once; got 'text' twice."),
        ("tokenize", [], [], "input size does not match signature: 0!=1"),
        ("tokenize", [sent("other")], [], "Signature input alias: text"),
        ("tokenize", [sent(datatype="INT32")], [], "to be string but int32 is provided"),
        ("tokenize", [sent(shape=(1, 1))], [], r"`text`: must have shape \[\?\]; got \[1, 1\]"),
        ("tokenize", [sent(shape=())], [], r"`text`: must have shape \[\?\]; got \[\]"),
        ("tokenize", [sent(shape=(9,))], [], "batch: must have at most 4 rows"),
        ("tokenize", [sent()], ["ids"], "output tensor alias not found in signature: ids"),
        ("tokenize", [sent()], ["lengths", "lengths"], "duplicate output tensor alias: lengths"),
    ],
)
def test_what_does_not_fit_is_refused_before_a_tensor_is_read(servable, signature, tensors, outputs, message):
    unread = [tensor._replace(read=lambda: pytest.fail("it was read")) for tensor in tensors]
    with pytest.raises(Refusal, match=message):
        infer(servable, Inference("", signature, unread, outputs), Call("1", "REST"), Limits(rows=4))


def test_lists_that_no_signature_has_are_refused():
    check_count("inputs", MOST_TENSORS)
    with pytest.raises(Refusal, match=r"`inputs`: must have at most 1,000 entries; got 1,001\."):
        check_count("inputs", MOST_TENSORS + 1)


def test_metadata_have_types_and_shapes(servable):
    assert signature_of(servable, "") == "serving_default"
    found = servable.signature_defs["detokenize"].inputs
    assert list(tensors_metadata(found)) == [("lengths", "INT32", [-1]), ("token_ids", "INT32", [-1, -1])]
