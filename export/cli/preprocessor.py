"""The preprocessor that the command line describes."""

import dataclasses
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from export.cli.color import read_color
from export.cli.options import DEFAULTS, PreprocessorOptions

if TYPE_CHECKING:
    from export.saved_model.write import AnyPreprocessor
    from graph_ops.family import Family
    from graph_ops.text.vocabulary.vocabulary import Vocabulary

_ROW_OPTIONS = (
    "parity",
    "keras_hub_version",
    "allow_special_tokens",
    "allow_special_tokens_in_chat",
    "chat_variant",
    "sequence_length",
    "max_images_per_prompt",
    "max_audio_clips_per_prompt",
    "max_videos_per_prompt",
    "add_start_token",
    "add_end_token",
)
_SOURCES = ("preset", "tokenizer", "vocabulary_sha256")
_EMBEDDING_OPTIONS = ("parity", "allow_special_tokens", "sequence_length")
_TEXT_OPTIONS = ("keras_hub_version", "add_start_token", "add_end_token", *_EMBEDDING_OPTIONS)
_IMAGE_OPTIONS = ("max_soft_tokens", "max_image_pixels", "apply_exif_orientation", "background_color")
_AUDIO_OPTIONS = ("strict",)


def make_preprocessor(
    options: PreprocessorOptions,
    *,
    engine: str = "sentencepiece",
    report: Callable[[str], None] = lambda _: None,
) -> "AnyPreprocessor":
    """The preprocessor that the options describe, its tokenizer on that engine; one that makes rows to embed
    for the preset of a model that embeds.

    Args:
        options: of the command line.
        engine: of the tokenizer.
        report: called with a line before each slow step.

    Raises:
        ValueError: neither a preset nor a tokenizer, or what `from_preset` refuses.
    """
    vocabulary = check_source(options)
    from graph_ops import Gemma4CausalLMPreprocessor, Gemma4Tokenizer
    from graph_ops.presets.embedding import EMBEDDING_PRESETS
    from graph_ops.presets.gemma3 import families_of

    preset = options.preset or DEFAULTS
    if families := families_of(preset):
        return _of_text_alone(families[0], options, vocabulary, engine, report)
    if preset in EMBEDDING_PRESETS:
        return _embedder(preset, options, vocabulary, engine, report)
    converters = _converters(options, preset)
    if vocabulary is None:
        tokenizer = Gemma4Tokenizer.from_preset(
            preset, vocabulary_sha256=options.vocabulary_sha256, engine=engine, report=report
        )
    else:
        tokenizer = Gemma4Tokenizer(vocabulary, engine=engine, report=report)
    return Gemma4CausalLMPreprocessor.from_preset(
        preset,
        vocabulary_sha256=options.vocabulary_sha256,
        tokenizer=tokenizer,
        **_given(options, _ROW_OPTIONS),
        **_vision_tokens(options),
        **({} if options.num_frames is None else {"num_frames_per_video": options.num_frames}),
        **converters,
    )


def embeds(preprocessor: "AnyPreprocessor") -> bool:
    """Whether a preprocessor makes rows to embed."""
    return bool(preprocessor.settings.family.embedding.sizes)


def check_generates(preprocessor: "AnyPreprocessor") -> None:
    """Whether a bundle can be written of a preprocessor.

    Raises:
        ValueError: it makes rows to embed.
    """
    if embeds(preprocessor):
        raise ValueError(
            f"`preset`: must be of a model that generates, for a LiteRT bundle; "
            f"{preprocessor.settings.family.title} embeds. Write a SavedModel."
        )


def _embedder(
    preset: str,
    options: PreprocessorOptions,
    vocabulary: "Vocabulary | None",
    engine: str,
    report: Callable[[str], None],
) -> "AnyPreprocessor":
    from graph_ops import EmbeddingGemma2TextEmbedderPreprocessor, Gemma4Tokenizer
    from graph_ops.presets.embedding import load_embedding_preset

    if given := _given(options, [name for name in _ROW_OPTIONS if name not in _EMBEDDING_OPTIONS]):
        raise ValueError(
            f"`{min(given)}`: must be left out for {preset}, a model that embeds; got {given[min(given)]!r}. "
            "Leave it out."
        )
    if vocabulary is None:
        vocabulary = load_embedding_preset(preset).checked_vocabulary(options.vocabulary_sha256)
    return EmbeddingGemma2TextEmbedderPreprocessor.from_preset(
        preset,
        tokenizer=Gemma4Tokenizer(vocabulary, engine=engine, report=report),
        **_given(options, _EMBEDDING_OPTIONS),
        **_converters(options, DEFAULTS),
    )


def _of_text_alone(
    family: "Family",
    options: PreprocessorOptions,
    vocabulary: "Vocabulary | None",
    engine: str,
    report: Callable[[str], None],
) -> "AnyPreprocessor":
    from graph_ops.layers.gemma3 import CLASSES

    taken = _EMBEDDING_OPTIONS if family.embedding.sizes else _TEXT_OPTIONS
    names = [each.name for each in dataclasses.fields(options) if each.name not in (*_SOURCES, *taken)]
    given = {name: value for name, value in _given(options, names).items() if value is not False}
    if given:
        raise ValueError(
            f"`{min(given)}`: must be left out for {family.title}, of which text alone is read; got "
            f"{given[min(given)]!r}. Leave it out."
        )
    made, preset = CLASSES[family.name], options.preset or ""
    on_engine: dict[str, Any] = {"engine": engine, "report": report}
    tokenizer = (
        made.tokenizer_cls.from_preset(preset, vocabulary_sha256=options.vocabulary_sha256, **on_engine)
        if vocabulary is None
        else made.tokenizer_cls(vocabulary, **on_engine)
    )
    return made.from_preset(preset, tokenizer=tokenizer, **_given(options, taken))


def check_source(options: PreprocessorOptions) -> "Vocabulary | None":
    """Checks what a preprocessor is made from as far as that needs neither TensorFlow nor the network.

    Returns:
        The vocabulary of `tokenizer`; None without that option.

    Raises:
        ValueError, FileNotFoundError: neither a preset nor a tokenizer, no such preset, no such vocabulary,
            or another one than the pinned one.
    """
    from graph_ops.presets.catalogue import load_preset
    from graph_ops.presets.embedding import EMBEDDING_PRESETS
    from graph_ops.presets.files import read_vocabulary
    from graph_ops.presets.gemma3 import families_of
    from graph_ops.presets.settings import check_vocabulary

    if options.preset is None and options.tokenizer is None:
        raise ValueError(
            "--preset or --tokenizer: one of them must be given. `gemma4-graph presets` lists the presets."
        )
    preset = options.preset
    if preset is not None and not (preset in EMBEDDING_PRESETS or "://" in preset or families_of(preset)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what a folder leaves out is said when it is used
            load_preset(preset)
    if options.tokenizer is None:
        return None
    vocabulary = read_vocabulary(options.tokenizer)
    check_vocabulary(vocabulary, options.vocabulary_sha256)
    return vocabulary


def _given(options: PreprocessorOptions, names: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(options, name) for name in names if getattr(options, name) is not None}


def _vision_tokens(options: PreprocessorOptions) -> dict[str, int]:
    """A row has as many places for an image as it may have soft tokens."""
    return {} if options.max_soft_tokens is None else {"num_vision_tokens_per_image": options.max_soft_tokens}


def _image_settings(options: PreprocessorOptions) -> dict[str, Any]:
    given = _given(options, _IMAGE_OPTIONS)
    if "background_color" in given:
        given["background_color"] = read_color(given["background_color"])
    return given


def _video_settings(options: PreprocessorOptions) -> dict[str, Any]:
    """Those of image files, which frames are, and the number of frames."""
    return _image_settings(options) | _given(options, ("num_frames",))


def _converters(options: PreprocessorOptions, preset: str) -> dict[str, Any]:
    """The converters where they are not to be the preset's own."""
    from graph_ops import Gemma4AudioConverter, Gemma4ImageConverter, Gemma4VideoConverter

    converters: dict[str, Any] = {}
    for converter, wanted, given in (
        (Gemma4ImageConverter, options.images, _image_settings(options)),
        (Gemma4AudioConverter, options.audio, _given(options, _AUDIO_OPTIONS)),
        (Gemma4VideoConverter, options.videos, _video_settings(options)),
    ):
        if wanted is False:
            converters[converter.medium.converter] = None
        elif wanted or (given and converter is not Gemma4VideoConverter):
            converters[converter.medium.converter] = converter.from_preset(preset, **given)
    return converters
