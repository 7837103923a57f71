"""Pictures as they are to be seen: turned and mirrored as their orientation says, equal to Pillow's
`ImageOps.exif_transpose`.
"""

import tensorflow as tf

from graph_ops.image.exif import ORIENTATIONS, UPRIGHT


def turned(pixels: tf.Tensor, orientation: tf.Tensor) -> tf.Tensor:
    """The picture upright.

    Args:
        pixels: uint8 [H, W, 3], as they lie in the file.
        orientation: int32 [], 1 to 8.

    Returns:
        uint8 [H, W, 3], or [W, H, 3] for the orientations 5 to 8.
    """
    turns = [lambda each=each: _turned(pixels, each) for each in ORIENTATIONS]  # type: ignore[misc]
    return tf.cond(
        orientation == UPRIGHT,
        lambda: pixels,
        lambda: tf.switch_case(orientation - ORIENTATIONS.start, turns),
    )


def _turned(pixels: tf.Tensor, orientation: int) -> tf.Tensor:
    """The same for an orientation known while tracing. Source: TIFF 6.0, where row 0 and column 0 lie."""
    flipped = [axis for axis, mirrored in enumerate(_MIRRORED[orientation]) if mirrored]
    pixels = tf.reverse(pixels, flipped) if flipped else pixels
    return tf.transpose(pixels, [1, 0, 2]) if orientation in _TRANSPOSED else pixels


_MIRRORED = {
    1: (False, False),
    2: (False, True),
    3: (True, True),
    4: (True, False),
    5: (False, False),
    6: (True, False),
    7: (True, True),
    8: (False, True),
}
"""Orientation -> whether rows and columns of the file run backwards. Source: TIFF 6.0, tag Orientation."""
_TRANSPOSED = (5, 6, 7, 8)
"""Orientations whose rows in the file are columns. Source: the same."""
