"""Every tensor that a preprocessor emits: name, dtype, dims, what padding holds, meaning. Signatures, tests
and documentation read this table.
"""

from typing import NamedTuple

import tensorflow as tf


class Feature(NamedTuple):
    """One named tensor.

    Attributes:
        name: key in the feature dict and in signatures.
        dtype: of the tensor.
        dims: letters of `DIMS` (or a number), batch first.
        group: "text", "labels", or that of a medium.
        padding: what stands where there is nothing.
        meaning: for readers.
    """

    name: str
    dtype: tf.DType
    dims: tuple[str | int, ...]
    group: str
    padding: str
    meaning: str


DIMS = {
    "B": "rows in the batch",
    "S": "`sequence_length`",
    "I": "image slots in a row, `max_images_per_prompt`",
    "P": "patches of an image, `max_soft_tokens` × `pooling_kernel_size`²",
    "D": "numbers in a patch, 3 × `patch_size`²",
    "V": "I × `num_vision_tokens_per_image`",
    "A": "clip slots in a row, `max_audio_clips_per_prompt`",
    "F": "frames of the longest clip, `max_audio_length` × `sampling_rate` / `stride`",
    "M": "numbers in a frame: mel bins, `num_mels`, or samples, `stride`",
    "N": "A × soft tokens of the longest clip, F / `frames_per_soft_token`",
    "R": "frame slots in a row, `max_videos_per_prompt` × `num_frames`",
    "Q": "patches of a frame, `max_soft_tokens` × `pooling_kernel_size`² of the video converter",
    "E": "numbers in a frame's patch, 3 × `patch_size`²",
    "U": "R × `max_soft_tokens` of the video converter",
}

FEATURES = (
    Feature("token_ids", tf.int32, ("B", "S"), "text", "id of `<pad>`", "the packed row"),
    Feature("padding_mask", tf.bool, ("B", "S"), "text", "False", "True on tokens"),
    Feature("position_ids", tf.int32, ("B", "S"), "text", "counts on", "0, 1, 2, …"),
    Feature(
        "pixel_values",
        tf.float32,
        ("B", "I", "P", "D"),
        "vision",
        "0",
        "patches in (row, column, channel) order, scaled",
    ),
    Feature("pixel_position_ids", tf.int32, ("B", "I", "P", 2), "vision", "-1", "(x, y) of each patch"),
    Feature(
        "vision_indices",
        tf.int32,
        ("B", "V"),
        "vision",
        "0",
        "positions of each image's soft tokens, a block an image",
    ),
    Feature("vision_mask", tf.bool, ("B", "S"), "vision", "False", "True on image soft tokens"),
    Feature(
        "audio_mel",
        tf.float32,
        ("B", "A", "F", "M"),
        "audio",
        "0, or log(mel floor) for parity keras_hub",
        "log-mel spectrogram, or frames of samples",
    ),
    Feature("audio_mel_mask", tf.int32, ("B", "A", "F"), "audio", "0", "1 on valid frames"),
    Feature(
        "audio_indices",
        tf.int32,
        ("B", "N"),
        "audio",
        "0",
        "positions of each clip's soft tokens, a block a clip",
    ),
    Feature("audio_mask", tf.bool, ("B", "S"), "audio", "False", "True on audio soft tokens"),
    Feature(
        "pixel_values_videos",
        tf.float32,
        ("B", "R", "Q", "E"),
        "video",
        "0",
        "patches of the frames, as `pixel_values`",
    ),
    Feature("video_position_ids", tf.int32, ("B", "R", "Q", 2), "video", "-1", "(x, y) of each patch"),
    Feature(
        "video_indices",
        tf.int32,
        ("B", "U"),
        "video",
        "0",
        "positions of the frames' soft tokens, for parity keras_hub without gaps, else a block a frame",
    ),
    Feature("video_mask", tf.bool, ("B", "S"), "video", "False", "True on soft tokens of frames"),
    Feature("y", tf.int32, ("B", "S"), "labels", "id of `<pad>`", "each token's successor"),
    Feature(
        "sample_weight",
        tf.bool,
        ("B", "S"),
        "labels",
        "False",
        "True where the successor belongs to the response",
    ),
)

BY_NAME = {feature.name: feature for feature in FEATURES}


def feature_names(*groups: str) -> list[str]:
    """Names of the features of the given groups, in the table's order."""
    return [feature.name for feature in FEATURES if feature.group in groups]


def static_shape(feature: Feature, sizes: dict[str, int | None]) -> list[int | None]:
    """The shape of a feature in a signature, with the sizes of `Settings.dim_sizes`."""
    return [sizes[dim] if isinstance(dim, str) else dim for dim in feature.dims]
