"""Types of the protocol and of TensorFlow."""

import pytest
import tensorflow as tf

from export.serving.refusals import Refusal
from export.serving.v2.datatypes import DATATYPES, datatype_named, datatype_of


@pytest.mark.parametrize("datatype", DATATYPES, ids=lambda datatype: datatype.name)
def test_a_type_is_found_by_its_name_and_number_and_is_as_wide_as_tensorflows(datatype):
    assert datatype_named(datatype.name, "x") is datatype
    assert datatype_of(datatype.number) is datatype
    theirs = tf.as_dtype(datatype.number)
    if datatype.name != "BYTES":
        assert datatype.dtype == theirs.as_numpy_dtype


@pytest.mark.parametrize("name", ["", "float32", "bytes", None, 7, ["FP32"]])
def test_another_name_is_refused(name):
    with pytest.raises(Refusal, match=r"`x`: datatype must be one of BOOL, UINT8, .*, BYTES; got"):
        datatype_named(name, "x")
