"""What a Python caller passes -> the tensors of a signature, with a batch axis: the only place that knows of
lists, arrays and ranks.

    prompts  str | list | array | tensor     -> string [B]
    images   files (bytes) or pixels         -> string [B, I], or uint8 [B, I, H, W, 3] and `image_sizes`
    int32 [B, I, 2]
    audio    files (bytes) or samples        -> string [B, A], or float32 [B, A, T] and `audio_lengths` int32
    [B, A]

Lists may hold media of different sizes, one or several a row, or none (`[]` or None). Rows that hold equally
many of one size keep that number of slots; otherwise a row gets as many slots as the preprocessor allows, as
in KerasHub.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

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


class Kind(NamedTuple):
    """How one medium looks: argument, key of its sizes, rank of one item, dtype of an item, and what an item
    is called.
    """

    argument: str
    sizes: str
    rank: int
    dtype: tf.DType
    item: str


IMAGE = Kind("images", "image_sizes", 3, tf.uint8, "an image is uint8 [H, W, 3] or the bytes of a file")
CLIP = Kind(
    "audio", "audio_lengths", 1, tf.float32, "a clip is float32 [T] in -1…1 or the bytes of a WAV file"
)


def batch_inputs(x: Any, *, max_images: int, max_clips: int) -> tuple[dict[str, tf.Tensor], bool]:
    """Brings everything to tensors with a batch axis.

    Args:
        x: a dict with `prompts` and what the module's docstring lists, or prompts alone.
        max_images: image slots of a row whose lists are ragged.
        max_clips: clip slots of such a row.

    Returns:
        Tensors by name, and whether `x` had a batch axis.

    Raises:
        ValueError, TypeError: names the argument, the rule, what was given and how to mend it.
    """
    x = x if isinstance(x, dict) else {"prompts": x}
    given = {key: value for key, value in x.items() if value is not None}
    _check_keys(given)
    prompts = _texts(given["prompts"], "prompts")
    batched = prompts.shape.rank == 1
    inputs = {"prompts": prompts if batched else prompts[tf.newaxis]}
    if "responses" in given:
        inputs["responses"] = _responses(given["responses"], prompts, batched)
    for kind, slots in ((IMAGE, max_images), (CLIP, max_clips)):
        if kind.argument in given:
            inputs |= _media(kind, given[kind.argument], given.get(kind.sizes), batched, slots)
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
    if unknown := given.keys() - {*TEXT_KEYS, *MEDIA_KEYS}:
        raise ValueError(
            f"`x`: keys must be among {[*TEXT_KEYS, *MEDIA_KEYS]}; got {sorted(unknown)}. Remove or rename "
            f"them."
        )
    if "prompts" not in given:
        raise ValueError(f"`x`: a dict must hold `prompts`; got {sorted(given)}. Add the prompts.")
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


def _texts(value: Any, name: str) -> tf.Tensor:
    try:
        texts = tf.convert_to_tensor(value, tf.string)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"`{name}`: must be a string or a list of strings; got {_describe(value)}. Convert it to strings."
        ) from error
    if texts.shape.rank not in (0, 1):
        raise ValueError(
            f"`{name}`: must have rank 0 or 1; got rank {texts.shape.rank}. Flatten it to one text a row."
        )
    return texts


def _responses(value: Any, prompts: tf.Tensor, batched: bool) -> tf.Tensor:
    responses = _texts(value, "responses")
    if responses.shape.rank != prompts.shape.rank or (
        batched and not responses.shape.is_compatible_with(prompts.shape)
    ):
        raise ValueError(
            f"`responses`: there must be one for each prompt; got {_count(responses)} for "
            f"{_count(prompts)}. Pass as many as prompts."
        )
    return responses if batched else responses[tf.newaxis]


def _media(kind: Kind, value: Any, sizes: Any, batched: bool, max_slots: int) -> dict[str, tf.Tensor]:
    if isinstance(value, tf.RaggedTensor):
        slots, sizes = _from_ragged(kind, value, batched, max_slots)
    elif isinstance(value, bytes | str) or hasattr(value, "dtype"):
        slots, sizes = _from_array(kind, tf.convert_to_tensor(value), sizes, batched)
    else:
        slots, sizes = _from_lists(kind, value, batched, max_slots)
    if sizes is None:
        return {kind.argument: tf.convert_to_tensor(slots, tf.string)}
    return {
        kind.argument: _as_dtype(kind, tf.convert_to_tensor(slots)),
        kind.sizes: tf.convert_to_tensor(sizes, tf.int32),
    }


def _from_array(
    kind: Kind, slots: tf.Tensor, sizes: Any, batched: bool
) -> tuple[tf.Tensor, tf.Tensor | None]:
    """One array or string tensor; without sizes, every item is as large as the array."""
    if slots.dtype == tf.string:
        return _with_axes(kind, slots, 0, batched), None
    slots = _with_axes(kind, slots, kind.rank, batched)
    if sizes is None:
        return slots, _full_sizes(kind, slots)
    return slots, _with_axes(kind, tf.cast(sizes, tf.int32), kind.rank // 2, batched)


def _full_sizes(kind: Kind, slots: tf.Tensor) -> tf.Tensor:
    """Sizes of slots that are all as large as their tensor: int32 [B, I, 2] or [B, A]."""
    shape = tf.shape(slots)
    return (
        tf.fill(shape[:2], shape[2])
        if kind is CLIP
        else tf.broadcast_to(shape[2:4], tf.concat([shape[:2], [2]], axis=0))
    )


def _with_axes(kind: Kind, slots: tf.Tensor, item_rank: int, batched: bool) -> tf.Tensor:
    """Adds the axes that are missing in front of an item: [B, K, item]. One axis means K slots unbatched, one
    a row batched.
    """
    extra = slots.shape.rank - item_rank
    if extra not in (0, 1, 2) or (extra == 2 and not batched):
        raise ValueError(
            f"`{kind.argument}`: must be items, after at most a slot axis and, for a batch of prompts, a "
            f"batch axis ({kind.item}); got "
            f"shape {slots.shape} for {'a batch of prompts' if batched else 'one prompt'}. Reshape it."
        )
    if extra == 0:
        slots = slots[tf.newaxis]
    return slots if extra == 2 else slots[:, tf.newaxis] if batched else slots[tf.newaxis]


def _as_dtype(kind: Kind, slots: tf.Tensor) -> tf.Tensor:
    """Pixels of any dtype whose values are whole and in 0…255; samples of any float dtype."""
    if slots.dtype == kind.dtype:
        return slots
    if kind is CLIP and slots.dtype.is_floating:
        return tf.cast(slots, tf.float32)
    if kind is CLIP:
        raise TypeError(
            f"`audio`: samples must be floats in -1…1; got {slots.dtype.name}. Divide by the largest "
            f"magnitude, for int16 "
            "`samples.astype('float32') / 32768`."
        )
    pixels = tf.cast(slots, tf.uint8)
    whole = tf.reduce_all(tf.equal(tf.cast(pixels, slots.dtype), slots))
    rule = (
        f"`images`: pixels must be whole numbers in 0…255; got {slots.dtype.name} with others. "
        "Scale to 0…255, round, pass uint8."
    )
    if tf.executing_eagerly():
        if not bool(whole):
            raise ValueError(rule)
        return pixels
    with tf.control_dependencies([tf.debugging.Assert(whole, [rule])]):
        return tf.identity(pixels)


def _from_ragged(
    kind: Kind, value: tf.RaggedTensor, batched: bool, max_slots: int
) -> tuple[tf.Tensor, tf.Tensor | None]:
    """Ragged slots to padded ones and their sizes; a ragged tensor without slot axis holds one item a row."""
    item_rank = 0 if value.dtype == tf.string else kind.rank
    value = value if batched else tf.expand_dims(value, 0)
    value = tf.expand_dims(value, 1) if value.shape.rank == item_rank + 1 else value
    slots = value.to_tensor(shape=[None, max_slots, *[None] * item_rank])
    if item_rank == 0:
        return slots, None
    lengths = _dense(value.row_lengths(axis=2), max_slots)
    if kind is CLIP:
        return slots, lengths
    widths = value.row_lengths(axis=3) if value.ragged_rank >= 3 else None
    widths = (
        lengths * 0 + tf.shape(slots)[3]
        if widths is None
        else _dense(tf.reduce_max(widths, axis=2), max_slots)
    )
    return slots, tf.stack([lengths, tf.where(lengths > 0, widths, 0)], axis=-1)


def _dense(lengths: tf.Tensor | tf.RaggedTensor, max_slots: int) -> tf.Tensor:
    """Sizes int32 [B, max_slots], 0 in the slots that a row lacks."""
    lengths = tf.cast(lengths, tf.int32)
    if isinstance(lengths, tf.RaggedTensor):
        return lengths.to_tensor(shape=[None, max_slots])
    return tf.pad(lengths, [[0, 0], [0, max_slots - tf.shape(lengths)[1]]])


def _from_lists(kind: Kind, value: Any, batched: bool, max_slots: int) -> tuple[Any, Any]:
    """Lists of items, or of lists of items, to padded slots and their sizes."""
    rows = [_items(kind, row) for row in value] if batched else [_items(kind, value)]
    items = [item for row in rows for item in row]
    uniform = len({len(row) for row in rows}) == 1 and len({np.shape(item) for item in items}) <= 1
    slots = len(rows[0]) if uniform and rows else max(max_slots, *(len(row) for row in rows), 0)
    if all(isinstance(item, bytes) for item in items):
        return np.array([row + [b""] * (slots - len(row)) for row in rows], dtype=object).reshape(
            len(rows), slots
        ), None
    if any(isinstance(item, bytes) for item in items):
        raise TypeError(
            f"`{kind.argument}`: files and arrays must not be mixed in one call; {kind.item}. Decode the "
            f"files or encode the arrays."
        )
    return _pad_items(kind, rows, slots)


def _items(kind: Kind, row: Any) -> list[Any]:
    """One row's media as a list of bytes or arrays of the item's rank."""
    if row is None:
        return []
    if isinstance(row, str):
        raise TypeError(
            f"`{kind.argument}`: a file must be given by its bytes; got the string {row[:40]!r}. Read the "
            f"file first."
        )
    if isinstance(row, bytes):
        return [row]
    if isinstance(row, Sequence) and (not row or not np.isscalar(row[0]) or isinstance(row[0], str | bytes)):
        return [item for entry in row for item in _items(kind, entry)]
    array = np.asarray(row)
    if array.ndim == kind.rank:
        return [array]
    if array.ndim == kind.rank + 1:
        return list(array)
    raise ValueError(f"`{kind.argument}`: {kind.item}; got an array of shape {array.shape}. Reshape it.")


def _pad_items(kind: Kind, rows: list[list[np.ndarray]], slots: int) -> tuple[np.ndarray, np.ndarray]:
    items = [item for row in rows for item in row]
    dtype = np.result_type(*items)
    sized = kind.rank - (kind is IMAGE)  # axes that vary: height and width, or time
    largest = np.max([item.shape[:sized] for item in items], axis=0)
    tail = items[0].shape[sized:]
    if kind is IMAGE and any(item.shape[2] != 3 for item in items):
        bad = next(item for item in items if item.shape[2] != 3)
        raise ValueError(
            f"`images`: an image must have 3 channels; got shape {bad.shape}. Convert it to RGB."
        )
    padded = np.zeros((len(rows), slots, *largest, *tail), dtype)
    sizes = np.zeros((len(rows), slots, sized), np.int32)
    for b, row in enumerate(rows):
        for k, item in enumerate(row):
            box: Any = (b, k, *(slice(size) for size in item.shape[:sized]))
            padded[box] = item
            sizes[b, k] = item.shape[:sized]
    return padded, sizes if kind is IMAGE else sizes[..., 0]


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


def _describe(value: Any) -> str:
    return (
        f"{type(value).__name__} of dtype {value.dtype}" if hasattr(value, "dtype") else type(value).__name__
    )


def _count(texts: tf.Tensor) -> str:
    return "one string" if texts.shape.rank == 0 else f"{texts.shape[0]} strings"
