"""A Gemma 4 of KerasHub for images and audio, small enough to train on a laptop's CPU: every part of the real
one, random weights.
"""

from typing import Any

PATCH_SIZE, POOL_SIZE, POSITIONS, MEL_BINS = 16, 3, 256, 128
"""What the released models' media look like; more positions than the widest image has patches are not
needed.
"""


def small_encoders(width: int) -> tuple[Any, Any]:
    """A vision encoder and an audio encoder of one layer each, for hidden states of that width."""
    import keras_hub

    models = keras_hub.models
    vision = models.Gemma4VisionEncoder(
        image_size=768,
        patch_size=PATCH_SIZE,
        num_heads=2,
        hidden_dim=16,
        num_layers=1,
        intermediate_dim=32,
        head_dim=8,
        output_dim=width,
        pool_size=POOL_SIZE,
        position_embedding_size=POSITIONS,
    )
    hearing = models.Gemma4AudioEncoder(
        input_feat_size=MEL_BINS,
        hidden_size=16,
        num_heads=2,
        num_layers=1,
        sscp_conv_channels=(8, 4),
        output_proj_dims=16,
        output_dim=width,
    )
    return vision, hearing


def small_backbone(vocabulary_size: int, *, images: bool = True, audio: bool = True, width: int = 32) -> Any:
    """A `keras_hub.models.Gemma4Backbone` of two layers, one local and one global, with an encoder for each
    medium.

    Args:
        vocabulary_size: ids that the tokenizer makes.
        images: whether it takes images.
        audio: whether it takes audio.
        width: of the text model's hidden states; a multiple of 8.
    """
    import keras_hub

    vision, hearing = small_encoders(width)
    return keras_hub.models.Gemma4Backbone(
        vocabulary_size=vocabulary_size,
        image_size=768,
        num_layers=2,
        num_query_heads=4,
        num_key_value_heads=2,
        hidden_dim=width,
        intermediate_dim=2 * width,
        head_dim=width // 4,
        sliding_window_pattern=2,
        vision_encoder=vision if images else None,
        audio_encoder=hearing if audio else None,
    )


def small_gemma4(vocabulary_size: int, *, preprocessor: Any = None, **parts: Any) -> Any:
    """The same as a `keras_hub.models.Gemma4CausalLM`, with KerasHub's preprocessor or none."""
    import keras_hub

    return keras_hub.models.Gemma4CausalLM(
        preprocessor=preprocessor, backbone=small_backbone(vocabulary_size, **parts)
    )
