"""The command-line options that say what is exported; every command that makes a preprocessor takes the same
ones.
"""

import dataclasses
import functools
import inspect
import pathlib
import typing
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from graph_ops import Gemma4CausalLMPreprocessor

_DEFAULTS = (
    "gemma4_2b"  # whose numbers are taken when no preset is named: the released models' that read all media
)


def _option(text: str) -> Any:
    return typer.Option(help=text, show_default=False)


@dataclasses.dataclass(frozen=True)
class PreprocessorOptions:
    """What a preprocessor is made from. None leaves a setting as the preset, or the released models, have
    it.
    """

    preset: Annotated[
        str | None,
        _option(
            "A built-in preset (see `presets`), a preset folder, hf://owner/name, or "
            "kaggle://owner/model/keras/variant."
        ),
    ] = None
    tokenizer: Annotated[
        pathlib.Path | None,
        _option(
            "Vocabulary in place of the preset's: .spm, .model or tokenizer.json, or a folder that holds one."
        ),
    ] = None
    vocabulary_sha256: Annotated[str | None, _option("Refuse any other vocabulary.")] = None
    parity: Annotated[str | None, _option("Whose rows: keras_hub (the default) or transformers.")] = None
    allow_special_tokens: Annotated[
        str | None,
        _option("Texts that may spell control tokens: all (the default), prompts, or none."),
    ] = None
    sequence_length: Annotated[int | None, _option("Tokens in a row (1024).")] = None
    images: Annotated[
        bool | None, typer.Option(help="Whether prompts may have images.", show_default="if the model sees")
    ] = None
    audio: Annotated[
        bool | None, typer.Option(help="Whether prompts may have audio.", show_default="if the model hears")
    ] = None
    max_images_per_prompt: Annotated[int | None, _option("Image slots in a row (2).")] = None
    max_audio_clips_per_prompt: Annotated[int | None, _option("Clip slots in a row (1).")] = None
    max_image_pixels: Annotated[
        int | None, _option("Largest height × width that is decoded (64,000,000).")
    ] = None
    add_start_token: Annotated[
        bool | None, typer.Option(help="Whether a training row begins with <bos>.", show_default="yes")
    ] = None
    add_end_token: Annotated[
        bool | None, typer.Option(help="Whether a training row ends with <eos>.", show_default="yes")
    ] = None


_ROW_OPTIONS = (
    "parity",
    "allow_special_tokens",
    "sequence_length",
    "max_images_per_prompt",
    "max_audio_clips_per_prompt",
    "add_start_token",
    "add_end_token",
)


def make_preprocessor(
    options: PreprocessorOptions,
    *,
    engine: str = "sentencepiece",
    report: Callable[[str], None] = lambda _: None,
) -> "Gemma4CausalLMPreprocessor":
    """The preprocessor that the options describe, its tokenizer on that engine.

    Raises:
        ValueError: neither a preset nor a tokenizer, or what `from_preset` refuses.
    """
    from graph_ops import (
        Gemma4AudioConverter,
        Gemma4CausalLMPreprocessor,
        Gemma4ImageConverter,
        Gemma4Tokenizer,
    )

    if options.preset is None and options.tokenizer is None:
        raise ValueError(
            "--preset or --tokenizer: one of them must be given. `python -m export presets` lists the "
            "presets."
        )
    preset = options.preset or _DEFAULTS
    arguments: dict[str, Any] = {
        name: getattr(options, name) for name in _ROW_OPTIONS if getattr(options, name) is not None
    }
    if options.images is False:
        arguments["image_converter"] = None
    elif options.images or options.max_image_pixels is not None:
        limit = {} if options.max_image_pixels is None else {"max_image_pixels": options.max_image_pixels}
        arguments["image_converter"] = Gemma4ImageConverter.from_preset(preset, **limit)
    if options.audio is not None:
        arguments["audio_converter"] = Gemma4AudioConverter.from_preset(preset) if options.audio else None
    if options.tokenizer is None:
        arguments["tokenizer"] = Gemma4Tokenizer.from_preset(
            preset, vocabulary_sha256=options.vocabulary_sha256, engine=engine, report=report
        )
    else:
        arguments["tokenizer"] = Gemma4Tokenizer(options.tokenizer, engine=engine, report=report)
    return Gemma4CausalLMPreprocessor.from_preset(
        preset, vocabulary_sha256=options.vocabulary_sha256, **arguments
    )


def with_preprocessor_options(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command the fields of `PreprocessorOptions` as options of its own, before its others; it
    receives them as `options`.
    """
    hints = typing.get_type_hints(PreprocessorOptions, include_extras=True)
    own = inspect.signature(command)
    added = [
        inspect.Parameter(
            field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=hints[field.name]
        )
        for field in dataclasses.fields(PreprocessorOptions)
    ]
    kept = [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for name, parameter in own.parameters.items()
        if name != "options"
    ]

    @functools.wraps(command)
    def wrapped(**given: Any) -> None:
        command(
            options=PreprocessorOptions(
                **{field.name: given.pop(field.name) for field in dataclasses.fields(PreprocessorOptions)}
            ),
            **given,
        )

    wrapped.__signature__ = own.replace(parameters=[*added, *kept])  # type: ignore[attr-defined]
    wrapped.__annotations__ = {parameter.name: parameter.annotation for parameter in (*added, *kept)}
    del wrapped.__wrapped__  # type: ignore[attr-defined]
    return wrapped
