"""The table of signatures: name -> inputs, outputs, the function that computes them. What an artifact offers
is read off it.
"""

import dataclasses
import functools

import tensorflow as tf

from export.signature import Input, Signature, Tensors
from graph_ops.faults import Finding, status_messages
from graph_ops.features import BY_NAME, dim_sizes, feature_names, static_shape
from graph_ops.pipeline.served import decode, decode_ids, encode
from graph_ops.settings import Settings
from graph_ops.text.reading import prompt_reading

DEFAULT = "serving_default"
"""TensorFlow's name of the signature that a client gets without asking; here the same as
`generate_preprocess`.
"""


INPUTS = {
    "prompts": Input(tf.string, (None,), "UTF-8, with one `<|image|>` or `<|audio|>` for each medium"),
    "responses": Input(tf.string, (None,), "UTF-8"),
    "images": Input(tf.string, (None, None), 'JPEG, PNG, GIF, BMP or WebP files; "" for an empty slot'),
    "audio": Input(tf.string, (None, None), 'WAV files; "" for an empty slot'),
    "text": Input(tf.string, (None,), "UTF-8"),
    "token_ids": Input(tf.int32, (None, None), "ids"),
    "padding_mask": Input(tf.bool, (None, None), "True on what is read"),
    "lengths": Input(tf.int32, (None,), "ids of each row"),
}
ARRAY_INPUTS = {
    "images": Input(tf.uint8, (None, None, None, None, 3), "pixels [B, I, H, W, 3]"),
    "image_sizes": Input(tf.int32, (None, None, 2), "true (height, width); (0, 0) for an empty slot"),
    "audio": Input(tf.float32, (None, None, None), "samples [B, A, T] in -1…1 at 16 kHz"),
    "audio_lengths": Input(tf.int32, (None, None), "true lengths; 0 for an empty slot"),
}
PLAIN_OUTPUTS = {
    "status": 'what is wrong with the row and how to mend it; "" for a good row',
    "text": "UTF-8",
    "token_ids": "ids, 0 past the length",
    "lengths": "ids of each row",
}


def signatures(settings: Settings, *, compact: bool = False) -> dict[str, Signature]:
    """All signatures that the settings support, by name.

    Args:
        settings: of the preprocessor.
        compact: whether `pixel_values` are the pixels themselves, uint8, for the client to scale: a quarter
            of the bytes to send.
    """
    if compact and settings.image:
        settings = settings._replace(image=dataclasses.replace(settings.image, scale=None, offset=None))
    vision = ("images",) if settings.image else ()
    audio = ("audio",) if settings.audio else ()
    preprocessing = functools.partial(_preprocessing, settings, compact=compact)
    table = {"generate_preprocess_text": preprocessing((), "text alone")}
    if vision:
        table["generate_preprocess_image"] = preprocessing(vision, "text and encoded images")
    if audio:
        table["generate_preprocess_audio"] = preprocessing(audio, "text and WAV files")
    table["generate_preprocess"] = preprocessing(
        vision + audio, "everything that the preprocessor takes, to generate from"
    )
    if vision or audio:
        table["generate_preprocess_arrays"] = preprocessing(
            vision + audio, "the same from pixels and samples", arrays=True
        )
    table["preprocess"] = preprocessing(
        vision + audio, "the same with responses, labels and weights", training=True
    )
    table["generate_postprocess"] = _postprocessing(settings)
    table["tokenize"] = _tokenizing(settings)
    table["detokenize"] = _detokenizing(settings)
    table[DEFAULT] = table["generate_preprocess"]
    return table


def _preprocessing(
    settings: Settings,
    media: tuple[str, ...],
    meaning: str,
    *,
    compact: bool,
    arrays: bool = False,
    training: bool = False,
) -> Signature:
    groups = [
        "text",
        *(group for medium, group in (("images", "vision"), ("audio", "audio")) if medium in media),
    ]
    names = feature_names(*groups, *(["labels"] if training else []))
    sizes = dim_sizes(settings.row, settings.image, settings.audio)
    inputs = {"prompts": INPUTS["prompts"]} | ({"responses": INPUTS["responses"]} if training else {})
    for medium in media:
        companion = {"images": "image_sizes", "audio": "audio_lengths"}[medium]
        inputs |= (
            {name: ARRAY_INPUTS[name] for name in (medium, companion)} if arrays else {medium: INPUTS[medium]}
        )

    def function(tensors: Tensors) -> Tensors:
        length = settings.row.sequence_length
        features, finding = encode(tensors, settings, sequence_length=length, training=training, served=True)
        shaped = {name: tf.ensure_shape(features[name], static_shape(BY_NAME[name], sizes)) for name in names}
        if compact and "pixel_values" in shaped:
            shaped["pixel_values"] = tf.cast(shaped["pixel_values"], tf.uint8)
        return shaped | {"status": status_messages(finding)}

    return Signature(inputs, (*names, "status"), function, meaning)


def _postprocessing(settings: Settings) -> Signature:
    def function(tensors: Tensors) -> Tensors:
        return _text_and_status(decode(tensors["token_ids"], tensors["padding_mask"], settings))

    inputs = {name: INPUTS[name] for name in ("token_ids", "padding_mask")}
    return Signature(inputs, ("text", "status"), function, "generated ids to text, special tokens left out")


def _tokenizing(settings: Settings) -> Signature:
    def function(tensors: Tensors) -> Tensors:
        rows = settings.tokenizer.tokenize_rows(tensors["text"], reading=prompt_reading(settings.row))
        return rows._asdict()

    return Signature({"text": INPUTS["text"]}, ("token_ids", "lengths"), function, "text to ids")


def _detokenizing(settings: Settings) -> Signature:
    def function(tensors: Tensors) -> Tensors:
        keep = tf.sequence_mask(tensors["lengths"], tf.shape(tensors["token_ids"])[1])
        return _text_and_status(decode_ids(tensors["token_ids"], keep, settings.tokenizer))

    return Signature(
        {name: INPUTS[name] for name in ("token_ids", "lengths")}, ("text", "status"), function, "ids to text"
    )


def _text_and_status(decoded: tuple[tf.Tensor, Finding]) -> Tensors:
    text, finding = decoded
    return {"text": text, "status": status_messages(finding)}
