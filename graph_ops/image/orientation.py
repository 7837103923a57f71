"""Pictures as they are to be seen: turned and mirrored as their orientation says, equal to Pillow's
`ImageOps.exif_transpose`.
"""

import tensorflow as tf

from graph_ops.image.exif import UPRIGHT


def turned(pixels: tf.Tensor, orientation: tf.Tensor) -> tf.Tensor:
    """The picture upright.

    Args:
        pixels: uint8 [H, W, 3], as they lie in the file.
        orientation: int32 [], 1 to 8.

    Returns:
        uint8 [H, W, 3], or [W, H, 3] for the orientations 5 to 8.
    """
    is_mirrored, axes = tf.gather(_MIRRORED, orientation), tf.gather(_AXES, orientation)
    return tf.cond(
        orientation == UPRIGHT,
        lambda: pixels,
        lambda: tf.transpose(tf.reverse(pixels, tf.boolean_mask([0, 1], is_mirrored)), axes),
    )


_MIRRORED = (
    (False, False),  # there is no orientation 0
    (False, False),
    (False, True),
    (True, True),
    (True, False),
    (False, False),
    (True, False),
    (True, True),
    (False, True),
)
"""By orientation, whether the rows and the columns of the file run backwards. Source: TIFF 6.0, tag
Orientation.
"""
_AXES = ((0, 1, 2),) * 5 + ((1, 0, 2),) * 4
"""By orientation, the axes of the file in the order of the upright picture's. Source: the same."""
