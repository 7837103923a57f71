"""The two functions of a KerasHub model that a server's graph needs otherwise, replaced while it is traced.

KerasHub's own layers call both, deep inside the model and by name, so that nothing that is passed to the
model could replace them:

    keras.ops.slice_update            writes the cache with an op of the XLA bridge, absent in TF Serving
    Gemma4VisionAveragePooling.call   pools all images of a batch on the grid of the widest

A copy of KerasHub's attention and vision encoder would be the other way; it would drift from the model that
was trained.

The replacement is for this thread alone: others that train or generate at the same time, even with the same
model, get the original. One thread traces at a time.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

import keras
import tensorflow as tf

_tracing = threading.RLock()


@contextlib.contextmanager
def core_ops(model: Any) -> Iterator[None]:
    """While it lasts, the model traces in this thread to ops that every TensorFlow has, and pools each image
    on the grid of that image.
    """
    with replaced(keras.ops, "slice_update", lambda _: slice_update), own_grids(model):
        yield


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
def replaced(
    owner: Any, name: str, make: Callable[[Callable[..., Any]], Callable[..., Any]]
) -> Iterator[None]:
    """While it lasts, `owner.name` is what `make` makes of it, for this thread; for others it is what it was.

    Args:
        owner: a module or an object.
        name: of a function in it.
        make: from the original to the replacement.
    """
    with _tracing:
        original, this_thread = getattr(owner, name), threading.get_ident()
        own = name in vars(owner)
        replacement = make(original)

        def dispatched(*args: Any, **kwargs: Any) -> Any:
            chosen = replacement if threading.get_ident() == this_thread else original
            return chosen(*args, **kwargs)

        setattr(owner, name, dispatched)
        try:
            yield
        finally:
            if own:
                setattr(owner, name, original)
            else:
                delattr(owner, name)


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
