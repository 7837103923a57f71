"""The generation loop of a KerasHub causal language model, in the graph: features in, ids out.

It is `Gemma4CausalLM.generate_step` for rows that share a server's batch: each row has its own end, its own
seed and, in the media encoders, only the media that are there.

    prefill    the longest prompt of the batch, once, into a cache that is as long as the longest answer may
    get
    step       one position for all rows, from the shortest prompt on; a prompt that is longer keeps its own
    ids and cache a row ends at a stop token, after `max_new_tokens`, or at the end of the row; what follows
    is padding

A row's ids depend on that row alone. KerasHub's on its whole batch: images of several widths are pooled on
one grid, and random samplers draw for a batch at once. `keras_hub` is not imported here: the model brings its
own code.
"""

import copy
import dataclasses
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from export.fusing.encoders import encode_media
from export.fusing.keras_ops import slice_update
from export.signature import Tensors
from graph_ops.media.table import MEDIA


@dataclasses.dataclass(frozen=True)
class Generation:
    """How answers are generated."""

    stop_ids: tuple[int, ...]
    """Ids that end a row."""
    pad_id: int
    """What stands after the end of a row."""
    max_new_tokens: int | None = None
    """Most ids that a row may get; None for all that the row holds."""
    strip_prompt: bool = False
    """Whether the text is the answer alone."""


def generate_rows(
    model: Any, features: Tensors, seeds: tf.Tensor | None, generation: Generation
) -> tuple[tf.Tensor, tf.Tensor]:
    """Prompts and what the model says to them.

    Args:
        model: a `keras_hub.models.Gemma4CausalLM`, compiled with a sampler that takes one token at a time.
        features: those of `FEATURES`, their media dims static. Rows without a token are left as they are.
        seeds: int32 [B] for a random sampler, otherwise None.
        generation: where rows end.

    Returns:
        `token_ids` int32 [B, S], and `lengths` int32 [B]: ids in each row, the stop token included.
    """
    ids, given = features["token_ids"], features["padding_mask"]
    size = ids.shape[1]
    starts = tf.reduce_sum(tf.cast(given, tf.int32), axis=1)
    most = size if generation.max_new_tokens is None else generation.max_new_tokens
    ends = tf.where(starts > 0, tf.minimum(starts + most, size), 0)
    length = tf.maximum(tf.reduce_max(ends), 1)
    ids, given = ids[:, :length], given[:, :length]
    cache = _prefilled(model, features, ids, given, tf.maximum(tf.reduce_max(starts), 1))
    next_ids = _choice(model.sampler, seeds)
    stops = tf.constant(generation.stop_ids, tf.int32)

    def step(index: tf.Tensor, ids: tf.Tensor, cache: tf.Tensor, ends: tf.Tensor) -> tuple[tf.Tensor, ...]:
        logits, _, cache = model.call_with_cache(
            token_ids=ids[:, index - 1 : index],
            cache=cache,
            cache_update_index=index - 1,
            cache_update_mask=~given[:, index - 1 : index],
        )
        chosen = tf.cast(next_ids(logits[:, 0], index), tf.int32)
        chosen = tf.where(index < ends, chosen, generation.pad_id)
        fresh = ~given[:, index]
        ids = _with_column(ids, index, tf.where(fresh, chosen, ids[:, index]))
        stopped = fresh & (index < ends) & tf.reduce_any(tf.equal(chosen[:, tf.newaxis], stops), axis=1)
        return index + 1, ids, cache, tf.where(stopped, index + 1, ends)

    first = tf.maximum(tf.reduce_min(tf.where(starts > 0, starts, length)), 1)
    _, ids, _, ends = tf.while_loop(
        lambda index, ids, cache, ends: tf.reduce_any(index < ends),
        step,
        (first, ids, cache, ends),
        shape_invariants=(
            first.shape,
            tf.TensorShape([None, None]),
            tf.TensorShape([None] * 6),
            tf.TensorShape([None]),
        ),
    )
    ids = tf.pad(ids, [[0, 0], [0, size - tf.shape(ids)[1]]], constant_values=generation.pad_id)
    return tf.ensure_shape(ids, [None, size]), ends


def is_random(sampler: Any) -> bool:
    """Whether a sampler draws, and so needs a seed."""
    return bool(_seed_generators(sampler))


def cache_shape(model: Any, rows: Any, length: Any) -> list[Any]:
    """[B, layers, 2, L, heads, dim]: keys and values of each layer; layers with smaller heads leave the rest
    unused.
    """
    backbone = model.backbone
    head_dim = max(backbone.head_dim, getattr(backbone, "global_head_dim", None) or 0)
    return [rows, backbone.num_layers, 2, length, backbone.num_key_value_heads, head_dim]


def _prefilled(
    model: Any, features: Tensors, ids: tf.Tensor, given: tf.Tensor, width: tf.Tensor
) -> tf.Tensor:
    """The cache [B, layers, 2, L, heads, dim] after the first `width` of the L = `ids.shape[1]` positions."""
    media = encode_media(model, features, skip_empty=True)
    masks = [medium.mask for medium in MEDIA if medium.mask in media]
    media |= {name: media[name][:, :width] for name in masks}
    _, _, cache = model.call_with_cache(
        token_ids=ids[:, :width],
        cache=tf.zeros(cache_shape(model, *tf.unstack(tf.shape(ids))), model.compute_dtype),
        cache_update_index=0,
        padding_mask=given,
        **media,
    )
    return cache


def _choice(sampler: Any, seeds: tf.Tensor | None) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    """From logits [B, V] and the index of the place to ids [B]; each row draws from its own seed and the
    place.
    """
    if seeds is None:
        return lambda logits, index: sampler.get_next_token(sampler.compute_probabilities(logits))
    seeded = copy.copy(sampler)
    source = _GivenSeed()
    for name in _seed_generators(sampler):
        vars(seeded)[name] = source

    def draw(row: tuple[tf.Tensor, tf.Tensor], index: tf.Tensor) -> tf.Tensor:
        source.value = tf.stack([row[1], index])
        return tf.cast(seeded.get_next_token(row[0][tf.newaxis])[0], tf.int32)

    def choose(logits: tf.Tensor, index: tf.Tensor) -> tf.Tensor:
        probabilities = sampler.compute_probabilities(logits)
        return tf.map_fn(lambda row: draw(row, index), (probabilities, seeds), fn_output_signature=tf.int32)

    return choose


def _seed_generators(sampler: Any) -> list[str]:
    return [name for name, value in vars(sampler).items() if isinstance(value, keras.random.SeedGenerator)]


class _GivenSeed(keras.random.SeedGenerator):
    """A seed generator without state: what it hands out is set from outside."""

    def __init__(self) -> None:  # not its parent's, which makes a variable
        self.value: tf.Tensor | None = None

    def next(self, ordered: bool = True) -> tf.Tensor:
        """The seed, int32 [2]."""
        return self.value


def _with_column(ids: tf.Tensor, index: tf.Tensor, column: tf.Tensor) -> tf.Tensor:
    return slice_update(ids, (0, index), column[:, tf.newaxis])
