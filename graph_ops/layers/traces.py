"""Steps as graphs, traced once for each kind of input and whatever their sizes."""

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import tensorflow as tf

from graph_ops.layers.absent_media import with_absent_media
from graph_ops.media.table import MEDIA
from graph_ops.pipeline.chat import SPECS, dialogue_rows, encode_chat
from graph_ops.pipeline.served import encode
from graph_ops.settings import Settings

MOST_TRACES = 64
"""Graphs, of some megabytes each, that are kept; the one that was used longest ago goes first."""
CALLS_BEFORE_TRACING = 3
"""Calls of a kind that run op by op. Ours: tracing takes longer than several of them."""

Specs = tuple[tuple[str, tf.TensorSpec], ...]
_Result = TypeVar("_Result")

_VARYING_AXES = {
    name: axes
    for medium in MEDIA
    for name, axes in (
        (medium.argument, 2 + medium.varying),
        (medium.sizes, 2),
        (medium.values, 2 + medium.is_trimmed),
        (medium.marks, 2 + medium.is_trimmed),
    )
}
_VARYING_AXES |= {medium.budget: 2 for medium in MEDIA if medium.budget}
_VARYING_AXES |= {name: spec.shape.rank for name, spec in SPECS._asdict().items()}
_VARYING_AXES |= {"token_ids": 2, "padding_mask": 2}
"""Leading axes of an input that may differ from call to call without a new trace; the others are the medium's
own (channels, patches).
"""


def rows(
    inputs: dict[str, tf.Tensor], settings: Settings, *, sequence_length: int, training: bool
) -> tuple[dict[str, tf.Tensor], Any]:
    """`encode`, with the tensors that KerasHub's class emits for absent media."""
    encoder = encode if "prompts" in inputs else _encode_trusted
    features, finding = encoder(
        inputs, settings, sequence_length=sequence_length, training=training, served=False
    )
    return with_absent_media(features, settings), finding


def _encode_trusted(inputs: dict[str, tf.Tensor], settings: Settings, **options: Any) -> Any:
    """`encode_chat` for dialogues of which our own code made the native text."""
    rows = functools.partial(dialogue_rows, settings=settings, is_native=False)
    return encode_chat(inputs, settings, rows=rows, **options)


class Traces:
    """Steps that run as graphs where they are called eagerly: op by op they take many times as long."""

    def __init__(self) -> None:
        self.graphs = functools.lru_cache(MOST_TRACES)(_Graph)

    def run(
        self,
        step: Callable[..., _Result],
        inputs: dict[str, tf.Tensor],
        *,
        at_once: bool = False,
        **settings: Any,
    ) -> _Result:
        """`step(inputs, **settings)`.

        Args:
            step: a function of the inputs, the same object in each call.
            inputs: tensors by name; their dtypes and what is fixed of their shapes tell graphs apart.
            at_once: whether the first call of a kind is traced. Otherwise some run op by op before: tracing
                takes seconds, for which whoever calls a few times need not wait.
            **settings: what else the graph is built from; hashable.
        """
        if not tf.executing_eagerly():
            return step(inputs, **settings)
        graph = self.graphs(step, specs_of(inputs), **settings)
        graph.calls += 1
        if at_once or graph.calls > CALLS_BEFORE_TRACING:
            return graph.concrete(inputs)
        return step(inputs, **settings)

    def __reduce__(self) -> tuple[type["Traces"], tuple[()]]:
        return Traces, ()


class _Graph:
    """A step as a `tf.function` of the inputs with these specs."""

    def __init__(self, step: Callable[..., Any], specs: Specs, **settings: Any) -> None:
        def graph(inputs: dict[str, tf.Tensor]) -> Any:
            return step(inputs, **settings)

        self.traced = tf.function(graph, input_signature=[dict(specs)], autograph=False)
        self.calls = 0

    @functools.cached_property
    def concrete(self) -> Any:
        """The traced function itself: the inputs' specs are known, and need not be found out again."""
        return self.traced.get_concrete_function()


def only(batch: tf.Tensor) -> tf.Tensor:
    """The one item of a batch [1, …]; sooner than by an index."""
    return tf.squeeze(batch, axis=0)


def specs_of(inputs: dict[str, tf.Tensor]) -> Specs:
    """The inputs' dtypes and shapes, without the sizes that may vary."""
    return tuple(
        (name, tf.TensorSpec(_any_size(name, tensor.shape), tensor.dtype))
        for name, tensor in sorted(inputs.items())
    )


def _any_size(name: str, shape: tf.TensorShape) -> list[int | None]:
    return [None if axis < _VARYING_AXES.get(name, 1) else size for axis, size in enumerate(shape)]
