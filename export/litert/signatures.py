"""The table of a LiteRT bundle's signatures: one row at a time, bytes for strings, raw media, and only
float32, int32 and uint8.

Native runtimes resize their inputs, so lengths vary. Browsers cannot, so a static bundle has each signature
once for every bucket, with inputs and outputs of fixed size.
"""

import dataclasses
import re
from typing import Any

import tensorflow as tf

from export.saved_model.signatures import Input, Signature, Tensors
from graph_ops.config import AudioConfig, ImageConfig
from graph_ops.faults import Finding
from graph_ops.features import BY_NAME, feature_names
from graph_ops.media.slots import Audio, Vision, audio_from_arrays, vision_from_arrays
from graph_ops.pipeline import litert as portable
from graph_ops.pipeline.litert import Text
from graph_ops.settings import Settings

INPUTS = {
    "text": "UTF-8 bytes",
    "text_length": "bytes that count",
    "prompts": "UTF-8 bytes, with one `<|image|>` or `<|audio|>` for each medium",
    "prompts_length": "bytes that count",
    "token_ids": "ids",
    "lengths": "ids that count",
    "padding_mask": "not 0 on what is read",
    "images": "pixels, each image in its slot's top left corner",
    "image_sizes": "true (height, width); (0, 0) for an empty slot",
    "audio": "samples in -1…1 at 16 kHz",
    "audio_lengths": "true lengths; 0 for an empty slot",
    "image_soft_tokens": "what `preprocess_image` gave for each slot; 0 for an empty slot",
    "audio_soft_tokens": "what `preprocess_audio` gave for each slot; 0 for an empty slot",
}
OUTPUTS = {
    "token_ids": "ids, 0 past the length",
    "lengths": "ids",
    "text": "UTF-8 bytes, 0 past the length",
    "text_length": "bytes",
    "soft_tokens": "soft tokens of the medium; 0 without one",
    "status": "0, or what is wrong: a code of `statuses`",
    "logits": "of the next id, one for each piece of the vocabulary",
    "cache": "keys and values of the model's layers, to hand on",
    "status_detail": "the two numbers that the status' sentence quotes",
}


@dataclasses.dataclass(frozen=True)
class Buckets:
    """Sizes of a static bundle's inputs.

    Attributes:
        text: most bytes of a text, and most ids to detokenize.
        image: largest (height, width) of an image.
        audio: most seconds of a clip.
    """

    text: tuple[int, ...] = ()
    image: tuple[tuple[int, int], ...] = ()
    audio: tuple[int, ...] = ()


def parse_buckets(texts: list[str]) -> Buckets:
    """Buckets from `["text=256,1024", "image=768x768", "audio=10"]`.

    Raises:
        ValueError: something else.
    """
    sizes: dict[str, list[Any]] = {"text": [], "image": [], "audio": []}
    for text in texts:
        kind, _, values = text.partition("=")
        for value in values.split(","):
            match = re.fullmatch(r"([1-9]\d*)x([1-9]\d*)" if kind == "image" else r"([1-9]\d*)", value)
            if kind not in sizes or not match:
                raise ValueError(
                    f"--static: must be like text=256,1024 or image=768x1024 (height x width) or audio=10 "
                    f"(seconds); got {text!r}."
                )
            numbers = tuple(int(number) for number in match.groups())
            sizes[kind].append(numbers if kind == "image" else numbers[0])
    return Buckets(**{kind: tuple(dict.fromkeys(values)) for kind, values in sizes.items()})


def device_signatures(settings: Settings, buckets: Buckets | None = None) -> dict[str, Signature]:
    """All signatures that the settings support, by name; with buckets, each of fixed size with the size in
    its name.
    """
    if buckets is None:
        table = {"tokenize": _tokenizing(settings, None), "detokenize": _detokenizing(settings, None)}
        table |= {"preprocess_image": _image(settings.image, None, None)} if settings.image else {}
        table |= (
            {"preprocess_audio": _audio(settings.audio, settings.row.parity, None)} if settings.audio else {}
        )
        table["generate_preprocess"] = _whole_row(settings)
        table |= (
            {"generate_preprocess_counts": _counted_row(settings, None)}
            if settings.image or settings.audio
            else {}
        )
        table["generate_postprocess"] = _postprocessing(settings, fixed=False)
        return {
            name: signature._replace(function=_with_known_shapes(signature.function))
            for name, signature in table.items()
        }
    table = {}
    for size in buckets.text:
        table |= {
            f"tokenize_{size}": _tokenizing(settings, size),
            f"detokenize_{size}": _detokenizing(settings, size),
        }
        table[f"generate_preprocess_counts_{size}"] = _counted_row(settings, size)
    if settings.image:
        table |= {
            f"preprocess_image_{height}x{width}": _image(settings.image, height, width)
            for height, width in buckets.image
        }
    if settings.audio:
        table |= {
            f"preprocess_audio_{seconds}s": _audio(settings.audio, settings.row.parity, seconds)
            for seconds in buckets.audio
        }
    table["generate_postprocess"] = _postprocessing(settings, fixed=True)
    fixed = (_ending_elementwise(_with_known_shapes(signature.function)) for signature in table.values())
    return {
        name: signature._replace(function=function)
        for (name, signature), function in zip(table.items(), fixed, strict=True)
    }


def _text_inputs(name: str, size: int | None) -> dict[str, Input]:
    return {name: _input(name, tf.uint8, size), f"{name}_length": _input(f"{name}_length", tf.int32, 1)}


def _input(name: str, dtype: tf.DType, *shape: int | None) -> Input:
    return Input(dtype, shape, INPUTS[name])


def _media_inputs(settings: Settings) -> dict[str, Input]:
    images, clips, given = settings.row.max_images_per_prompt, settings.row.max_audio_clips_per_prompt, {}
    if settings.image:
        given["images"] = _input("images", tf.uint8, 1, images, None, None, 3)
        given["image_sizes"] = _input("image_sizes", tf.int32, 1, images, 2)
    if settings.audio:
        given["audio"] = _input("audio", tf.float32, 1, clips, None)
        given["audio_lengths"] = _input("audio_lengths", tf.int32, 1, clips)
    return given


def _tokenizing(settings: Settings, size: int | None) -> Signature:
    def function(tensors: Tensors) -> Tensors:
        tokens, finding = portable.tokenize(Text(tensors["text"], tensors["text_length"]), settings)
        return tokens._asdict() | _status(finding)

    return Signature(_text_inputs("text", size), ("token_ids", "lengths", *_STATUS), function, "text to ids")


def _detokenizing(settings: Settings, size: int | None) -> Signature:
    def function(tensors: Tensors) -> Tensors:
        return _text_outputs(
            *portable.detokenize(
                tensors["token_ids"], tensors["lengths"], settings, capacity=_capacity(settings, size)
            )
        )

    inputs = {"token_ids": _input("token_ids", tf.int32, 1, size), "lengths": _input("lengths", tf.int32, 1)}
    return Signature(inputs, ("text", "text_length", *_STATUS), function, "ids to text")


def _postprocessing(settings: Settings, *, fixed: bool) -> Signature:
    size = settings.row.sequence_length
    capacity = _capacity(settings, size if fixed else None)

    def function(tensors: Tensors) -> Tensors:
        return _text_outputs(
            *portable.generate_postprocess(
                tensors["token_ids"], tensors["padding_mask"], settings, capacity=capacity
            )
        )

    inputs = {
        name: _input(name, tf.int32, 1, size if fixed else None) for name in ("token_ids", "padding_mask")
    }
    return Signature(
        inputs, ("text", "text_length", *_STATUS), function, "generated ids to text, special tokens left out"
    )


def _image(config: ImageConfig, height: int | None, width: int | None) -> Signature:
    def function(tensors: Tensors) -> Tensors:
        images, sizes = tensors["images"][:, tf.newaxis], tensors["image_sizes"][:, tf.newaxis]
        vision = vision_from_arrays(images, sizes, config=config, portable=True)
        features = {
            "pixel_values": vision.pixel_values[:, 0],
            "pixel_position_ids": vision.pixel_position_ids[:, 0],
        }
        return features | {"soft_tokens": vision.slots.num_soft_tokens[:, 0]} | _status(vision.slots.finding)

    inputs = {
        "images": _input("images", tf.uint8, 1, height, width, 3),
        "image_sizes": _input("image_sizes", tf.int32, 1, 2),
    }
    return Signature(
        inputs, ("pixel_values", "pixel_position_ids", "soft_tokens", *_STATUS), function, "one image"
    )


def _audio(config: AudioConfig, parity: str, seconds: int | None) -> Signature:
    samples = None if seconds is None else seconds * config.sampling_rate

    def function(tensors: Tensors) -> Tensors:
        clips, lengths = tensors["audio"][:, tf.newaxis], tensors["audio_lengths"][:, tf.newaxis]
        audio = audio_from_arrays(clips, lengths, config=config, parity=parity, dft="matmul")
        features = {"audio_mel": audio.audio_mel[:, 0], "audio_mel_mask": audio.audio_mel_mask[:, 0]}
        return features | {"soft_tokens": audio.slots.num_soft_tokens[:, 0]} | _status(audio.slots.finding)

    inputs = {
        "audio": _input("audio", tf.float32, 1, samples),
        "audio_lengths": _input("audio_lengths", tf.int32, 1),
    }
    return Signature(inputs, ("audio_mel", "audio_mel_mask", "soft_tokens", *_STATUS), function, "one clip")


def _whole_row(settings: Settings) -> Signature:
    def function(tensors: Tensors) -> Tensors:
        vision = audio = None
        if settings.image:
            vision = vision_from_arrays(
                tensors["images"], tensors["image_sizes"], config=settings.image, portable=True
            )
        if settings.audio:
            parity = settings.row.parity
            audio = audio_from_arrays(
                tensors["audio"], tensors["audio_lengths"], config=settings.audio, parity=parity, dft="matmul"
            )
        return _row(tensors, vision, audio, settings)

    groups = ("text", *(["vision"] if settings.image else []), *(["audio"] if settings.audio else []))
    meaning = "a prompt and its media, to generate from"
    return Signature(
        _text_inputs("prompts", None) | _media_inputs(settings),
        (*feature_names(*groups), *_STATUS),
        function,
        meaning,
    )


def _counted_row(settings: Settings, size: int | None) -> Signature:
    """A row without the media's own tensors, which the app has from before."""
    row, inputs, kept = settings.row, _text_inputs("prompts", size), feature_names("text")
    if settings.image:
        inputs["image_soft_tokens"] = _input("image_soft_tokens", tf.int32, 1, row.max_images_per_prompt)
        kept += ["vision_indices", "vision_mask"]
    if settings.audio:
        inputs["audio_soft_tokens"] = _input("audio_soft_tokens", tf.int32, 1, row.max_audio_clips_per_prompt)
        kept += ["audio_indices", "audio_mask"]

    def function(tensors: Tensors) -> Tensors:
        vision = audio = None
        if settings.image:
            slots = portable.counted_slots(tensors["image_soft_tokens"], row.num_vision_tokens_per_image)
            vision = Vision(
                _nothing(slots.num_soft_tokens, tf.float32), _nothing(slots.num_soft_tokens, tf.int32), slots
            )
        if settings.audio:
            slots = portable.counted_slots(tensors["audio_soft_tokens"], settings.audio.max_soft_tokens)
            audio = Audio(
                _nothing(slots.num_soft_tokens, tf.float32),
                _nothing(slots.num_soft_tokens, tf.int32)[..., 0],
                slots,
            )
        return {
            name: tensor
            for name, tensor in _row(tensors, vision, audio, settings).items()
            if name in (*kept, *_STATUS)
        }

    return Signature(inputs, (*kept, *_STATUS), function, "a prompt whose media were preprocessed before")


def _row(tensors: Tensors, vision: Vision | None, audio: Audio | None, settings: Settings) -> Tensors:
    features, finding = portable.generate_preprocess(
        Text(tensors["prompts"], tensors["prompts_length"]), vision, audio, settings
    )
    numbers = {
        name: tf.cast(tensor, tf.int32) if tensor.dtype == tf.bool else tensor
        for name, tensor in features.items()
    }
    return numbers | _status(finding)


def _nothing(counts: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
    """[1, K, 1, 1]: a medium's tensor that nobody asks for."""
    return tf.cast(tf.zeros_like(counts), dtype)[..., tf.newaxis, tf.newaxis]


_STATUS = ("status", "status_detail")


def _status(finding: Finding) -> Tensors:
    return {"status": finding.fault, "status_detail": finding.detail}


def _text_outputs(text: Text, finding: Finding) -> Tensors:
    return {"text": text.codes, "text_length": text.length} | _status(finding)


def _capacity(settings: Settings, ids: int | None) -> int | None:
    """Bytes that so many ids can become."""
    return (
        None
        if ids is None
        else ids * max(3, *(len(piece.encode()) for piece in settings.tokenizer.vocabulary.pieces))
    )


def _with_known_shapes(function: Any) -> Any:
    """The same function; an output whose shape is known while tracing is known to have it in the bundle too,
    where IF hides it.
    """

    def known(tensor: tf.Tensor) -> tf.Tensor:
        return tf.reshape(tensor, tensor.shape) if tensor.shape.is_fully_defined() else tensor

    return lambda tensors: {name: known(tensor) for name, tensor in function(tensors).items()}


def _ending_elementwise(function: Any) -> Any:
    """The same function, each output of the size it says and the minimum of itself and its dtype's largest
    number; bytes as they are.

    LiteRT.js returns garbage, without an error, for outputs that come straight out of segment ops, WHILE or
    RANGE (bytes are the outcome of a cast), and cannot hand out one whose size the model does not say, which
    the converter forgets behind a branch.
    """

    def ended(tensor: tf.Tensor) -> tf.Tensor:
        return (
            tensor
            if tensor.dtype == tf.uint8
            else tf.minimum(tf.reshape(tensor, tensor.shape), tensor.dtype.max)
        )

    return lambda tensors: {name: ended(tensor) for name, tensor in function(tensors).items()}


def describe_output(name: str) -> str:
    """The meaning of an output for readers."""
    if name in OUTPUTS:
        return OUTPUTS[name]
    return BY_NAME[name].meaning if name in BY_NAME else "an output of the model"
