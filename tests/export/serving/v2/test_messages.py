"""The messages are those of the published schema."""

import pytest
from google.protobuf import descriptor_pool

from export.serving.v2.messages import FIELDS, MESSAGES, METHODS, SERVICE


def test_a_request_has_the_bytes_of_the_schema():
    """Field by field: number and wire type, length, content."""
    request = MESSAGES["ModelInferRequest"](model_name="m", model_version="1", id="7")
    request.parameters["p"].string_param = "v"
    tensor = request.inputs.add(name="x", datatype="INT32", shape=[2])
    tensor.contents.int_contents.extend([1, 2])
    request.outputs.add(name="y")
    request.raw_input_contents.append(b"r")
    parts = (
        b"\x0a\x01m",
        b"\x12\x011",
        b"\x1a\x017",
        b"\x22\x08\x0a\x01p\x12\x03\x1a\x01v",
        b"\x2a\x13\x0a\x01x\x12\x05INT32\x1a\x01\x02\x2a\x04\x12\x02\x01\x02",
        b"\x32\x03\x0a\x01y",
        b"\x3a\x01r",
    )
    assert request.SerializeToString() == b"".join(parts)


@pytest.mark.parametrize(
    ("name", "wire", "field", "value"),
    [
        ("ModelInferResponse", b"\x32\x01r", "raw_output_contents", [b"r"]),
        ("ModelMetadataResponse", b"\x12\x011\x12\x012", "versions", ["1", "2"]),
        ("ServerMetadataResponse", b"\x1a\x01e", "extensions", ["e"]),
        ("InferTensorContents", b"\x32\x04\0\0\x80?", "fp32_contents", [1.0]),
        ("InferTensorContents", b"\x42\x01b", "bytes_contents", [b"b"]),
    ],
)
def test_an_answer_is_read_by_the_schema(name, wire, field, value):
    assert list(getattr(MESSAGES[name].FromString(wire), field)) == value


@pytest.mark.parametrize(
    ("name", "value"), [("ServerLive", "live"), ("ServerReady", "ready"), ("ModelReady", "ready")]
)
def test_states_are_the_first_field(name, value):
    _, response = METHODS[name]
    assert getattr(response.FromString(b"\x08\x01"), value) is True


def test_a_parameter_is_one_of_several_types():
    parameter = MESSAGES["InferParameter"](int64_param=3)
    parameter.bool_param = False
    assert parameter.WhichOneof("parameter_choice") == "bool_param"


def test_every_message_is_made_and_disturbs_no_other_copy_of_the_schema():
    assert MESSAGES.keys() == FIELDS.keys()
    assert SERVICE == "inference.GRPCInferenceService"
    with pytest.raises(KeyError):
        descriptor_pool.Default().FindMessageTypeByName("inference.ModelInferRequest")
