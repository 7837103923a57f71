"""The messages look on the wire as TensorFlow Serving's own."""

import pytest
from google.protobuf import any_pb2, wrappers_pb2
from tensorflow.core.framework import tensor_pb2, tensor_shape_pb2
from tensorflow.core.protobuf import meta_graph_pb2
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_pb2,
    model_service_pb2,
    predict_pb2,
    prediction_service_pb2,
)

from gemma4_client.messages import FIELDS, MESSAGES, SERVICES

MODULES = [tensor_pb2, tensor_shape_pb2, meta_graph_pb2, get_model_metadata_pb2, get_model_status_pb2]
MODULES += [model_pb2, predict_pb2, any_pb2, wrappers_pb2]


def theirs(name):
    if name == "Dim":
        return tensor_shape_pb2.TensorShapeProto.Dim.DESCRIPTOR
    if name == "StatusProto":
        return get_model_status_pb2.ModelVersionStatus.DESCRIPTOR.fields_by_name["status"].message_type
    return next(getattr(module, name).DESCRIPTOR for module in MODULES if hasattr(module, name))


def wire_type(field):
    """2 with a length in front, as packed numbers have, 0 for a number alone."""
    lengths = (field.TYPE_STRING, field.TYPE_BYTES, field.TYPE_MESSAGE)
    return 2 if field.type in lengths or field.is_repeated else 0


@pytest.mark.parametrize("name", FIELDS)
def test_fields_have_the_numbers_and_wire_types_of_the_published_ones(name):
    published = theirs(name).fields_by_name
    for field in MESSAGES[name].DESCRIPTOR.fields:
        other = published[field.name]
        assert (field.number, wire_type(field)) == (other.number, wire_type(other)), field.name


def test_the_services_are_those_of_tensorflow_serving():
    known = {
        method.name: service.full_name
        for module in (prediction_service_pb2, model_service_pb2)
        for service in module.DESCRIPTOR.services_by_name.values()
        for method in service.methods
    }
    assert {name: known[name] for name in SERVICES} == SERVICES


def test_a_request_is_read_by_theirs():
    ours = MESSAGES["PredictRequest"](output_filter=["a"])
    ours.model_spec.name, ours.model_spec.version.value = "gemma4", 7
    ours.inputs["x"].tensor_shape.dim.add(size=3)
    theirs = predict_pb2.PredictRequest.FromString(ours.SerializeToString())
    assert (theirs.model_spec.name, theirs.model_spec.version.value) == ("gemma4", 7)
    assert [dim.size for dim in theirs.inputs["x"].tensor_shape.dim] == [3]
    assert list(theirs.output_filter) == ["a"]
