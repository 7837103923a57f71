"""Fields of a message are counted before it is parsed."""

import numpy as np
import pytest
import tensorflow as tf
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st
from tensorflow_serving.apis import predict_pb2

from export.serving.refusals import Refusal
from export.serving.v2.messages import MESSAGES
from export.serving.wire import check_fields

REQUEST = predict_pb2.PredictRequest.DESCRIPTOR
EMPTY_FILTER = b"\x1a\x00"
"""An empty string of `output_filter`."""


def test_a_request_of_a_million_numbers_has_few_fields():
    request = predict_pb2.PredictRequest()
    request.inputs["x"].CopyFrom(tf.make_tensor_proto(np.zeros(1_000_000, np.float32)))
    request.inputs["y"].float_val.extend([1.0] * 1000)
    raw = request.SerializeToString()
    check_fields(REQUEST, raw, most=20)
    with pytest.raises(Refusal, match=r"^message: must have at most 5 fields, .* Send less at once"):
        check_fields(REQUEST, raw, most=5)


def test_fields_inside_of_messages_are_counted():
    inner = MESSAGES["ModelInferRequest"]()
    tensor = inner.inputs.add()
    tensor.contents.bytes_contents.extend([b""] * 1000)
    raw = inner.SerializeToString()
    check_fields(inner.DESCRIPTOR, raw, most=1010)
    with pytest.raises(Refusal, match="at most 999 fields"):
        check_fields(inner.DESCRIPTOR, raw, most=999)


def test_many_empty_strings_are_refused_soon():
    check_fields(REQUEST, EMPTY_FILTER * 100_000)
    with pytest.raises(Refusal, match="at most 1,000,000 fields"):
        check_fields(REQUEST, EMPTY_FILTER * 15_000_000)


PIECES = st.lists(st.sampled_from([b"\x0a", b"\x12\x04", b"\x1a\x00", b"\x82\x01", b"\xff"])).map(b"".join)


@given(st.binary(max_size=200) | PIECES)
def test_what_is_no_message_is_left_to_the_parser(raw):
    check_fields(REQUEST, raw, most=len(raw))
    try:
        filters = len(predict_pb2.PredictRequest.FromString(raw).output_filter)
    except DecodeError:
        return
    if filters:
        with pytest.raises(Refusal):
            check_fields(REQUEST, raw, most=filters - 1)
