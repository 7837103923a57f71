"""An EmbeddingGemma 2 of KerasHub for images and audio, small enough for a laptop's CPU: every part of the
real one, random weights.
"""

from typing import Any

from examples.small_gemma4 import small_encoders


def small_embedder(vocabulary_size: int, *, images: bool = True, audio: bool = True, width: int = 32) -> Any:
    """A `keras_hub.models.EmbeddingGemma2TextEmbedder` of two layers, with vectors of 192 numbers.

    Args:
        vocabulary_size: ids that the tokenizer makes.
        images: whether it takes images.
        audio: whether it takes audio.
        width: of the text model's hidden states; a multiple of 8.
    """
    import keras_hub

    vision, hearing = small_encoders(width)
    backbone = keras_hub.models.EmbeddingGemma2Backbone(
        vocabulary_size=vocabulary_size,
        image_size=768,
        num_layers=2,
        num_query_heads=4,
        num_key_value_heads=2,
        hidden_dim=width,
        intermediate_dim=2 * width,
        head_dim=width // 4,
        sliding_window_pattern=2,
        sliding_window_size=64,
        hidden_size_per_layer_input=8,
        embedding_dim=192,
        vision_encoder=vision if images else None,
        audio_encoder=hearing if audio else None,
    )
    return keras_hub.models.EmbeddingGemma2TextEmbedder(backbone)
