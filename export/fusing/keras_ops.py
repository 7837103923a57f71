"""The functions that a server's graph of a KerasHub model needs otherwise, replaced while it is traced.

KerasHub's own layers call them, deep inside the model and by name, so that nothing that is passed to the
model could replace them:

    keras.ops.slice_update            writes the cache with an op of the XLA bridge, absent in TF Serving
    Gemma4VisionAveragePooling.call   pools all images of a batch on the grid of the widest
    ReversibleEmbedding.call          multiplies by the whole table, of which TensorFlow's CPU kernel makes a
                                      float32 copy if it is narrower: 1.6 GB a token with 262,144 × 1,536
    tf.Graph.name_scope               puts the names of all layers around an op before its own, a large part
                                      of a graph of which TensorFlow holds copies

A copy of KerasHub's attention and vision encoder would be the other way; it would drift from the model that
was trained.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import keras
import tensorflow as tf

from export.fusing.replacing import replaced

PART_BYTES = 2**24
"""Small enough for an allocator to keep and hand out again, rather than to ask the system for new pages."""


@contextlib.contextmanager
def core_ops(model: Any) -> Iterator[None]:
    """While it lasts, the model traces in this thread to ops that every TensorFlow has and that have short
    names, pools each image on the grid of that image, and multiplies by a large and narrow table a part at a
    time.
    """
    replacements = (
        replaced(keras.ops, "slice_update", lambda _: slice_update),
        replaced(tf.Graph, "name_scope", lambda _: _flat_scope),
        own_grids(model),
        small_parts(model),
    )
    with contextlib.ExitStack() as stack:
        for replacement in replacements:
            stack.enter_context(replacement)
        yield


@contextlib.contextmanager
def _flat_scope(graph: tf.Graph, name: str | None) -> Iterator[str | None]:
    """`tf.Graph.name_scope`, but that what is named inside keeps its own name."""
    yield name if not name or name.endswith("/") else graph.unique_name(name.rsplit("/", 1)[-1]) + "/"


@contextlib.contextmanager
def own_grids(model: Any) -> Iterator[None]:
    """While it lasts, each image is pooled on its own grid in this thread; KerasHub takes the width of all
    from the widest image of the batch.
    """
    encoder = getattr(getattr(model, "backbone", model), "vision_encoder", None)
    with contextlib.ExitStack() as stack:
        for layer in getattr(encoder, "layers", ()):
            if type(layer).__name__ == "Gemma4VisionAveragePooling":
                stack.enter_context(replaced(layer, "call", _one_by_one))
        yield


@contextlib.contextmanager
def small_parts(model: Any) -> Iterator[None]:
    """While it lasts, logits of a model with narrower weights than float32 come from parts of its table, one
    at a time, that fill `PART_BYTES` in float32, in this thread.
    """
    layer = getattr(getattr(model, "backbone", None), "token_embedding", None)
    parts = _parts_of(layer)
    with contextlib.ExitStack() as stack:
        if parts > 1:
            stack.enter_context(replaced(layer, "call", lambda call: _in_parts(call, layer, parts)))
        yield


def slice_update(inputs: Any, start_indices: Any, updates: Any) -> tf.Tensor:
    """`inputs` with `updates` written at `start_indices`, a number for each dim, as a core op."""
    start = tf.stack([tf.cast(index, tf.int32) for index in start_indices])
    return tf.raw_ops.TensorStridedSliceUpdate(
        input=inputs, begin=start, end=start + tf.shape(updates), strides=tf.ones_like(start), value=updates
    )


def output_spec(function: Callable[..., tf.Tensor], specs: list[tf.TensorSpec]) -> tf.TensorSpec:
    """Dtype and static shape of what a function of tensors returns for inputs of these."""
    concrete = tf.function(lambda *tensors: function(*tensors), autograph=False).get_concrete_function(*specs)
    return tf.TensorSpec(concrete.structured_outputs.shape, concrete.structured_outputs.dtype)


def _parts_of(layer: Any) -> int:
    """How many equal parts of a table's rows are small ones; 1 for a table that is best left whole."""
    table = getattr(layer, "embeddings", None)
    if table is None or tf.as_dtype(table.dtype) not in (tf.bfloat16, tf.float16) or not layer.tie_weights:
        return 1
    rows, dim = table.shape
    least = -(-rows * dim * tf.float32.size // PART_BYTES)
    return next((parts for parts in range(least, min(4 * least, rows) + 1) if rows % parts == 0), 1)


def _in_parts(call: Callable[..., tf.Tensor], layer: Any, parts: int) -> Callable[..., tf.Tensor]:
    """An embedding's call, in reverse a part of the table's rows after another."""

    def called(inputs: tf.Tensor, reverse: bool = False) -> tf.Tensor:
        if not reverse:
            return call(inputs)
        table = tf.convert_to_tensor(layer.embeddings)
        rows, dim = table.shape
        size, flat = rows // parts, tf.reshape(inputs, [-1, dim])
        each = tf.map_fn(
            lambda start: tf.linalg.matmul(flat, tf.slice(table, [start, 0], [size, dim]), transpose_b=True),
            tf.range(0, rows, size),
            fn_output_signature=tf.TensorSpec([None, size], table.dtype),
            parallel_iterations=1,
        )
        logits = tf.reshape(tf.transpose(each, [1, 0, 2]), [*tf.unstack(tf.shape(inputs))[:-1], rows])
        cap = layer.logit_soft_cap
        return logits if cap is None else tf.tanh(logits / cap) * cap

    return called


def _one_by_one(pool: Callable[..., tf.Tensor]) -> Callable[..., tf.Tensor]:
    """The pooling of patches [B, I, P, D] with positions [B, I, P, 2], an image at a time."""

    def pool_each(inputs: tf.Tensor, pixel_position_ids: tf.Tensor) -> tf.Tensor:
        images, patches, dim = inputs.shape[1:]
        flat = (
            tf.reshape(inputs, [-1, 1, 1, patches, dim]),
            tf.reshape(pixel_position_ids, [-1, 1, 1, patches, 2]),
        )
        spec = output_spec(
            lambda *tensors: pool(tensors[0], pixel_position_ids=tensors[1]),
            [tf.TensorSpec([1, *tensor.shape[2:]], tensor.dtype) for tensor in flat],
        )
        pooled = tf.map_fn(
            lambda image: pool(image[0], pixel_position_ids=image[1])[0, 0],
            flat,
            fn_output_signature=tf.TensorSpec(spec.shape[2:], spec.dtype),
        )
        return tf.reshape(pooled, [-1, images, *spec.shape[2:]])

    return pool_each
