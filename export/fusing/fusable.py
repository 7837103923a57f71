"""What a model must be so that a preprocessor can be put before it, checked while that costs nothing."""

from typing import Any, NamedTuple

import tensorflow as tf

from export.fusing.encoders import encoder_of
from export.fusing.generate import Generation
from graph_ops.features import FEATURES, static_shape
from graph_ops.media.image import IMAGE
from graph_ops.media.video import VIDEO
from graph_ops.settings import Settings


class ModelInput(NamedTuple):
    """One input of a functional Keras model; None where a dim may be anything."""

    shape: tuple[int | None, ...]
    dtype: str


def named_inputs(model: Any) -> dict[str, ModelInput] | None:
    """The inputs of a functional Keras model by name; None for another model or a callable, which takes the
    whole dict.
    """
    inputs = getattr(model, "inputs", None)
    if not isinstance(inputs, list | tuple) or not all(
        hasattr(tensor, "name") and hasattr(tensor, "shape") for tensor in inputs
    ):
        return None
    return {tensor.name: ModelInput(tuple(tensor.shape), tensor.dtype) for tensor in inputs}


def is_causal_lm(model: Any) -> bool:
    """Whether a model can generate: a KerasHub causal language model with a cache."""
    return all(hasattr(model, name) for name in ("call_with_cache", "backbone", "sampler"))


def speaks_ids(model: Any, settings: Settings) -> bool:
    """Whether a Keras model returns one tensor of logits over the vocabulary for each place of a row."""
    if is_causal_lm(model):
        return True
    shape = getattr(getattr(model, "output", None), "shape", None)
    places = (None, settings.row.sequence_length)
    return (
        shape is not None
        and len(shape) == 3
        and shape[1] in places
        and shape[2] == len(settings.tokenizer.vocabulary)
    )


def generation_settings(
    settings: Settings, stop_tokens: tuple[str, ...], max_new_tokens: int | None, strip_prompt: bool
) -> Generation:
    """Looks the stop tokens up.

    Raises:
        ValueError: one is not in the vocabulary, or `max_new_tokens` is not positive.
    """
    if max_new_tokens is not None and max_new_tokens < 1:
        raise ValueError(
            f"`max_new_tokens`: must be at least 1; got {max_new_tokens}. Leave it out to fill the row."
        )
    ids = {piece: index for index, piece in enumerate(settings.tokenizer.vocabulary.pieces)}
    if unknown := [token for token in stop_tokens if token not in ids]:
        raise ValueError(
            f"`stop_tokens`: must be pieces of the vocabulary; got {unknown}. Leave them out or correct "
            f"their spelling."
        )
    return Generation(
        tuple(ids[token] for token in stop_tokens), settings.ids.pad, max_new_tokens, strip_prompt
    )


def check_model(model: Any, settings: Settings) -> None:
    """Whether the preprocessor makes what the model takes.

    Raises:
        TypeError: not callable.
        ValueError: a preprocessor of videos with a model that generates, an input that the preprocessor does
            not make, a dim or a vocabulary of another size, a medium that the model does not read, a sampler
            that looks at several tokens at once.
    """
    if not callable(model):
        raise TypeError(
            f"`model`: must be a Keras model or another callable on a dict of features; got "
            f"{type(model).__name__}."
        )
    check_family(settings)
    if is_causal_lm(model):
        _check_no_video(settings)
        check_backbone(model.backbone, settings)
        _check_sampler(model.sampler)
    _check_inputs(named_inputs(model) or {}, settings)


def check_family(settings: Settings) -> None:
    """Whether preprocessors of the family are fused with its models.

    Raises:
        ValueError: they are not.
    """
    if settings.family.template is None:
        raise ValueError(
            "`preprocessor`: must be of Gemma 4 or EmbeddingGemma 2 to be fused with a model; got one of "
            f"{settings.family.title}. Export it by itself, and hand the model its rows."
        )


def _check_inputs(inputs: dict[str, ModelInput], settings: Settings) -> None:
    sizes = settings.dim_sizes
    made = {feature.name: feature for feature in FEATURES if feature.group in settings.groups}
    if missing := sorted(inputs.keys() - made.keys()):
        raise ValueError(
            f"`model`: each of its inputs must be a feature of the preprocessor; got {missing}, and there "
            f"are {sorted(made)}. Give the preprocessor the converter that makes them, or rename the model's "
            "inputs."
        )
    for name, given in inputs.items():
        shape = static_shape(made[name], sizes)
        if not tf.TensorShape(shape).is_compatible_with(given.shape):
            raise ValueError(
                f"`model`: its input {name!r} must take what the preprocessor makes, {made[name].dims} = "
                f"{shape}; got {list(given.shape)}. Make both with the same `sequence_length` and media."
            )


def _check_no_video(settings: Settings) -> None:
    if settings.config_of(VIDEO):
        raise ValueError(
            "`video_converter`: must be left out before a model that generates, to which frames are not "
            "handed; got one. Make the preprocessor without it (`--no-videos`), or export it by itself and "
            "hand the model its rows."
        )


def check_backbone(backbone: Any, settings: Settings) -> None:
    """Whether a KerasHub backbone has the tokenizer's vocabulary, and an encoder for each medium.

    Raises:
        ValueError: names what does not fit.
    """
    size = len(settings.tokenizer.vocabulary)
    theirs = backbone.get_config()["vocabulary_size"]
    if theirs != size:
        raise ValueError(
            f"`model`: its vocabulary must be the tokenizer's; got {theirs:,} ids for {size:,}. Pass the "
            f"one made for it."
        )
    for each in settings.media:
        if encoder_of(backbone, each.medium) is None:
            raise ValueError(
                f"`{each.medium.converter}`: must be left out for a model without an encoder for it; got "
                "one. Pass None to the preprocessor."
            )
    if image := settings.config_of(IMAGE):
        encoder = backbone.vision_encoder
        ours = image.patch_size, image.pooling_kernel_size
        theirs = encoder.patch_size, encoder.pool_size
        if ours != theirs:
            raise ValueError(
                f"`model`: its patches and pools must be the image converter's, {ours}; got {theirs}. "
                "Make both alike."
            )


def _check_sampler(sampler: Any) -> None:
    caller = next(kind for kind in type(sampler).__mro__ if "__call__" in vars(kind))
    if caller.__name__ != "Sampler":
        raise ValueError(
            "`model`: its sampler must take one token at a time (greedy, random, top-k, top-p); got "
            f"{type(sampler).__name__}. Compile the model with one of them."
        )
