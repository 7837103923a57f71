"""Bundles of fixed sizes: the signature that an input fits, and a row from one signature after another.

Where sizes vary there is one signature of a kind, such as `tokenize`; a static bundle has one for each of its
buckets, `tokenize_64` and `tokenize_256`, and none that takes a prompt with its media at once.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from export.media import pack_arrays
from export.outputs import Arrays
from graph_ops.media.medium import Medium
from graph_ops.media.table import MEDIA

COUNTED = "generate_preprocess_counts"
"""Signature of a row of media that were preprocessed before."""
_STATUS = ("status", "status_detail")


def fitted(signatures: Mapping[str, Any], kind: str, inputs: Arrays) -> tuple[str, Arrays]:
    """The name of the smallest signature of a kind that holds the inputs, and these padded to its sizes.

    Args:
        signatures: what `signatures.json` says of them.
        kind: a name without a bucket's size; or a whole name, and then the inputs stay as they are.
        inputs: by name, each with its true size.

    Raises:
        ValueError: there is none of that kind with these inputs, or none that is large enough.
    """
    if kind in signatures:
        return kind, inputs
    sizes = {
        name: {key: signature["inputs"][key]["shape"] for key in inputs}
        for name, signature in signatures.items()
        if name.startswith(f"{kind}_") and signature["inputs"].keys() == inputs.keys()
    }
    if not sizes:
        raise ValueError(
            f"`signature`: must be one of this bundle's or what its sizes follow; got {kind!r} with "
            f"{', '.join(inputs)}, among {', '.join(signatures)}. Export with a --static for it."
        )
    holding = [name for name in sizes if all(_holds(sizes[name][key], inputs[key]) for key in inputs)]
    if not holding:
        raise ValueError(_too_large(sizes, inputs))
    name = min(holding, key=lambda name: sum(map(math.prod, sizes[name].values())))
    return name, {key: _padded(array, sizes[name][key]) for key, array in inputs.items()}


def _holds(shape: Sequence[int], array: np.ndarray) -> bool:
    return len(shape) == array.ndim and all(np.less_equal(array.shape, shape))


def _padded(array: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    return np.pad(array, [(0, size - length) for length, size in zip(array.shape, shape, strict=True)])


def _too_large(sizes: Mapping[str, Mapping[str, Sequence[int]]], inputs: Arrays) -> str:
    for key, array in inputs.items():
        found = [shapes[key] for shapes in sizes.values()]
        if not any(_holds(shape, array) for shape in found):
            return (
                f"`{key}`: must fit into {' or '.join(map(str, found))}, the sizes of this bundle; got "
                f"{list(array.shape)}. Send less, or export with a larger --static."
            )
    return (
        f"`{', '.join(inputs)}`: must fit into one of {', '.join(sizes)}; got "
        f"{[list(array.shape) for array in inputs.values()]}. Send less, or export with a larger --static."
    )


def row_in_parts(
    run: Callable[..., Arrays],
    prompt: Arrays,
    media: Mapping[str, Sequence[Any]],
    *,
    accepted: Mapping[str, Any],
    budgets: Arrays,
) -> Arrays:
    """What `generate_preprocess` gives, item after item and then the row.

    Args:
        run: (kind of signature, inputs) -> outputs; raises their status.
        prompt: the inputs of its text.
        media: items by the medium's name, no more than there are slots for.
        accepted: the inputs of `COUNTED`.
        budgets: int32 [1, K] by the name of the input, where the bundle takes them.
    """
    features: Arrays = {}
    given = prompt | budgets
    for medium in MEDIA:
        if medium.soft_tokens in accepted:
            slots = accepted[medium.soft_tokens]["shape"][1]
            packed = pack_arrays(medium, media.get(medium.name, ()), slots=slots)
            parts = [_item(run, medium, packed | budgets, slot) for slot in range(slots)]
            found = {key: np.stack([part[key] for part in parts], axis=1) for key in parts[0]}
            given[medium.soft_tokens] = found.pop("soft_tokens")
            given |= {key: value for key, value in packed.items() if key in accepted}
            features |= {key: value for key, value in found.items() if key not in _STATUS}
    row = run(COUNTED, **given)
    return {**features, **row}


def _item(run: Callable[..., Arrays], medium: Medium, packed: Arrays, slot: int) -> Arrays:
    """The outputs of `preprocess_<medium>` for the item of a slot; of an empty one padding."""
    keys = [key for key in (medium.argument, medium.sizes, medium.budget) if key in packed]
    return run(f"preprocess_{medium.name}", **{key: packed[key][:, slot] for key in keys})
