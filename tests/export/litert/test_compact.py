"""A .tflite without the bytes that no runtime reads: smaller, and the same to a runtime."""

import flatbuffers
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from export.litert.compact import compact
from export.tensorflow_formats import schema

ROWS = np.arange(3000, dtype=np.float32).reshape(1000, 3)


@pytest.fixture(scope="module")
def model():
    """A loop, a branch, two constants and shapes that vary, as the converter writes them."""

    def function(places):
        doubled = tf.while_loop(lambda i, _: i < 3, lambda i, x: (i + 1, x * 2), (0, places))[1]
        rows = tf.gather(ROWS, tf.minimum(doubled, 999))
        return {"rows": tf.cond(tf.size(places) > 2, lambda: rows, lambda: rows + tf.gather(ROWS, places))}

    specs = [tf.TensorSpec([None], tf.int32, name="places")]
    module = tf.Module()
    module.function = tf.function(function, input_signature=specs, autograph=False)
    concrete = module.function.get_concrete_function()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], module)
    return converter.convert()


def parsed(model):
    return schema.ModelT.InitFromPackedBuf(model, 0)


def test_it_is_smaller_and_gives_the_same(model):
    small = compact(model)
    assert len(small) < len(model) - 500
    before, after = (Interpreter(model_content=content).get_signature_runner() for content in (model, small))
    for size in (1, 2, 3, 50):
        places = np.arange(size, dtype=np.int32) * 7 % 1000
        np.testing.assert_array_equal(before(places=places)["rows"], after(places=places)["rows"])


def test_doing_it_again_changes_nothing(model):
    small = compact(model)
    assert compact(small) == small


def test_inputs_and_outputs_keep_their_names_alone(model):
    for old, new in zip(parsed(model).subgraphs, parsed(compact(model)).subgraphs, strict=True):
        ends = {*old.inputs, *old.outputs}
        names = [tensor.name if place in ends else None for place, tensor in enumerate(old.tensors)]
        assert [tensor.name for tensor in new.tensors] == names


def test_operators_shapes_and_constants_stay(model):
    old, new = parsed(model), parsed(compact(model))
    for before, after in zip(old.subgraphs, new.subgraphs, strict=True):
        assert [list(op.inputs) for op in before.operators] == [list(op.inputs) for op in after.operators]
        for left, right in zip(before.tensors, after.tensors, strict=True):
            assert (left.type, np.array(left.shape).tolist()) == (right.type, np.array(right.shape).tolist())
            assert content(old, left) == content(new, right)
    assert [each.name for each in old.metadata] == [each.name for each in new.metadata]
    assert [content(old, each) for each in old.metadata] == [content(new, each) for each in new.metadata]


def content(model, owner):
    data = model.buffers[owner.buffer].data
    return b"" if data is None else bytes(data)


def test_constants_begin_at_multiples_of_16_bytes(model):
    small = compact(model)
    for data in (ROWS.tobytes(),):
        assert small.index(data) % 16 == 0


def test_a_quantization_that_says_something_stays(model):
    changed = parsed(model)
    tensor = changed.subgraphs[0].tensors[0]
    tensor.quantization = schema.QuantizationParametersT()
    tensor.quantization.scale, tensor.quantization.zeroPoint = [0.5], [3]
    builder = flatbuffers.Builder(len(model))
    builder.Finish(changed.Pack(builder), file_identifier=b"TFL3")
    kept = parsed(compact(bytes(builder.Output()))).subgraphs[0].tensors[0].quantization
    assert (list(kept.scale), list(kept.zeroPoint)) == ([0.5], [3])
