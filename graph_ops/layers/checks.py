"""What a preprocessor's settings, and its media, must be to each other."""

import tensorflow as tf

from graph_ops.media.audio import AUDIO
from graph_ops.media.image import IMAGE
from graph_ops.media.medium import Medium
from graph_ops.media.table import MEDIA
from graph_ops.media.video import VIDEO
from graph_ops.settings import Settings, text_alone


def check_settings(settings: Settings) -> None:
    """Whether rows and converters fit each other; each has checked itself.

    Raises:
        ValueError: names the setting, the rule and what was given.
    """
    row, image = settings.row, settings.config_of(IMAGE)
    for each in settings.media:
        _check_slots(each.medium.slots, each.medium.num_slots(row), each.medium)
    if image:
        _check_slots("num_vision_tokens_per_image", row.num_vision_tokens_per_image, IMAGE)
    if image and row.sequence_length <= row.max_images_per_prompt * row.num_vision_tokens_per_image:
        raise ValueError(
            "`sequence_length`: must exceed `max_images_per_prompt * num_vision_tokens_per_image`; got "
            f"{row.sequence_length} <= {row.max_images_per_prompt} * {row.num_vision_tokens_per_image}. "
            f"Raise it or allow fewer images."
        )
    audio = settings.config_of(AUDIO)
    if audio and audio.is_raw and row.parity == "keras_hub":
        raise ValueError(
            "`parity`: must be 'transformers' where the audio converter's `features` are 'waveform', which "
            "keras-hub does not have; got 'keras_hub'. Pass parity='transformers'."
        )
    video = settings.config_of(VIDEO)
    if video and row.num_frames_per_video != video.num_frames:
        raise ValueError(
            "`num_frames_per_video`: must be the video converter's `num_frames`; got "
            f"{row.num_frames_per_video} and {video.num_frames}. Make them equal."
        )
    if image and row.parity == "transformers" and row.num_vision_tokens_per_image < image.max_soft_tokens:
        raise ValueError(
            "`num_vision_tokens_per_image`: must be at least the image converter's `max_soft_tokens` with "
            f"parity 'transformers'; got {row.num_vision_tokens_per_image} < {image.max_soft_tokens}. Make "
            f"them equal."
        )


def check_media(inputs: dict[str, tf.Tensor], settings: Settings) -> None:
    """Whether there is a converter for each medium that was given, and room for its items where their number
    is known.

    Raises:
        ValueError: names the medium.
    """
    for medium in MEDIA:
        for key in inputs.keys() & {medium.argument, medium.values}:
            if not settings.family.reads(medium.name):
                raise ValueError(text_alone(settings.family, key))
            if settings.config_of(medium) is None:
                raise ValueError(
                    f"`{key}`: needs a preprocessor with `{medium.converter}`; this one has none. Pass "
                    f"`{medium.converter}=` to the constructor."
                )
            slots, most = inputs[key].shape[1], medium.num_slots(settings.row)
            if key == medium.values and medium.frames:
                most *= medium.frames(settings.config_of(medium))
            if slots is not None and slots > most:
                raise ValueError(
                    f"`{key}`: a row may have at most {most}; got {slots}. Raise the preprocessor's maximum "
                    "or pass fewer."
                )


def _check_slots(name: str, value: int, medium: Medium) -> None:
    if value < 1:
        raise ValueError(
            f"`{name}`: must be at least 1; got {value}. Leave `{medium.converter}` out to have no such "
            f"medium."
        )
