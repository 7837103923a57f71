"""Whole rows, beside KerasHub's class."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from export.verify import samples
from export.verify.media import MEL_TOLERANCE
from export.verify.result import Result, Subject, compare, skipped
from graph_ops.family import GEMMA4
from graph_ops.layers.gemma3 import CLASSES
from graph_ops.media.audio import AUDIO
from graph_ops.media.image import IMAGE

KERAS_HUB_PIXEL_TOLERANCE = 32 / 255
"""Largest difference from KerasHub's pixels, which `tf.image.resize` makes and not Pillow."""

_ROW = ("sequence_length", "add_start_token", "add_end_token")


def rows(subject: Subject) -> Iterator[Result]:
    """Every tensor of a row with text, an image and a clip."""
    if subject.parity != "keras_hub":
        return
    try:
        import keras_hub
    except ImportError:
        yield skipped("whole rows", "keras_hub's class", "keras-hub is not installed")
        return
    if subject.family != GEMMA4.name:
        yield from _rows_of_text(subject, keras_hub)
        return
    theirs = _theirs(subject, keras_hub)
    images = [samples.pixels(300, 400)] if subject.config_of(IMAGE) else []
    clips = [samples.sounds(40_000)["noise"]] if subject.config_of(AUDIO) else []
    seen, heard = (
        GEMMA4.tokens_of(name).placeholder * len(found)
        for name, found in (("image", images), ("audio", clips))
    )
    prompt = f"Look {seen} and listen {heard} now."
    media: dict[str, Any] = ({"images": np.stack(images)[np.newaxis]} if images else {}) | (
        {"audio": clips[0][np.newaxis]} if clips else {}
    )
    expected = theirs.generate_preprocess({"prompts": [prompt], **media})
    for runtime in subject.runtimes:
        ours = runtime.row(prompt, {"image": images, "audio": clips})
        for name in sorted(expected.keys() & ours.keys()):
            reference = np.asarray(expected[name])
            mine = ours[name][
                tuple(slice(size) for size in reference.shape)
            ]  # slots and widths past KerasHub's hold padding
            allowed = {"pixel_values": KERAS_HUB_PIXEL_TOLERANCE, "audio_mel": MEL_TOLERANCE}.get(name, 0.0)
            yield compare(
                f"row: {name}", runtime.name, "keras_hub's class", [mine], [reference], allowed=allowed
            )


def _theirs(subject: Subject, keras_hub: Any) -> Any:
    """KerasHub's class for Gemma 4 with the subject's settings."""
    image, audio = subject.config_of(IMAGE), subject.config_of(AUDIO)
    layers = keras_hub.layers
    return keras_hub.models.Gemma4CausalLMPreprocessor(
        keras_hub.models.Gemma4Tokenizer(subject.vocabulary.proto),
        image_converter=layers.Gemma4ImageConverter(scale=image["scale"]) if image else None,
        audio_converter=layers.Gemma4AudioConverter(mel_floor=audio["mel_floor"]) if audio else None,
        **{name: subject.config[name] for name in (*_ROW, "max_images_per_prompt")},
    )


def _rows_of_text(subject: Subject, keras_hub: Any) -> Iterator[Result]:
    """Rows of the fixed texts, of a family of which text alone is read."""
    made = CLASSES[subject.family]
    name, prefix = made.keras_hub_class, made.tokenizer_cls.keras_hub_prefix
    try:
        tokenizer = getattr(keras_hub.models, f"{prefix}Tokenizer")(subject.vocabulary.proto)
    except ValueError as error:
        yield skipped("whole rows", "keras_hub's class", str(error))
        return
    theirs = getattr(keras_hub.models, name)(tokenizer, **{each: subject.config[each] for each in _ROW})
    expected = theirs.generate_preprocess(list(samples.FIXED_TEXTS))
    for runtime in subject.runtimes:
        ours = [runtime.row(text, {}) for text in samples.FIXED_TEXTS]
        for feature, reference in expected.items():
            mine = [row[feature][0] for row in ours]
            yield compare(f"row: {feature}", runtime.name, "keras_hub's class", mine, np.asarray(reference))
