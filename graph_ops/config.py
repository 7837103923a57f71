"""Every number that Gemma 4's preprocessing depends on, each with its unit and its source.

The dataclasses are frozen: a step takes one, and nothing else of the configuration, as its setting. Field
names are KerasHub's, so that a KerasHub layer's `get_config()` maps onto them one to one. What can be derived
is a property, never a second field.
"""

import dataclasses
from collections.abc import Mapping

from graph_ops.rules import (
    check_audio,
    check_choice,
    check_color,
    check_flag,
    check_positive,
    check_rate,
    check_whole,
)

SOURCE = "transformers 5.24.0 (models/gemma4) and keras-hub 0.32.0 (models/gemma4)"

PARITIES = ("keras_hub", "transformers")
PARITY = "parity"
"""In place of a setting: as the reference has it that rows equal."""
BACKGROUND_COLORS: Mapping[str, tuple[int, int, int] | None] = {
    "keras_hub": None,
    "transformers": (255, 255, 255),
}
"""The colour that transparent pictures are composited over, None where alpha is left out, by parity. Source:
`keras.utils.load_img` and `transformers.image_transforms.convert_to_rgb`.
"""


SOFT_TOKEN_BUDGETS = (70, 140, 280, 560, 1120)
"""Most soft tokens of an image that the vision encoder was trained with. Source: transformers'
`_SUPPORTED_SOFT_TOKENS`.
"""


@dataclasses.dataclass(frozen=True)
class ImageConfig:
    """How an image becomes patches. Source: `Gemma4ImageProcessorPil`."""

    patch_size: int = 16
    """Side of a square patch, in pixels."""
    max_soft_tokens: int = 280
    """Most soft tokens (pooled patches) that one image may take; the released models were trained with each
    of `SOFT_TOKEN_BUDGETS`.
    """
    pooling_kernel_size: int = 3
    """Side of the square of patches that the vision encoder pools into one soft token."""
    scale: float | tuple[float, ...] | None = 1 / 255
    """Factor from a pixel in 0…255 to a model input; one number or one per channel. None leaves pixels in
    0…255.
    """
    offset: float | tuple[float, ...] | None = None
    """Added after scaling; one number or one per channel."""
    max_image_pixels: int = 64_000_000
    """Largest height × width that is decoded, in pixels; one of a CMYK JPEG counts as four. Ours: a small
    file must not be able to ask for gigabytes.
    """
    apply_exif_orientation: bool = True
    """Whether a JPEG, PNG or WebP file is turned upright as its EXIF block or XMP says, equal to Pillow's
    `ImageOps.exif_transpose`. Source: `transformers.image_utils.load_image`. In both parities, because
    KerasHub's preprocessor never sees a file and models are trained on upright pictures; False for the
    pixels of `keras.utils.load_img`, which does not turn.
    """
    background_color: tuple[int, int, int] | str | None = PARITY
    """What shows through where a file is transparent: (red, green, blue) in 0…255, composited as Pillow's
    `alpha_composite` does; None to leave alpha out, as Pillow's `convert("RGB")` and
    `keras.utils.load_img` do; "parity" for the reference's: `BACKGROUND_COLORS`.
    """

    def __post_init__(self) -> None:
        check_positive(self, "patch_size", "max_soft_tokens", "pooling_kernel_size", "max_image_pixels")
        check_flag(self, "apply_exif_orientation")
        check_color(self, "background_color", otherwise=(None, PARITY))
        for name in ("scale", "offset"):
            value = getattr(self, name)
            if isinstance(value, tuple) and len(value) not in (1, 3):
                raise ValueError(
                    f"`{name}`: must be one number or one for each of 3 channels; got {value!r}. Pass 1 or "
                    f"3 numbers."
                )

    def background(self, parity: str) -> tuple[int, int, int] | None:
        """The colour to composite over, or None to leave alpha out, where rows equal that of `PARITIES`."""
        color = self.background_color
        return BACKGROUND_COLORS[parity] if isinstance(color, str) else color

    @property
    def budgets(self) -> tuple[int, ...]:
        """What a request may choose for an image: those of `SOFT_TOKEN_BUDGETS` below `max_soft_tokens`, and
        this.
        """
        most = self.max_soft_tokens
        return (*(budget for budget in SOFT_TOKEN_BUDGETS if budget < most), most)

    @property
    def max_patches(self) -> int:
        """Patches in a full row of the output: 280 × 9 = 2520."""
        return self.max_soft_tokens * self.pooling_kernel_size**2

    @property
    def patch_dim(self) -> int:
        """Numbers in one patch, in (row, column, channel) order: 16 × 16 × 3 = 768."""
        return 3 * self.patch_size**2

    @property
    def side_multiple(self) -> int:
        """A resized side is a multiple of this many pixels: 16 × 3 = 48."""
        return self.patch_size * self.pooling_kernel_size


@dataclasses.dataclass(frozen=True)
class VideoConfig(ImageConfig):
    """How a video becomes frames, and each of these patches. Source: `Gemma4VideoProcessor`."""

    max_soft_tokens: int = 70
    """Most soft tokens that one frame may take."""
    num_frames: int = 32
    """Frames that are taken from a video, at even distances."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_whole(self, "num_frames", least=1)


AUDIO_FEATURES = ("log_mel", "waveform")


@dataclasses.dataclass(frozen=True)
class AudioConfig:
    """How a waveform becomes a log-mel spectrogram. Source: `Gemma4AudioFeatureExtractor`."""

    num_mels: int = 128
    """Mel bins."""
    num_fft_bins: int = 512
    """FFT length, in samples."""
    stride: int = 160
    """Hop from one frame to the next, in samples (10 ms)."""
    sampling_rate: int = 16_000
    """Samples a second; other rates are resampled to it."""
    max_audio_length: int = 30
    """Longest clip, in seconds; what is longer is cut there, as both references do."""
    min_frequency: float = 0.0
    """Lower edge of the first mel triangle, in Hz."""
    max_frequency: float = 8_000.0
    """Upper edge of the last mel triangle, in Hz."""
    mel_floor: float = 1e-3
    """Added to a mel magnitude before the logarithm. The released model's; KerasHub's bare constructor says
    1e-5.
    """
    per_bin_mean: tuple[float, ...] | None = None
    """Subtracted from each log-mel bin, or None."""
    per_bin_stddev: tuple[float, ...] | None = None
    """Divides each log-mel bin after the mean, or None."""
    frame_length: int = 320
    """Window, in samples (20 ms)."""
    frames_per_soft_token: int = 4
    """Time reduction of the audio encoder (two convolutions of stride 2)."""
    features: str = "log_mel"
    """What a frame holds, one of `AUDIO_FEATURES`: its mel bins, or `stride` samples as they are, as
    `Gemma4UnifiedAudioFeatureExtractor` has them; the settings of mel bins then have no effect.
    """
    strict: bool = False
    """Whether a WAV file is refused if its header states another size of its samples than they have. Ours:
    off, a file that was streamed or cut gives what is there, as with libsndfile.
    """

    def __post_init__(self) -> None:
        check_choice(self, "features", AUDIO_FEATURES)
        check_audio(self)
        check_flag(self, "strict")

    @property
    def is_raw(self) -> bool:
        """Whether frames hold samples."""
        return self.features == "waveform"

    @property
    def frame_size(self) -> int:
        """Numbers in a frame: 128 mel bins, or in Gemma 4 unified 640 samples."""
        return self.stride if self.is_raw else self.num_mels

    @property
    def max_samples(self) -> int:
        """Samples in the longest clip: 480,000."""
        return self.sampling_rate * self.max_audio_length

    @property
    def max_frames(self) -> int:
        """Frames that the longest clip fills in KerasHub's layout: 3,000."""
        return self.max_samples // self.stride

    @property
    def max_soft_tokens(self) -> int:
        """Soft tokens of the longest clip: 750."""
        return -(-self.max_frames // self.frames_per_soft_token)


SPECIAL_TOKEN_TEXTS = ("all", "prompts", "none")
KERAS_HUB_VERSIONS = ("0.32", "0.33")
CHAT_VERSIONS = (5,)
CHAT_VARIANTS = ("small", "large")


MEDIUM_CONFIGS: Mapping[str, type] = {"image": ImageConfig, "audio": AudioConfig, "video": VideoConfig}
"""The configuration of each medium's converter, by the medium's name."""


def converter_argument(medium: str) -> str:
    """Argument of the preprocessor that says how items of the medium with that name are converted."""
    return f"{medium}_converter"


@dataclasses.dataclass(frozen=True)
class RowConfig:
    """How prompts, media and responses share a row. Defaults:
    `keras_hub.models.Gemma4CausalLMPreprocessor`.
    """

    sequence_length: int = 1024
    """Tokens in a row."""
    add_start_token: bool = True
    """Whether a row begins with `<bos>`; a generation row always does in keras-hub before 0.33."""
    add_end_token: bool = True
    """Whether a training row ends with `<eos>`; a generation row never does."""
    max_images_per_prompt: int = 2
    """Image slots in a row; 0 only without images."""
    num_vision_tokens_per_image: int = 280
    """Soft tokens an image takes in KerasHub's layout, and the width of its block in `vision_indices` in
    both.
    """
    max_audio_clips_per_prompt: int = 1
    """Clip slots in a row; 0 only without audio."""
    num_audio_tokens_per_clip: int = 750
    """Kept for KerasHub's configurations, where it has no effect either: a clip's count follows from its
    length.
    """
    audio_input_feat_size: int = 128
    """Mel bins of the empty audio tensors that a preprocessor without audio converter emits; 0 leaves them
    out.
    """
    max_videos_per_prompt: int = 1
    """Video slots in a row; 0 only without videos. Ours: KerasHub's class has one."""
    num_frames_per_video: int = 32
    """Must be the video converter's `num_frames`, which KerasHub's class states a second time."""
    num_vision_tokens_per_frame: int = 70
    """Kept for KerasHub's configurations; a frame's count follows from its size."""
    video_fps: float = 24.0
    """Frames a second of a video that does not say; both references have 24."""
    parity: str = "keras_hub"
    """Which reference the rows equal: one of `PARITIES`."""
    keras_hub_version: str = "0.32"
    """Which keras-hub they equal in its parity, one of `KERAS_HUB_VERSIONS`. Ours; a preprocessor takes the
    installed one by default.
    """
    allow_special_tokens: str = "all"
    """Texts in which a special token may be spelled, one of `SPECIAL_TOKEN_TEXTS`: in all, in prompts alone,
    or in none but for the placeholders of media. Elsewhere it is ordinary characters. Ours.
    """
    chat_version: int = 5
    """Version of the chat template. Ours, and so are those that follow."""
    chat_variant: str = "small"
    """Variant of the chat template, one of `CHAT_VARIANTS`: that of E2B and E4B, or that of the larger
    models, which opens a turn without thinking with an empty thought.
    """
    allow_special_tokens_in_chat: bool = False
    """Whether a message may spell special tokens, and so media and turns. Otherwise those that it spells are
    ordinary characters.
    """

    def __post_init__(self) -> None:
        check_whole(self, "sequence_length", least=1)
        check_whole(
            self,
            "max_images_per_prompt",
            "num_vision_tokens_per_image",
            "max_audio_clips_per_prompt",
            "num_audio_tokens_per_clip",
            "audio_input_feat_size",
            "max_videos_per_prompt",
            "num_frames_per_video",
            "num_vision_tokens_per_frame",
            least=0,
        )
        check_rate(self, "video_fps")
        check_choice(self, "parity", PARITIES)
        check_choice(self, "keras_hub_version", KERAS_HUB_VERSIONS)
        check_choice(self, "allow_special_tokens", SPECIAL_TOKEN_TEXTS)
        check_choice(self, "chat_version", CHAT_VERSIONS)
        check_choice(self, "chat_variant", CHAT_VARIANTS)
        check_flag(self, "allow_special_tokens_in_chat")

    @property
    def generation_starts(self) -> bool:
        """Whether a generation row begins with `<bos>`."""
        return self.add_start_token or (self.parity == "keras_hub" and self.keras_hub_version == "0.32")
