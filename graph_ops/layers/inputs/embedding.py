"""What is to be embedded -> the tensors of a signature, with a batch axis.

    texts    str | list | array | tensor             -> string [B]
    images   files (bytes) or pixels, one a text     -> string [B, 1], or uint8 [B, 1, H, W, 3] and
    `image_sizes` int32 [B, 1, 2]
    audio    files (bytes) or samples, one a text    -> string [B, 1], or float32 [B, 1, T] and
    `audio_lengths` int32 [B, 1]
    task     str | list | tensor                     -> `tasks` string [B]
    max_soft_tokens  int | list | array              -> int32 [B, 1]

Without texts, each is the placeholders of its media, joined by a space.
"""

from typing import Any

import tensorflow as tf

from graph_ops.config import RowConfig
from graph_ops.family import Family
from graph_ops.layers.inputs.batch import batch_inputs
from graph_ops.layers.inputs.forms import quoted
from graph_ops.layers.inputs.slots import is_single
from graph_ops.layers.inputs.texts import as_texts
from graph_ops.media.medium import Medium
from graph_ops.media.table import MEDIA
from graph_ops.media.video import VIDEO

TAKEN = tuple(medium for medium in MEDIA if medium is not VIDEO)
"""Media that a text may hold."""
KEYS = (
    "texts",
    *(medium.argument for medium in TAKEN),
    *(medium.budget for medium in TAKEN if medium.budget),
)


def embedding_inputs(
    x: Any, task: Any, *, row: RowConfig, family: Family
) -> tuple[dict[str, tf.Tensor], bool]:
    """Brings everything to tensors with a batch axis.

    Args:
        x: a dict with any of `texts` and the media, or texts alone.
        task: a name for all texts, or one for each; None for none.
        row: how many items of each medium a text may have.
        family: gives the placeholders.

    Returns:
        Tensors by name, and whether `x` had a batch axis.

    Raises:
        ValueError, TypeError: names the argument, the rule, what was given and how to correct it.
    """
    given = {key: value for key, value in (x if isinstance(x, dict) else {"texts": x}).items()}
    _check_known(given)
    given = {key: value for key, value in given.items() if value is not None}
    texts = given.pop("texts", None)
    texts = _default(given, family) if texts is None else as_texts(texts, "texts")
    inputs, batched = batch_inputs({"prompts": texts, **given}, row=row)
    inputs["texts"] = inputs.pop("prompts")
    if task is not None:
        inputs["tasks"] = _tasks(task, inputs["texts"])
    return inputs, batched


def _check_known(given: dict[str, Any]) -> None:
    if given.get("videos") is not None:
        raise ValueError(
            "`videos`: this preprocessor reads text, images and audio; sample a frame and pass it as "
            "`images`."
        )
    if unknown := [key for key in given if key not in (*KEYS, "videos")]:
        raise ValueError(
            f"`x`: keys must be among {list(KEYS)}; got {', '.join(map(quoted, unknown))}. Remove or rename "
            "them."
        )


def _default(given: dict[str, Any], family: Family) -> tf.Tensor:
    """Texts for media alone: string [] for bare items, [B] for several."""
    media = [medium for medium in TAKEN if medium.argument in given]
    text = " ".join(family.tokens_of(medium.name).placeholder for medium in media)
    if any(is_single(given[medium.argument], medium=medium) for medium in media):
        return tf.constant(text)
    numbers = {medium.argument: _number(given[medium.argument], medium) for medium in media}
    known = {number for number in numbers.values() if isinstance(number, int)}
    if len(known) > 1:
        raise ValueError(
            f"`{'`, `'.join(numbers)}`: without texts, there must be as many of each; got "
            f"{' and '.join(map(str, numbers.values()))}. Pass one of each for every text."
        )
    return tf.fill([next(iter(known), next(iter(numbers.values()), 1))], text)


def _number(items: Any, medium: Medium) -> int | tf.Tensor:
    """Of items in a list, or along the first axis."""
    if isinstance(items, list | tuple):
        return len(items)
    if isinstance(items, tf.RaggedTensor):
        return items.shape[0] or items.nrows(tf.int32)
    array = tf.convert_to_tensor(items)
    return array.shape[0] if array.shape[0] is not None else tf.shape(array)[0]


def _tasks(task: Any, texts: tf.Tensor) -> tf.Tensor:
    tasks = as_texts(task, "task")
    if tasks.shape.rank == 0:
        return tf.fill(tf.shape(texts), tasks)
    if not tasks.shape.is_compatible_with(texts.shape):
        raise ValueError(
            f"`task`: there must be one for all texts, or one for each; got {tasks.shape[0]} for "
            f"{texts.shape[0]}. Pass as many."
        )
    return tasks
