"""Signatures are read as servers describe them."""

import tensorflow as tf
from tensorflow.core.protobuf import meta_graph_pb2
from tensorflow_serving.apis import get_model_metadata_pb2

from gemma4_client import Signature, Spec
from gemma4_client.messages import MESSAGES
from gemma4_client.signatures import SIGNATURE_DEF, read_signatures


def test_dtypes_and_dims_are_read():
    table = get_model_metadata_pb2.SignatureDefMap()
    info = meta_graph_pb2.TensorInfo(dtype=tf.float32.as_datatype_enum)
    info.tensor_shape.CopyFrom(tf.TensorShape([None, 3]).as_proto())
    table.signature_def["s"].inputs["x"].CopyFrom(info)
    table.signature_def["s"].outputs["any"].tensor_shape.unknown_rank = True
    response = get_model_metadata_pb2.GetModelMetadataResponse()
    response.metadata[SIGNATURE_DEF].Pack(table)
    ours = MESSAGES["GetModelMetadataResponse"].FromString(response.SerializeToString())
    assert read_signatures(ours) == {
        "s": Signature({"x": Spec("float32", (None, 3))}, {"any": Spec("dtype 0", None)})
    }


def test_a_spec_reads_itself():
    assert str(Spec("int32", (None, 2))) == "int32 [?, 2]"
    assert str(Spec("string", None)) == "string of any rank"


def test_those_of_a_server(client):
    signatures = client.signatures()
    assert signatures["serving_default"] == signatures["generate_preprocess"]
    assert signatures["tokenize"] == Signature(
        {"text": Spec("string", (None,))},
        {"lengths": Spec("int32", (None,)), "token_ids": Spec("int32", (None, None))},
    )
