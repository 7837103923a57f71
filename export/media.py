"""What exports need to know of each medium besides its steps, as one table: `MEDIA_IN_EXPORTS`."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from export.videos import VideoArray, as_video, pack_sources, pack_videos
from graph_ops.audio.wav import decode_wavs
from graph_ops.config import AudioConfig, ImageConfig, RowConfig, VideoConfig
from graph_ops.faults import Finding, raise_findings
from graph_ops.image.decode import decode_image
from graph_ops.media.arrays import pack_items
from graph_ops.media.audio import AUDIO
from graph_ops.media.image import IMAGE
from graph_ops.media.medium import Medium
from graph_ops.media.table import MEDIA
from graph_ops.media.video import VIDEO


class BucketKind(NamedTuple):
    """How the fixed sizes of a medium's items are written.

    Attributes:
        pattern: regular expression with a group for each number.
        example: for an error message.
        label: `str.format` of the numbers, which ends the signature's name.
        axes: (numbers, the medium's configuration) -> lengths of the axes that vary.
    """

    pattern: str
    example: str
    label: str
    axes: Callable[[tuple[int, ...], Any], tuple[int, ...]]


class Encoder(NamedTuple):
    """A medium's way into a `keras_hub.models.Gemma4CausalLM`.

    Attributes:
        attribute: of the model's backbone that is the encoder; None there for a model without one.
        embeddings: argument of `call_with_cache`.
        present: marks [B, K, …] to bool [B, K], which slots are filled.
        encode: (the encoder, values, marks) -> embeddings [B, K, tokens, dim].
    """

    attribute: str
    embeddings: str
    present: Callable[[tf.Tensor], tf.Tensor]
    encode: Callable[[Any, tf.Tensor, tf.Tensor], tf.Tensor]


class MediumInExports(NamedTuple):
    """What `export/` knows of a medium.

    Attributes:
        medium: the medium.
        demonstration: name of the shipped file.
        small_item: an item as small as can be, since warmup requests travel with the model.
        write_file: an item's array as a file.
        read_files: (files, the medium's settings in a bundle's description and its `parity`) -> arrays of
            items, as an app's own decoder would make them; raises ValueError for one that does not decode.
        describe_files: (the medium's configuration, parity) -> what an app's own decoder must know.
        buckets: how sizes of static signatures are written.
        encoder: how a model takes it.
    """

    medium: Medium
    demonstration: str
    small_item: np.ndarray
    write_file: Callable[[np.ndarray], bytes]
    read_files: Callable[[list[bytes], Mapping[str, Any]], list[np.ndarray]]
    describe_files: Callable[[Any, str], dict[str, Any]]
    buckets: BucketKind
    encoder: Encoder


_FILE_SETTINGS = ("max_image_pixels", "apply_exif_orientation", "background_color")
"""Fields of `ImageConfig` that say how a file becomes pixels."""


def _read_images(files: list[bytes], settings: Mapping[str, Any]) -> list[np.ndarray]:
    # A JSON file has a list in the place of a tuple.
    given: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in settings.items()
        if name in _FILE_SETTINGS
    }
    config, parity = ImageConfig(**given), settings.get("parity", RowConfig.parity)
    images = [decode_image(tf.constant(file), config=config, parity=parity) for file in files]
    raise_findings(Finding(*map(tf.stack, zip(*(image.finding for image in images), strict=True))), "image")
    return [image.pixels.numpy() for image in images]


def _describe_images(config: ImageConfig, parity: str) -> dict[str, Any]:
    described = {name: getattr(config, name) for name in _FILE_SETTINGS}
    return described | {"background_color": config.background(parity)}


def _describe_videos(config: VideoConfig, parity: str) -> dict[str, Any]:
    return _describe_images(config, parity) | {"num_frames": config.num_frames}


def _read_videos(videos: list[Any], settings: Mapping[str, Any]) -> list[np.ndarray]:
    """Raises ValueError where frames have several sizes: on a device a video is one array."""
    arrays = []
    for video in map(as_video, videos):
        frames = _read_images(list(video.frames), settings)
        if len({frame.shape for frame in frames}) > 1:
            raise ValueError(
                "`videos`: on a device all frames of a video must have one size; got several. Resize them."
            )
        arrays.append(np.stack(frames))
    return arrays


def _read_clips(files: list[bytes], settings: Mapping[str, Any]) -> list[np.ndarray]:
    # devices take 16 kHz
    config = AudioConfig(strict=settings.get("strict", AudioConfig.strict))
    waveforms = decode_wavs(tf.constant(files), config=config)
    raise_findings(waveforms.finding, "clip")
    pairs = zip(waveforms.samples.numpy(), waveforms.lengths.numpy(), strict=True)
    return [clip[:length] for clip, length in pairs]


def _write_wav(samples: np.ndarray) -> bytes:
    return tf.audio.encode_wav(samples[:, np.newaxis], AudioConfig.sampling_rate).numpy()


def decodable(
    media: Mapping[str, Sequence[Any]], settings: Mapping[str, Any] | None = None
) -> dict[str, list[Any]]:
    """Files by the medium's name, those of other kinds turned into ones that the graph decodes where
    libraries of the host can; videos as `VideoFiles`, of the frames that the settings take.
    """
    return {
        medium.name: [
            as_video(file, settings) if medium.frames else medium.decode_on_host(file)
            for file in media[medium.name]
        ]
        for medium in MEDIA
        if medium.name in media
    }


def pack_files(medium: Medium, files: Sequence[Any]) -> dict[str, np.ndarray]:
    """The inputs of one row's files of a medium, [1, K, …] each: bytes, or what `as_video` takes."""
    if medium.frames:
        return pack_videos([as_video(file) for file in files], medium=medium)
    packed = np.empty((1, len(files)), object)
    packed[0] = list(files)
    return {medium.argument: packed}


def pack_arrays(medium: Medium, items: Sequence[Any], *, slots: int) -> dict[str, np.ndarray]:
    """The inputs of one row's items of a medium that are arrays, [1, slots, …] each; a video may be a
    `VideoArray`.
    """
    if not medium.frames:
        packed = pack_items([items], medium=medium, slots=slots)
        return dict(zip((medium.argument, medium.sizes), packed, strict=True))
    videos = [item if isinstance(item, VideoArray) else VideoArray(item) for item in items]
    arrays, sizes = pack_items([[video.frames for video in videos]], medium=medium, slots=slots)
    said = pack_sources(videos, medium=medium, slots=slots)
    return {medium.argument: arrays, medium.sizes: sizes} | said


_VISION = Encoder(
    "vision_encoder",
    "img_embeddings",
    lambda positions: tf.reduce_any(positions[..., 0] >= 0, axis=2),
    lambda encoder, pixels, positions: encoder({IMAGE.values: pixels, IMAGE.marks: positions}),
)
"""Of images, and of the frames of videos."""

MEDIA_IN_EXPORTS: Mapping[str, MediumInExports] = {
    IMAGE.name: MediumInExports(
        medium=IMAGE,
        demonstration="photo.jpg",
        small_item=np.full((16, 16, 3), 128, np.uint8),
        write_file=lambda pixels: tf.io.encode_png(pixels).numpy(),
        read_files=_read_images,
        describe_files=_describe_images,
        buckets=BucketKind(
            r"([1-9]\d*)x([1-9]\d*)",
            "image=768x1024 (height x width)",
            "{0}x{1}",
            lambda sides, config: sides,
        ),
        encoder=_VISION,
    ),
    AUDIO.name: MediumInExports(
        medium=AUDIO,
        demonstration="speech.wav",
        small_item=np.zeros(160, np.float32),
        write_file=_write_wav,
        read_files=_read_clips,
        describe_files=lambda config, parity: {
            name: getattr(config, name) for name in ("sampling_rate", "max_audio_length", "strict")
        },
        buckets=BucketKind(
            r"([1-9]\d*)",
            "audio=10 (seconds)",
            "{0}s",
            lambda seconds, config: (seconds[0] * config.sampling_rate,),
        ),
        encoder=Encoder(
            "audio_encoder",
            "audio_embeddings",
            lambda mask: tf.reduce_any(mask > 0, axis=2),
            lambda encoder, mel, mask: encoder(mel, tf.cast(mask, tf.bool)),
        ),
    ),
    VIDEO.name: MediumInExports(
        medium=VIDEO,
        demonstration="photo.jpg",
        small_item=np.full((1, 16, 16, 3), 128, np.uint8),
        write_file=lambda frames: tf.io.encode_png(frames[0]).numpy(),
        read_files=_read_videos,
        describe_files=_describe_videos,
        buckets=BucketKind(
            r"([1-9]\d*)x([1-9]\d*)x([1-9]\d*)",
            "video=32x360x640 (frames x height x width)",
            "{0}x{1}x{2}",
            lambda sides, config: sides,
        ),
        encoder=_VISION,
    ),
}
"""By the medium's name."""
