"""What our layers share: raw Python values as inputs, short errors, settings without effect."""

from collections.abc import Iterable
from typing import Any, ClassVar

import keras
import tensorflow as tf

from graph_ops.layers.process import check_process
from graph_ops.layers.traces import Traces


class PreprocessingLayer(keras.layers.Layer):
    """A layer without weights; its `call` takes strings, files and arrays as they are.

    Args:
        **kwargs: `name`, `dtype`, `trainable`; KerasHub's arguments of `without_effect`.
    """

    # `Layer` is named where `super()` would do: KerasHub's class comes between the two once
    # `graph_ops.layers.as_keras_hub` has run, and nothing must change by that.

    without_effect: ClassVar[dict[str, Any]] = {}
    """KerasHub's arguments that change nothing here, each with its default; attributes too."""

    def __init__(self, **kwargs: Any) -> None:
        own = {name: kwargs.pop(name, default) for name, default in self.without_effect.items()}
        keras.layers.Layer.__init__(self, **kwargs)
        self._convert_input_args = False
        self._allow_non_tensor_positional_args = True
        self._traces = Traces()
        for name, value in own.items():
            setattr(self, name, value)
        self.built = True

    # `call` has no Python control flow on tensors, and converting it takes a while
    @tf.autograph.experimental.do_not_convert
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Runs `call`.

        Keras' own way adds each argument, a file with all its bytes, to the message of an error. It is taken
        for the symbolic tensors of a functional model alone.
        """
        check_process()
        if _is_symbolic([*args, *kwargs.values()]):
            return keras.layers.Layer.__call__(self, *args, **kwargs)
        return self.call(*args, **kwargs)

    def get_config(self) -> dict[str, Any]:
        """Name, dtype, and what was said of the settings without effect."""
        changed = {
            name: getattr(self, name)
            for name, default in self.without_effect.items()
            if getattr(self, name) != default
        }
        return {**keras.layers.Layer.get_config(self), **changed}


def _is_symbolic(values: Iterable[Any]) -> bool:
    """Whether any value is a Keras tensor, or a dict or list that begins with one."""
    return any(
        isinstance(value, keras.KerasTensor)
        or (isinstance(value, dict) and _is_symbolic(value.values()))
        or (isinstance(value, list | tuple) and isinstance(next(iter(value), None), keras.KerasTensor))
        for value in values
    )
