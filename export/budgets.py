"""The input that chooses a budget for each item of a request, in exports that have it.

TF Serving wants every input of a signature, so an export has it or has not: as an input of the signatures
that there are, not as further signatures, it adds no graph to load.
"""

from collections.abc import Sequence

import tensorflow as tf

from export.signature import Input, Signature
from graph_ops.media.medium import Medium
from graph_ops.media.table import MEDIA

OPTION = "--max-soft-tokens-input"
"""Of the commands that write exports."""
_MEANING = "most soft tokens of each item of `{}`; 0 for the preprocessor's own"


def with_budget_inputs(table: dict[str, Signature]) -> dict[str, Signature]:
    """The signatures, those that take items of a medium with budgets, their sizes or their soft tokens with
    an int32 input more, which has the axes of the items' slots. Their functions find it among their inputs.
    """
    return {name: _with_inputs(signature) for name, signature in table.items()}


def _with_inputs(signature: Signature) -> Signature:
    added = {
        medium.budget: Input(tf.int32, shape, _MEANING.format(medium.argument))
        for medium in MEDIA
        if medium.budget and (shape := _slots(medium, signature.inputs)) is not None
    }
    return signature._replace(inputs=signature.inputs | added)


def _slots(medium: Medium, inputs: dict[str, Input]) -> tuple[int | None, ...] | None:
    """The leading axes of a medium's inputs, [B, K] or on devices also [1]; None where there are none."""
    for name, axes in (
        (medium.sizes, int(medium.varying > 1)),
        (medium.soft_tokens, 0),
        (medium.argument, 0),  # files
    ):
        if name in inputs:
            shape = inputs[name].shape
            return shape[: len(shape) - axes]
    return None


def check_budgets(chosen: Sequence[int], items: int, medium: Medium, *, accepted: bool) -> list[int]:
    """One budget for each item of a request, from none, one for all, or as many as there are.

    Args:
        chosen: by the caller.
        items: how many the request has.
        medium: of the items.
        accepted: whether the signature takes them.

    Raises:
        ValueError: budgets for an export that takes none, or not as many as items.
    """
    if not chosen:
        return [0] * items
    if not accepted:
        raise ValueError(
            f"`{medium.budget}`: this export takes none; got {list(chosen)}. Leave it out, or export with "
            f"{OPTION}."
        )
    if len(chosen) not in (1, items):
        raise ValueError(
            f"`{medium.budget}`: must be one number for all of `{medium.argument}`, or one for each; got "
            f"{len(chosen)} for {items}. Pass as many."
        )
    return list(chosen) * items if len(chosen) == 1 else list(chosen)
