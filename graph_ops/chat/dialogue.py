"""Dialogues as tensors, and the tokens that a template writes into them."""

from typing import NamedTuple

import tensorflow as tf

PART_TYPES = ("", "text", "value", "list", "other", "image", "image_url", "audio", "input_audio", "video")
"""What a part may be.

| type | what it is |
| --- | --- |
| "" | no part |
| "text" | a text; alone, it is a content that is a string |
| "value" | of a tool message: native text of what is no string, such as `42` |
| "list" | nothing, but says that the content is a list, even of one part or none |
| "other" | a part that is left out; in a first system message, of parts, it leaves a space |
| "image", "image_url" | an image |
| "audio", "input_audio" | a clip |
| "video" | a video |
"""

PART_MEDIA = {
    "image": "image",
    "image_url": "image",
    "audio": "audio",
    "input_audio": "audio",
    "video": "video",
}
"""Type of a part -> the medium that it is."""


class Dialogues(NamedTuple):
    """Dialogues of B rows.

    Attributes:
        roles: string [B, M]; "" for no message.
        parts: string [B, M, P], what the parts of type "text" and "value" say; UTF-8.
        part_types: string [B, M, P], each one of `PART_TYPES`.
        names: string [B, M], of a tool message: the function that it answers for; "" for unknown.
        thoughts: string [B, M]; "" for none.
        calls: string [B, M, C], native text such as `call:f{a:1}`; "" for none.
        responses: string [B, M, R], native text such as `response:f{value:1}`, of a tool message or of the
            message that has the calls; "" for none.
        tools: string [B, T], native text such as `declaration:f{description:…}`; "" for none.
        add_generation_prompt: bool [B], whether the model's next turn is opened.
        enable_thinking: bool [B], whether the model is asked to think.
        preserve_thinking: bool [B], whether thoughts beside older calls stay.
    """

    roles: tf.Tensor
    parts: tf.Tensor
    part_types: tf.Tensor
    names: tf.Tensor
    thoughts: tf.Tensor
    calls: tf.Tensor
    responses: tf.Tensor
    tools: tf.Tensor
    add_generation_prompt: tf.Tensor
    enable_thinking: tf.Tensor
    preserve_thinking: tf.Tensor


class TemplateTokens(NamedTuple):
    """What a template writes for each special token: its name, or a mark.

    Attributes:
        start: begins a row.
        turn: opens a turn.
        turn_end: closes it.
        think: asks for thoughts.
        tool: opens a declaration.
        tool_end: closes it.
        call: opens a call.
        call_end: closes it.
        response: opens a response.
        response_end: closes it.
        channel: opens a thought.
        channel_end: closes it.
        quote: on both sides of a string in native text.
        image: an image's placeholder.
        audio: a clip's placeholder.
        video: a video's placeholder.
        learn: "" or a mark, before what the model itself says.
    """

    start: bytes
    turn: bytes
    turn_end: bytes
    think: bytes
    tool: bytes
    tool_end: bytes
    call: bytes
    call_end: bytes
    response: bytes
    response_end: bytes
    channel: bytes
    channel_end: bytes
    quote: bytes
    image: bytes
    audio: bytes
    video: bytes
    learn: bytes | tf.Tensor = b""


def kinds_of(part_types: tf.Tensor) -> tf.Tensor:
    """Int32 […]: the index of each type, string […], in `PART_TYPES`; 0 for one that is not there."""
    is_type = tf.equal(part_types[..., tf.newaxis], list(PART_TYPES))
    return tf.argmax(tf.cast(is_type, tf.int8), axis=-1, output_type=tf.int32)
