"""Which frames a server's export takes of a video, from how many tokens its `count_tokens` says that some
take.

A server's metadata do not have an export's settings, and a client reads only those frames of a long video
that the export would take.
"""

import itertools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from export.outputs import Arrays
from graph_ops.config import VideoConfig
from graph_ops.image.planned_size import image_soft_tokens
from graph_ops.media.arrays import unknown_options
from graph_ops.media.table import MEDIA
from graph_ops.media.video import VIDEO

_COUNT = "count_tokens"
_SIZES = ((480, 480), (480, 640), (360, 640), (240, 640), (160, 640))
"""Heights and widths of frames, most of which take another number of soft tokens than the others."""


def video_settings(
    signatures: Mapping[str, Any], signature: str, predict: Callable[[str, Arrays], Arrays]
) -> dict[str, Any]:
    """Settings with which `decodable` reads the frames that an export takes.

    Args:
        signatures: the server's, by name.
        signature: that the videos are for.
        predict: runs another one.

    Raises:
        ValueError: the server does not tell.
    """
    counting = signatures.get(_COUNT)
    values = signatures[signature].outputs.get(VIDEO.values)
    if counting is None or VIDEO.sizes not in counting.inputs or values is None:
        raise _unknown(signature)
    _, most, patches, _ = (dim.size for dim in values.tensor_shape.dim)
    one, other = _two_sizes(patches)
    outputs = predict(_COUNT, _requests(counting, [(1, *one), (1, *other), (most, *one), (most, *other)]))
    counts = outputs["num_tokens"].astype(int)
    difference = int(np.diff(_soft_tokens((one, other), patches))[0])
    (of_one, rest_of_one), (of_most, rest) = (divmod(int(b - a), difference) for a, b in counts.reshape(2, 2))
    if rest_of_one or rest or of_most < 1 or most % of_most or of_one not in (1, of_most):
        raise _unknown(signature)
    parity = "transformers" if of_one < of_most else "keras_hub"
    return {VIDEO.converter: {"config": {"num_frames": of_most}}, "parity": parity}


def _unknown(signature: str) -> ValueError:
    return ValueError(
        f"`videos`: the server must tell which frames of a file {signature} takes, by a signature "
        f"{_COUNT} of an export with videos; it does not. Pass a folder of frames."
    )


def _soft_tokens(sizes: Any, patches: int) -> np.ndarray:
    config = VideoConfig(max_soft_tokens=patches // VideoConfig.pooling_kernel_size**2)
    return image_soft_tokens(tf.constant(sizes), config=config)[0].numpy()


def _two_sizes(patches: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """The first two sizes with numbers of soft tokens that differ; the last if none do."""
    counts = dict(zip(_SIZES, _soft_tokens(_SIZES, patches).tolist(), strict=True))
    pairs = itertools.combinations(_SIZES, 2)
    return next((pair for pair in pairs if counts[pair[0]] < counts[pair[1]]), (_SIZES[0], _SIZES[-1]))


def _requests(counting: Any, sizes: list[tuple[int, int, int]]) -> Arrays:
    """Rows of a video of each of the sizes (frames, height, width), and of nothing else."""
    rows = len(sizes)
    placeholder = f"<|{VIDEO.name}|>".encode()
    given = {"prompts": np.array([placeholder] * rows, object)}
    for medium in MEDIA:
        axes = (medium.varying,) if medium.varying > 1 else ()
        given[medium.sizes] = np.zeros((rows, 1, *axes), np.int32)
        given |= unknown_options(medium, rows=rows, slots=1)
        if medium.budget:
            given[medium.budget] = np.zeros((rows, 1), np.int32)
    given[VIDEO.sizes][:, 0] = sizes
    return {name: given[name] for name in counting.inputs}
