"""Each format says what it has besides opaque pixels."""

import numpy as np
import pytest
import tensorflow as tf

from graph_ops.image.decode import FORMATS
from graph_ops.image.formats import bmp, gif, jpeg, png, webp
from graph_ops.image.formats.layered import LAYERED
from tests.graph_ops.image.formats.against_pillow import drawing, saved


def test_every_format_that_is_decoded_is_in_the_table():
    assert set(LAYERED) == set(FORMATS)
    assert [kind for kind in FORMATS if LAYERED[kind].metadata] == [jpeg, png, webp]
    assert [kind for kind in FORMATS if LAYERED[kind].over] == [png, gif, bmp, webp]
    assert [kind for kind in FORMATS if LAYERED[kind].repaired] == [png]


@pytest.mark.parametrize(("kind", "name"), [(png, "PNG"), (gif, "GIF"), (bmp, "BMP"), (webp, "WEBP")])
def test_an_opaque_file_is_the_same_over_any_colour(kind, name):
    file = tf.constant(saved(drawing(9, 8).convert("RGB"), name))
    over, contents = LAYERED[kind].over, LAYERED[kind].contents(file)
    assert over
    np.testing.assert_array_equal(over(file, contents, background=(9, 8, 7)), kind.pixels(file))
