"""`count_tokens` of a preprocessor: what a request takes, before its media are read."""

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from graph_ops.faults import raise_findings
from graph_ops.layers.inputs.budgets import as_budgets
from graph_ops.layers.inputs.texts import as_texts
from graph_ops.layers.process import check_process
from graph_ops.layers.traces import only
from graph_ops.media.medium import Medium
from graph_ops.pipeline.counting import TOO_LONG, count_tokens
from graph_ops.settings import Settings


class TokenCount(NamedTuple):
    """What a request takes, or each of B requests.

    Attributes:
        num_tokens: int32 [], or [B]; `<bos>` and soft tokens included.
        fits: bool [], or [B]; whether the row holds it all.
    """

    num_tokens: tf.Tensor
    fits: tf.Tensor


class TokenCounting:
    """A method of a preprocessor, of which it is a part."""

    @tf.autograph.experimental.do_not_convert
    def count_tokens(self, x: Any) -> TokenCount:
        """Tokens of the row that `generate_preprocess` makes of a prompt with its media, from their sizes.

        ```python
        count = preprocessor.count_tokens({"prompts": "What is <|image|>?", "image_sizes": [[480, 640]]})
        count.num_tokens, count.fits
        ```

        Args:
            x: a prompt or several, or a dict of `prompts` and, for preprocessors that take them,
                `image_sizes`, int32 [K, 2] (height and width in pixels, as shown), and `audio_lengths`, int32
                [K] (samples at 16 kHz). For B prompts with an axis more; lists may be ragged, and empty slots
                0. `max_soft_tokens` as for a call.

        Returns:
            `TokenCount`. Text that does not fit is cut from a row; media that do not fit are refused.

        Raises:
            ValueError: no prompts, sizes of a medium that is not taken, too many of them, a size that no item
                may have, or other placeholders than sizes; in a graph, `tf.errors.InvalidArgumentError`.
        """
        check_process()
        layer: Any = self
        settings: Settings = layer.settings
        given = {key: value for key, value in (x if isinstance(x, dict) else {"prompts": x}).items()}
        prompts = as_texts(given.pop("prompts", None), "prompts")
        single = prompts.shape.rank == 0
        tensors = {"prompts": prompts[tf.newaxis] if single else prompts}
        for each in settings.media:
            tensors |= _medium_inputs(given, each.medium, single=single)
        if given:
            raise ValueError(
                f"`x`: takes `prompts` and the sizes of media that this preprocessor reads; got "
                f"{sorted(given)} too. Remove or rename them."
            )
        count = layer._traces.run(count_tokens, tensors, settings=settings)
        fault = count.finding.fault
        is_long = tf.reduce_any([tf.equal(fault, int(each)) for each in TOO_LONG], axis=0)
        raise_findings(count.finding._replace(fault=tf.where(is_long, 0, fault)), "row")
        found = TokenCount(count.num_tokens, count.finding.is_clean)
        return TokenCount(*map(only, found)) if single else found


def _medium_inputs(given: dict[str, Any], medium: Medium, *, single: bool) -> dict[str, tf.Tensor]:
    """The sizes of a medium's items and their budgets, taken out of what was given."""
    sizes = given.pop(medium.sizes, None)
    if sizes is None:
        return {}
    found = {medium.sizes: _sizes(sizes, medium, single=single)}
    if medium.budget and (budgets := given.pop(medium.budget, None)) is not None:
        items = found[medium.sizes]
        found[medium.budget] = as_budgets(budgets, items, medium=medium, batched=not single)
    return found


def _sizes(value: Any, medium: Medium, *, single: bool) -> tf.Tensor:
    """int32 [B, K(, axes)], 0 for an empty slot, of lists of any lengths, an array or a tensor."""
    axes = (medium.varying,) if medium.varying > 1 else ()
    if isinstance(value, list | tuple):
        rows = [value] if single else value
        count = max((len(row) for row in rows), default=0)
        padded = np.zeros((len(rows), count, *axes), np.int32)
        for place, row in enumerate(rows):
            padded[place, : len(row)] = np.reshape(np.asarray(row, np.int32), (len(row), *axes))
        return tf.constant(padded)
    sizes = tf.cast(tf.convert_to_tensor(value), tf.int32)
    sizes = sizes[tf.newaxis] if single else sizes
    if sizes.shape.rank != 2 + len(axes):
        raise ValueError(
            f"`{medium.sizes}`: must have rank {2 + len(axes)} in a batch, one less for one prompt; got "
            f"shape {sizes.shape}. Reshape it."
        )
    return sizes
