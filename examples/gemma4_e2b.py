"""Gemma 4 E2B in its true sizes, with random weights: 5.1 billion parameters, 10.2 GB in bfloat16.

Sizes are those of the released configuration: of text as MaxText has them (configs/models/gemma4-e2b.yml), of
images and audio transformers' defaults for google/gemma-4-e2b-it, in KerasHub's names. KerasHub counts 5.1
billion parameters in its preset `gemma4_2b`, which these sizes give.
"""

from typing import Any

LAYERS, LAYERS_OF_A_PERIOD = 35, 5
"""Every fifth layer attends to all of a row."""
KV_SHARED_OF_A_PERIOD = 4
"""Of all periods but three: layers that read another's keys and values."""
WIDTH = 1536
VOCABULARY_SIZE = 262_144


def e2b_backbone(*, periods: int = LAYERS // LAYERS_OF_A_PERIOD, media: bool = True) -> Any:
    """A `keras_hub.models.Gemma4Backbone` in bfloat16.

    Args:
        periods: groups of five layers, 7 in E2B; fewer make a smaller model of the same parts, from 4 on.
        media: whether it has E2B's encoders of images and audio.
    """
    import keras_hub

    layers = periods * LAYERS_OF_A_PERIOD
    pattern = ["sliding_attention"] * (LAYERS_OF_A_PERIOD - 1) + ["full_attention"]
    return keras_hub.models.Gemma4Backbone(
        vocabulary_size=VOCABULARY_SIZE,
        image_size=896,
        num_layers=layers,
        num_query_heads=8,
        num_key_value_heads=1,
        hidden_dim=WIDTH,
        intermediate_dim=6144,
        head_dim=256,
        global_head_dim=512,
        final_logit_soft_cap=30.0,
        sliding_window_size=512,
        sliding_window_pattern=LAYERS_OF_A_PERIOD,
        layer_types=pattern * periods,
        num_kv_shared_layers=layers - 3 * LAYERS_OF_A_PERIOD,
        hidden_size_per_layer_input=256,
        vocab_size_per_layer_input=VOCABULARY_SIZE,
        global_rope_wavelength=1e6,
        local_rope_wavelength=1e4,
        global_rope_partial_rotary_factor=0.25,
        use_double_wide_mlp=True,
        vision_encoder=_vision_encoder() if media else None,
        audio_encoder=_audio_encoder() if media else None,
        dtype="bfloat16",
    )


def _vision_encoder() -> Any:
    import keras_hub

    return keras_hub.models.Gemma4VisionEncoder(
        image_size=896,
        patch_size=16,
        num_heads=12,
        num_key_value_heads=12,
        hidden_dim=768,
        num_layers=16,
        intermediate_dim=3072,
        head_dim=64,
        output_dim=WIDTH,
        pool_size=3,
        position_embedding_size=10_240,
        dtype="bfloat16",
    )


def _audio_encoder() -> Any:
    import keras_hub

    return keras_hub.models.Gemma4AudioEncoder(
        hidden_size=1024,
        num_heads=8,
        num_layers=12,
        sscp_conv_channels=(128, 32),
        output_proj_dims=1536,
        output_dim=WIDTH,
        dtype="bfloat16",
    )
