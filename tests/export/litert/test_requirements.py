"""What a .tflite says of the LiteRT that it needs."""

import pytest
import tensorflow as tf

from export.artifact import OpUse
from export.litert.requirements import MIN_RUNTIME, read_requirements
from export.litert.write import MODEL


def convert(function, folder, **settings):
    """A folder with the converted function of a float32 [2]."""
    function = tf.function(function, input_signature=[tf.TensorSpec([2], tf.float32)])
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function()])
    for name, value in settings.items():
        setattr(converter, name, value)
    (folder / MODEL).write_bytes(converter.convert())
    return folder


def test_each_op_has_its_version_and_count(tmp_path):
    needs = read_requirements(convert(lambda x: tf.math.ceil(tf.sin(tf.sin(x))), tmp_path))
    assert needs.ops == [OpUse("CEIL", 1, 1), OpUse("SIN", 1, 2)]
    assert needs.facts == {"schema_version": 3, MIN_RUNTIME: needs.facts[MIN_RUNTIME]}
    assert [int(part) >= 0 for part in str(needs.facts[MIN_RUNTIME]).split(".")] == [True] * 3
    assert needs.foreign == []


def test_an_op_that_is_not_litert_s_own_is_foreign(tmp_path):
    needs = read_requirements(convert(lambda x: {"y": tf.math.igamma(x, x)}, tmp_path, allow_custom_ops=True))
    assert needs.foreign == ["Igamma"]
    assert OpUse("Igamma", 1, 1) in needs.ops


def test_a_bundle_needs_nothing_beyond_builtin_ops(demo_device):
    needs = read_requirements(demo_device)
    assert needs.foreign == []
    assert {"GATHER_ND", "WHILE"} <= {op.name for op in needs.ops}
    assert all(op.version and op.version >= 1 for op in needs.ops)


def test_a_folder_without_a_model_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=MODEL):
        read_requirements(tmp_path)
