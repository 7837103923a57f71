"""The generation loop of a KerasHub causal language model, in the graph: features in, ids out.

It is `Gemma4CausalLM.generate_step` for rows that share a server's batch: each row has its own end, its own
seed and, in the media encoders, only the media that are there.

    prefill    the longest prompt of the batch, once, into a cache that is as long as the longest answer may
    get
    step       one position for all rows, from the shortest prompt on; a prompt that is longer keeps its own
               ids and cache
    end        a row ends at a stop token or a stop string, after its `max_new_tokens`, or where it is full;
               what follows is padding

A row's ids depend on that row alone. KerasHub's on its whole batch: images of several widths are pooled on
one grid, and random samplers draw for a batch at once. `keras_hub` is not imported here: the model brings its
own code.
"""

import copy
import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from export.fusing.encoders import encode_media
from export.fusing.keras_ops import slice_update
from export.fusing.stop_strings import Look, Seen, nothing_seen
from export.signature import Tensors
from graph_ops.media.table import MEDIA
from graph_ops.text.streaming import PENDING


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


class Generated(NamedTuple):
    """What a model says to B prompts.

    Attributes:
        token_ids: int32 [B, S]; prompts and answers, padding behind.
        starts: int32 [B]; ids of each prompt.
        ends: int32 [B]; ids of each row, the one that ended its answer included.
        is_stopped: bool [B]; whether an answer ended by itself: at a stop token or a stop string.
        log_probabilities: float32 [B, N]; of each id of an answer, of at most N, in nats, under the model's
            own distribution, before the sampler's temperature or choice; 0 behind the answer.
        seen: what was found of stop strings.
    """

    token_ids: tf.Tensor
    starts: tf.Tensor
    ends: tf.Tensor
    is_stopped: tf.Tensor
    log_probabilities: tf.Tensor
    seen: Seen


def generate_rows(
    model: Any,
    features: Tensors,
    seeds: tf.Tensor | None,
    generation: Generation,
    new_tokens: tf.Tensor | None = None,
    look: Look = lambda seen, ids, is_new: seen,
    stop_ids: tf.Tensor | None = None,
) -> Generated:
    """Prompts and what the model says to them.

    Args:
        model: a `keras_hub.models.Gemma4CausalLM`, compiled with a sampler that takes one token at a time.
        features: those of `FEATURES`, their media dims static. Rows without a token are left as they are.
        seeds: int32 [B] for a random sampler, otherwise None.
        generation: where rows end.
        new_tokens: int32 [B]; most ids of each row's answer, 1 to `most_new_tokens`; None for as many.
        look: what looks for stop strings.
        stop_ids: int32 [K]; ids that end a row, in place of `generation`'s.
    """
    stop_ids = tf.constant(generation.stop_ids, tf.int32) if stop_ids is None else stop_ids
    ids, given = features["token_ids"], features["padding_mask"]
    size, most = ids.shape[1], most_new_tokens(generation, ids.shape[1])
    starts = tf.reduce_sum(tf.cast(given, tf.int32), axis=1)
    ends = tf.minimum(starts + (most if new_tokens is None else new_tokens), size)
    ends = tf.where(starts > 0, ends, 0)
    length = tf.maximum(tf.reduce_max(ends), 1)
    ids, given = ids[:, :length], given[:, :length]
    cache = prefilled(model, features, ids, given, tf.maximum(tf.reduce_max(starts), 1))
    nothing = tf.zeros_like(ids, tf.float32)
    first = tf.maximum(tf.reduce_min(tf.where(starts > 0, starts, length)), 1)
    _, found = tf.while_loop(
        lambda index, rows: tf.reduce_any(index < rows.ends),
        _step(model, given, _choice(model.sampler, seeds), look, stop_ids, generation.pad_id),
        (first, _Rows(ids, cache, ends, tf.zeros_like(ends, tf.bool), nothing, nothing_seen(ends))),
        shape_invariants=(first.shape, _ROWS_SHAPE),
    )
    ids = tf.pad(found.ids, [[0, 0], [0, size - length]], constant_values=generation.pad_id)
    said, _ = behind(found.log_probabilities, starts, found.ends, width=most, pad=0.0)
    ids = tf.ensure_shape(ids, [None, size])
    return Generated(ids, starts, found.ends, found.is_stopped, said, found.seen)


def most_new_tokens(generation: Generation, size: int) -> int:
    """Most ids that an answer may have in rows of `size` ids."""
    return size if generation.max_new_tokens is None else min(generation.max_new_tokens, size)


def behind(
    values: tf.Tensor, starts: tf.Tensor, ends: tf.Tensor, *, width: int, pad: float
) -> tuple[tf.Tensor, tf.Tensor]:
    """What stands from `starts` to `ends`, int32 [B], of rows [B, L], moved to the front of rows [B, width],
    `pad` behind; and how much that is, int32 [B].
    """
    lengths = tf.maximum(ends - starts, 0)
    places = tf.minimum(starts[:, tf.newaxis] + tf.range(width), tf.shape(values)[1] - 1)
    moved = tf.gather(values, places, axis=1, batch_dims=1)
    return tf.where(tf.sequence_mask(lengths, width), moved, tf.cast(pad, values.dtype)), lengths


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


def prefilled(model: Any, features: Tensors, ids: tf.Tensor, given: tf.Tensor, width: tf.Tensor) -> tf.Tensor:
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


class _Rows(NamedTuple):
    """What changes from step to step, L ids a row."""

    ids: tf.Tensor
    cache: tf.Tensor
    ends: tf.Tensor
    is_stopped: tf.Tensor
    log_probabilities: tf.Tensor
    seen: Seen


_COLUMN, _TABLE = tf.TensorShape([None]), tf.TensorShape([None, None])
_SEEN_SHAPE = Seen(tf.TensorShape([None, PENDING]), _COLUMN, _COLUMN, _COLUMN)
_ROWS_SHAPE = _Rows(_TABLE, tf.TensorShape([None] * 6), _COLUMN, _COLUMN, _TABLE, _SEEN_SHAPE)


def _step(
    model: Any,
    given: tf.Tensor,
    next_ids: Callable[[tf.Tensor, tf.Tensor], tf.Tensor],
    look: Look,
    stop_ids: tf.Tensor,
    pad_id: int,
) -> Callable[[tf.Tensor, _Rows], tuple[tf.Tensor, _Rows]]:
    """What puts an id at one index of all rows; prompts, where `given` bool [B, L], keep theirs."""

    def step(index: tf.Tensor, rows: _Rows) -> tuple[tf.Tensor, _Rows]:
        logits, _, cache = model.call_with_cache(
            token_ids=rows.ids[:, index - 1 : index],
            cache=rows.cache,
            cache_update_index=index - 1,
            cache_update_mask=~given[:, index - 1 : index],
        )
        logits = logits[:, 0]
        is_new = ~given[:, index] & (index < rows.ends)
        chosen = tf.where(is_new, tf.cast(next_ids(logits, index), tf.int32), pad_id)
        said = tf.where(is_new, _log_probabilities(logits, chosen), 0.0)
        seen = look(rows.seen, chosen, is_new)
        is_end = tf.reduce_any(tf.equal(chosen[:, tf.newaxis], stop_ids), axis=1) | (seen.cuts >= 0)
        is_end &= is_new
        return index + 1, _Rows(
            _with_column(rows.ids, index, tf.where(given[:, index], rows.ids[:, index], chosen)),
            cache,
            tf.where(is_end, index + 1, rows.ends),
            rows.is_stopped | is_end,
            _with_column(rows.log_probabilities, index, said),
            seen,
        )

    return step


def _log_probabilities(logits: tf.Tensor, ids: tf.Tensor) -> tf.Tensor:
    """Float32 [B] of ids int32 [B] under logits [B, V]."""
    logits = tf.cast(logits, tf.float32)
    return tf.gather(logits, ids, batch_dims=1) - tf.reduce_logsumexp(logits, axis=1)


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
