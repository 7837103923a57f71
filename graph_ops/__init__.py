"""Gemma 4's preprocessor as TensorFlow ops: the same tensors as KerasHub's class, inside the graph."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from graph_ops.chat.native_calls import parse_calls
    from graph_ops.layers.converters import Gemma4AudioConverter, Gemma4ImageConverter, Gemma4VideoConverter
    from graph_ops.layers.embedder import EmbeddingGemma2TextEmbedderPreprocessor
    from graph_ops.layers.gemma3 import (
        FunctionGemmaCausalLMPreprocessor,
        Gemma3CausalLMPreprocessor,
        Gemma3nCausalLMPreprocessor,
        Gemma3nTokenizer,
        Gemma3TextEmbedderPreprocessor,
        Gemma3Tokenizer,
    )
    from graph_ops.layers.preprocessor import Gemma4CausalLMPreprocessor
    from graph_ops.layers.tokenizer import Gemma4Tokenizer

__all__ = [
    "EmbeddingGemma2TextEmbedderPreprocessor",
    "FunctionGemmaCausalLMPreprocessor",
    "Gemma3CausalLMPreprocessor",
    "Gemma3TextEmbedderPreprocessor",
    "Gemma3Tokenizer",
    "Gemma3nCausalLMPreprocessor",
    "Gemma3nTokenizer",
    "Gemma4AudioConverter",
    "Gemma4CausalLMPreprocessor",
    "Gemma4ImageConverter",
    "Gemma4Tokenizer",
    "Gemma4VideoConverter",
    "parse_calls",
]

_MODULES = {
    "EmbeddingGemma2TextEmbedderPreprocessor": "graph_ops.layers.embedder",
    "FunctionGemmaCausalLMPreprocessor": "graph_ops.layers.gemma3",
    "Gemma3CausalLMPreprocessor": "graph_ops.layers.gemma3",
    "Gemma3TextEmbedderPreprocessor": "graph_ops.layers.gemma3",
    "Gemma3Tokenizer": "graph_ops.layers.gemma3",
    "Gemma3nCausalLMPreprocessor": "graph_ops.layers.gemma3",
    "Gemma3nTokenizer": "graph_ops.layers.gemma3",
    "Gemma4AudioConverter": "graph_ops.layers.converters",
    "Gemma4CausalLMPreprocessor": "graph_ops.layers.preprocessor",
    "Gemma4ImageConverter": "graph_ops.layers.converters",
    "Gemma4Tokenizer": "graph_ops.layers.tokenizer",
    "Gemma4VideoConverter": "graph_ops.layers.converters",
    "parse_calls": "graph_ops.chat.native_calls",
}


def __getattr__(name: str) -> Any:
    """What `__all__` names, imported when it is first asked for: the steps below do without Keras."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_MODULES[name]), name)
