"""TF Serving's gRPC services, called without a network."""

import grpc
import pytest
import tensorflow as tf
from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2, predict_pb2

from export.serving.grpc_service import (
    ModelService,
    PredictionService,
    model_metadata,
    model_status,
    selection,
)
from export.serving.metrics import Metrics
from export.serving.observing import Observer
from export.serving.prediction import Limits
from export.serving.refusals import Refusal
from export.serving.store import Choice, ModelStore
from tests.export.serving.rig import predict_request
from tests.export.tiny import TABLE

STATES = get_model_status_pb2.ModelVersionStatus


class AbortedError(Exception):
    """What gRPC raises to leave a method."""


class Context:
    """A client that waits for an answer, or has given up."""

    def __init__(self, is_waiting=True):
        self.is_active = lambda: is_waiting
        self.trailing = ()

    def invocation_metadata(self):
        return (("x-request-id", "from-the-client"),)

    def set_trailing_metadata(self, pairs):
        self.trailing = pairs

    def abort(self, code, details):
        raise AbortedError(code, details)


def metadata_request(*fields, name="tiny", **version):
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=fields)
    request.model_spec.name = name
    if version:
        request.model_spec.version.value = version["version"]
    return request


def status_request(name="tiny", **choice):
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = name
    if "version" in choice:
        request.model_spec.version.value = choice["version"]
    if "label" in choice:
        request.model_spec.version_label = choice["label"]
    return request


def test_a_request_selects_a_version_or_a_label_or_neither():
    assert selection(status_request()) == {"name": "tiny", "version": None, "label": None}
    assert selection(status_request(version=0)) == {"name": "tiny", "version": 0, "label": None}
    assert selection(status_request(label="")) == {"name": "tiny", "version": None, "label": ""}
    with pytest.raises(Refusal, match="Missing ModelSpec"):
        selection(predict_pb2.PredictRequest())


def test_metadata_are_the_signatures(tiny_store):
    response = model_metadata(tiny_store, metadata_request("signature_def"))
    assert (response.model_spec.name, response.model_spec.version.value) == ("tiny", 1)
    table = get_model_metadata_pb2.SignatureDefMap()
    response.metadata["signature_def"].Unpack(table)
    assert TABLE.keys() <= table.signature_def.keys()
    assert table.signature_def["detokenize"].inputs.keys() == TABLE["detokenize"].inputs.keys()


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (metadata_request(), "must specify at least one metadata_field"),
        (metadata_request("signature_def", "x"), "Metadata field x is not supported"),
        (metadata_request("signature_def", name="x"), r"Servable not found for request: Latest\(x\)"),
        (metadata_request("signature_def", version=2), r"not found for request: Specific\(tiny, 2\)"),
    ],
)
def test_metadata_of_something_else_are_refused(tiny_store, request_, message):
    with pytest.raises(Refusal, match=message):
        model_metadata(tiny_store, request_)


def test_status_is_that_of_each_version_with_its_error(tmp_path):
    def load(version, path):
        raise OSError("broken")

    (tmp_path / "3").mkdir()
    store = ModelStore("tiny", tmp_path, load, Choice(), lambda _: None)
    store.refresh()
    (status,) = model_status(store, status_request(version=3)).model_version_status
    assert (status.version, status.state) == (3, STATES.END)
    assert (status.status.error_code, status.status.error_message) == (13, f"{tmp_path}/3: broken")
    with pytest.raises(Refusal, match="Could not find version 4 of model tiny"):
        model_status(store, status_request(version=4))


def test_status_of_a_good_version_has_no_error(tiny_store):
    for request in (status_request(), status_request(version=1), status_request(label="anything")):
        (status,) = model_status(tiny_store, request).model_version_status
        assert (status.version, status.state) == (1, STATES.AVAILABLE)
        assert status.HasField("status")
        assert (status.status.error_code, status.status.error_message) == (0, "")


@pytest.fixture
def services(tiny_store):
    observer = Observer(Metrics(), tiny_store.name)
    return PredictionService(tiny_store, Limits(rows=2), observer), ModelService(tiny_store, observer)


def test_a_service_answers(services):
    prediction, model = services
    for choice in ({}, {"version": 1}, {"label": "stable"}):
        request = predict_request("tokenize", {"text": ["ab"]}, name="tiny", **choice)
        response = prediction.Predict(request, Context())
        assert tf.make_ndarray(response.outputs["token_ids"]).tolist() == [[97, 98]]
    assert prediction.GetModelMetadata(metadata_request("signature_def"), Context()).metadata
    assert model.GetModelStatus(status_request(), Context()).model_version_status


def test_a_service_refuses_with_the_code_of_the_refusal(services):
    prediction, model = services
    for ask, code, message in (
        (
            lambda: prediction.Predict(
                predict_request("tokenize", {"text": ["a"] * 3}, name="tiny"), Context()
            ),
            grpc.StatusCode.INVALID_ARGUMENT,
            "batch: must have at most 2 rows",
        ),
        (
            lambda: model.GetModelStatus(status_request("x"), Context()),
            grpc.StatusCode.NOT_FOUND,
            "Could not find any versions of model x",
        ),
    ):
        with pytest.raises(AbortedError, match=message) as aborted:
            ask()
        assert aborted.value.args[0] is code


def test_nothing_is_computed_for_a_client_that_has_gone(services):
    prediction, _ = services
    unreadable = predict_request("fly", {}, name="nobody")
    with pytest.raises(AbortedError) as aborted:
        prediction.Predict(unreadable, Context(is_waiting=False))
    assert aborted.value.args == (grpc.StatusCode.CANCELLED, "the client has gone")
