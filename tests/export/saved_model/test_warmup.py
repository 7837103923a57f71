"""Warmup requests: small, and one for each signature and batch size."""

import numpy as np
import pytest
import tensorflow as tf

from export.saved_model.signatures import signatures
from export.saved_model.warmup import WARMUP, read_warmup_requests, write_warmup_requests
from export.serving_configuration import allowed_batch_sizes
from export.signature import Input, Signature


def test_each_signature_has_a_request_of_each_batch_size(tmp_path):
    table = {
        "ids": Signature({"token_ids": Input(tf.int32, (None, None), "")}, (), dict, ""),
        "texts": Signature({"text": Input(tf.string, (None,), "")}, (), dict, ""),
    }
    write_warmup_requests(table, tmp_path)
    found = [
        (
            request.model_spec.signature_name,
            *((key, tf.make_ndarray(value).shape[0]) for key, value in request.inputs.items()),
        )
        for request in read_warmup_requests(tmp_path)
    ]
    assert found == [
        (name, (key, rows))
        for name, key in (("ids", "token_ids"), ("texts", "text"))
        for rows in allowed_batch_sizes()
    ]


def test_a_folder_without_requests_has_none(tmp_path):
    assert list(read_warmup_requests(tmp_path)) == []


@pytest.mark.parametrize(
    "name",
    ["generate_preprocess", "generate_preprocess_arrays", "preprocess", "generate_postprocess", "tokenize"],
)
def test_a_request_is_a_good_one(make_preprocessor, tmp_path, name):
    table = signatures(make_preprocessor(sequence_length=800).settings)
    write_warmup_requests({name: table[name]}, tmp_path)
    first = next(iter(read_warmup_requests(tmp_path)))
    inputs = {key: tf.constant(tf.make_ndarray(value)) for key, value in first.inputs.items()}
    outputs = table[name].function(inputs)
    assert not any(np.atleast_1d(outputs.get("status", tf.constant([b""]))))
    assert (tmp_path / WARMUP).stat().st_size < 100_000
