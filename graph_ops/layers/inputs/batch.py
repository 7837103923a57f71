"""The inputs of a whole call, with a batch axis."""

from collections.abc import Iterable
from typing import Any

import tensorflow as tf

from graph_ops.config import RowConfig
from graph_ops.features import BY_NAME
from graph_ops.layers.inputs.budgets import as_budgets
from graph_ops.layers.inputs.chat import CHAT_KEYS, chat_inputs
from graph_ops.layers.inputs.forms import quoted
from graph_ops.layers.inputs.options import as_options
from graph_ops.layers.inputs.slots import as_slots
from graph_ops.layers.inputs.texts import as_responses, as_texts
from graph_ops.media.table import MEDIA

TEXT_KEYS = ("prompts", "responses")
_BUDGETS = tuple((medium, medium.budget) for medium in MEDIA if medium.budget)
_ITEM_KEYS = (
    *(
        key
        for medium in MEDIA
        for key in (medium.argument, medium.sizes, *(option.name for option in medium.options))
    ),
    *(key for _, key in _BUDGETS),
)
MEDIA_KEYS = (
    *_ITEM_KEYS,
    *(key for medium in MEDIA for key in (medium.values, medium.marks)),
)


def batch_inputs(x: Any, *, row: RowConfig) -> tuple[dict[str, tf.Tensor], bool]:
    """Brings everything to tensors with a batch axis.

    Args:
        x: a dict with `prompts` and what the package's docstring lists, or prompts alone.
        row: how many slots a row with ragged lists has.

    Returns:
        Tensors by name, and whether `x` had a batch axis.

    Raises:
        ValueError, TypeError: names the argument, the rule, what was given and how to correct it.
    """
    x = x if isinstance(x, dict) else {"prompts": x}
    given = {key: value for key, value in x.items() if value is not None}
    if "messages" in given:
        _check_known(given, [*CHAT_KEYS, *_ITEM_KEYS])
        inputs, batched = chat_inputs(given, row=row)
        inputs |= _budgets(given, inputs, batched)
        for key, value in inputs.items():
            _check_batch(key, value, inputs["roles"])
        return inputs, batched
    _check_keys(given)
    prompts = as_texts(given["prompts"], "prompts")
    batched = prompts.shape.rank == 1
    inputs = {"prompts": prompts if batched else prompts[tf.newaxis]}
    if "responses" in given:
        responses = as_responses(given["responses"], prompts)
        inputs["responses"] = responses if batched else responses[tf.newaxis]
    rows = (prompts.shape[0] or 0) if batched else None
    for medium in MEDIA:
        if medium.argument in given:
            value, sizes = given[medium.argument], given.get(medium.sizes)
            slots = medium.num_slots(row)
            inputs |= as_slots(value, sizes, medium=medium, rows=rows, max_slots=slots)
        inputs |= as_options(given, medium=medium, batched=batched)
        for key in (medium.values, medium.marks):
            if key in given:
                inputs[key] = _feature(key, given[key], batched)
    inputs |= _budgets(given, inputs, batched)
    for key, value in inputs.items():
        _check_batch(key, value, inputs["prompts"])
    return inputs, batched


def _budgets(given: dict[str, Any], inputs: dict[str, tf.Tensor], batched: bool) -> dict[str, tf.Tensor]:
    """What is chosen for the items that are there."""
    found = {}
    for medium, key in _BUDGETS:
        items = inputs.get(medium.argument, inputs.get(medium.values))
        if key in given and items is None:
            raise ValueError(
                f"`{key}`: is for `{medium.argument}`; got none of them. Pass them, or leave it out."
            )
        if key in given:
            found[key] = as_budgets(given[key], items, medium=medium, batched=batched)
    return found


def _check_keys(given: dict[str, Any]) -> None:
    _check_known(given, [*TEXT_KEYS, *MEDIA_KEYS])
    if "prompts" not in given:
        raise ValueError(f"`x`: a dict must hold `prompts`; got {_listed(given)}. Add the prompts.")
    for medium in MEDIA:
        pair = medium.values, medium.marks
        if len(given.keys() & set(pair)) == 1:
            raise ValueError(
                f"`{pair[0]}`, `{pair[1]}`: precomputed media need both; got one. Pass both of the "
                "converter's outputs."
            )
        if medium.argument in given and medium.values in given:
            raise ValueError(
                f"`{medium.argument}`, `{medium.values}`: a medium must be given once; got both. Pass the "
                "raw or the precomputed one."
            )


def _check_known(given: dict[str, Any], known: list[str]) -> None:
    if unknown := [key for key in given if key not in known]:
        raise ValueError(f"`x`: keys must be among {known}; got {_listed(unknown)}. Remove or rename them.")


def _feature(key: str, value: Any, batched: bool) -> tf.Tensor:
    feature = tf.cast(tf.convert_to_tensor(value), BY_NAME[key].dtype)
    rank = len(BY_NAME[key].dims)
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
