"""Gemma 4's preprocessor as TensorFlow ops: the same tensors as KerasHub's class, inside the graph."""

from graph_ops.layers.converters import Gemma4AudioConverter, Gemma4ImageConverter
from graph_ops.layers.preprocessor import Gemma4CausalLMPreprocessor
from graph_ops.layers.tokenizer import Gemma4Tokenizer

__all__ = ["Gemma4AudioConverter", "Gemma4CausalLMPreprocessor", "Gemma4ImageConverter", "Gemma4Tokenizer"]
