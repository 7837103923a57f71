"""The inputs of a whole call, with a batch axis."""

from collections.abc import Iterable
from typing import Any

import tensorflow as tf

from graph_ops.layers.inputs.kinds import CLIP, IMAGE, quoted
from graph_ops.layers.inputs.slots import as_slots
from graph_ops.layers.inputs.texts import as_responses, as_texts

TEXT_KEYS = ("prompts", "responses")
MEDIA_KEYS = (
    "images",
    "image_sizes",
    "audio",
    "audio_lengths",
    "pixel_values",
    "pixel_position_ids",
    "audio_mel",
    "audio_mel_mask",
)

_FEATURE_RANKS = {"pixel_values": 4, "pixel_position_ids": 4, "audio_mel": 4, "audio_mel_mask": 3}
_FEATURE_PAIRS = (("pixel_values", "pixel_position_ids"), ("audio_mel", "audio_mel_mask"))


def batch_inputs(x: Any, *, max_images: int, max_clips: int) -> tuple[dict[str, tf.Tensor], bool]:
    """Brings everything to tensors with a batch axis.

    Args:
        x: a dict with `prompts` and what the package's docstring lists, or prompts alone.
        max_images: image slots of a row with ragged lists.
        max_clips: clip slots of such a row.

    Returns:
        Tensors by name, and whether `x` had a batch axis.

    Raises:
        ValueError, TypeError: names the argument, the rule, what was given and how to correct it.
    """
    x = x if isinstance(x, dict) else {"prompts": x}
    given = {key: value for key, value in x.items() if value is not None}
    _check_keys(given)
    prompts = as_texts(given["prompts"], "prompts")
    batched = prompts.shape.rank == 1
    inputs = {"prompts": prompts if batched else prompts[tf.newaxis]}
    if "responses" in given:
        responses = as_responses(given["responses"], prompts)
        inputs["responses"] = responses if batched else responses[tf.newaxis]
    rows = (prompts.shape[0] or 0) if batched else None
    for kind, slots in ((IMAGE, max_images), (CLIP, max_clips)):
        if kind.argument in given:
            value, sizes = given[kind.argument], given.get(kind.sizes)
            inputs |= as_slots(kind, value, sizes, rows=rows, max_slots=slots)
    inputs |= {key: _feature(key, given[key], batched) for key in _FEATURE_RANKS if key in given}
    for key, value in inputs.items():
        _check_batch(key, value, inputs["prompts"])
    return inputs, batched


def _check_keys(given: dict[str, Any]) -> None:
    if "videos" in given:
        raise ValueError(
            "`videos`: this preprocessor reads text, images and audio; sample the frames and pass them as "
            "`images`."
        )
    known = [*TEXT_KEYS, *MEDIA_KEYS]
    if unknown := [key for key in given if key not in known]:
        raise ValueError(f"`x`: keys must be among {known}; got {_listed(unknown)}. Remove or rename them.")
    if "prompts" not in given:
        raise ValueError(f"`x`: a dict must hold `prompts`; got {_listed(given)}. Add the prompts.")
    for pair in _FEATURE_PAIRS:
        if len(given.keys() & set(pair)) == 1:
            raise ValueError(
                f"`{pair[0]}`, `{pair[1]}`: precomputed media need both; got one. Pass both of the "
                f"converter's outputs."
            )
    for raw, computed in (("images", "pixel_values"), ("audio", "audio_mel")):
        if raw in given and computed in given:
            raise ValueError(
                f"`{raw}`, `{computed}`: a medium must be given once; got both. Pass the raw or the "
                f"precomputed one."
            )


def _feature(key: str, value: Any, batched: bool) -> tf.Tensor:
    dtype = tf.float32 if key in ("pixel_values", "audio_mel") else tf.int32
    feature = tf.cast(tf.convert_to_tensor(value), dtype)
    rank = _FEATURE_RANKS[key]
    if feature.shape.rank != rank - (not batched):
        raise ValueError(
            f"`{key}`: must have rank {rank} in a batch and {rank - 1} for one prompt; got shape "
            f"{feature.shape}. Reshape it."
        )
    return feature if batched else feature[tf.newaxis]


def _check_batch(key: str, value: tf.Tensor, prompts: tf.Tensor) -> None:
    if not value.shape[:1].is_compatible_with(prompts.shape[:1]):
        raise ValueError(
            f"`{key}`: must have one entry for each prompt; got {value.shape[0]} for {prompts.shape[0]}. "
            f"Pass as many as prompts."
        )


def _listed(keys: Iterable[Any]) -> str:
    return f"[{', '.join(sorted(quoted(key) for key in list(keys)[:10]))}]"
