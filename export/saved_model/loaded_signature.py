"""A signature of a loaded SavedModel, called with tensors as they are."""

from typing import Any

import tensorflow as tf


class LoadedSignature:
    """Calls the graph function of a signature at once.

    The callable that TensorFlow gives looks at each argument in Python first, binds it to a parameter and
    casts it, and does so again in a wrapper; for a signature of 13 inputs that is a fifth of the time of a
    short text. Gradients are not recorded.

    Attributes:
        structured_input_signature: `()` and the specs of the inputs, by name.
        structured_outputs: the specs of the outputs, by name.
    """

    def __init__(self, function: Any):
        self.structured_input_signature = function.structured_input_signature
        self.structured_outputs: dict[str, tf.TensorSpec] = function.structured_outputs
        self._function, self._captured = function, list(function.captured_inputs)
        given = function.inputs[: len(function.inputs) - len(self._captured)]
        self._inputs = {tensor.name.partition(":")[0]: tensor.dtype for tensor in given}
        self._outputs = sorted(self.structured_outputs)

    def __call__(self, **inputs: Any) -> dict[str, tf.Tensor]:
        """The outputs by name.

        Args:
            **inputs: tensors, or what `tf.convert_to_tensor` takes; of the signature's dtypes and ranks.

        Raises:
            TypeError: other names than the signature's.
            tf.errors.OpError: the graph failed.
        """
        if inputs.keys() != self._inputs.keys():
            raise TypeError(
                f"this signature takes {sorted(self._inputs)}; got {sorted(inputs)}. Give each of them by "
                "name."
            )
        tensors = [_tensor(inputs[name], dtype) for name, dtype in self._inputs.items()]
        answer = self._function.inference_fn.call_flat(*tensors, *self._captured)
        return dict(zip(self._outputs, answer, strict=True))


def _tensor(value: Any, dtype: tf.DType) -> tf.Tensor:
    """The value itself where it is a tensor; `tf.convert_to_tensor` takes 7 µs to say so."""
    return value if isinstance(value, tf.Tensor) else tf.convert_to_tensor(value, dtype)
