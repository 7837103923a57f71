"""The command-line options that say what is exported; every command that makes a preprocessor takes the same
ones.
"""

import dataclasses
import functools
import inspect
import pathlib
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

import typer

from graph_ops.config import (
    CHAT_VARIANTS,
    KERAS_HUB_VERSIONS,
    PARITIES,
    SOFT_TOKEN_BUDGETS,
    SPECIAL_TOKEN_TEXTS,
    ImageConfig,
    RowConfig,
    VideoConfig,
)

DEFAULTS = "gemma4_2b"
"""The preset that numbers are taken from when none is named: a released model that reads all media."""
ENGINES = ("sentencepiece", "builtin")
"""Of `graph_ops.text.engines`, which loads TensorFlow."""


def option(metavar: str, text: str) -> Any:
    """An option with a value, and what the value is."""
    return typer.Option(help=text, metavar=metavar)


def choice(values: Sequence[Any], text: str, *, metavar: str = "WORD") -> Any:
    """An option that takes one of a few values: others are refused while the command line is read, and the
    shell completes these.
    """
    words = [str(value) for value in values]

    def check(value: Any) -> Any:
        if value is not None and value not in values:
            raise typer.BadParameter(f"must be one of {', '.join(words)}; got {value!r}.")
        return value

    return typer.Option(help=text, callback=check, autocompletion=lambda: words, metavar=metavar)


Engine = Annotated[
    str,
    choice(
        ENGINES,
        "sentencepiece, the fastest for English; or builtin, for small exports and programs without "
        "tensorflow-text.",
    ),
]
Out = Annotated[pathlib.Path, option("DIR", "Folder of the model; the version becomes a folder in it.")]
Version = Annotated[int | None, option("N", "Number of the version; by default the highest there plus 1.")]


MEDIA_FILES = {
    "image": Annotated[list[pathlib.Path] | None, option("FILE", "Image file; may be given several times.")],
    "audio": Annotated[list[pathlib.Path] | None, option("FILE", "WAV file; may be given several times.")],
    "video": Annotated[
        list[pathlib.Path] | None,
        option(
            "PATH",
            "Video: a folder of frames, an animated GIF or WebP, or another video file; may be given several "
            "times.",
        ),
    ],
}
"""The option of each medium's files, by the medium's name."""
MaxSoftTokens = Annotated[
    list[int] | None,
    option(
        "N",
        "Most soft tokens of images, 70 to 1120: once for all, or once for each; 0 for the export's own. For "
        "exports with --max-soft-tokens-input.",
    ),
]
MaxSoftTokensInput = Annotated[
    bool,
    typer.Option(help="Add an input, max_soft_tokens, with which requests choose each image's budget."),
]
Prompt = Annotated[str, option("TEXT", "Text with one <|image|>, <|audio|> or <|video|> for each medium.")]


@dataclasses.dataclass(frozen=True)
class PreprocessorOptions:
    """What a preprocessor is made from. None leaves a setting as the preset, or the released models, have
    it.
    """

    preset: Annotated[
        str | None,
        option(
            "NAME",
            "A built-in preset (see `presets`), a preset folder, hf://owner/name, or "
            "kaggle://owner/model/keras/variant.",
        ),
    ] = None
    tokenizer: Annotated[
        pathlib.Path | None,
        option(
            "FILE",
            "Vocabulary in place of the preset's: .spm, .model or tokenizer.json, or a folder with one.",
        ),
    ] = None
    vocabulary_sha256: Annotated[str | None, option("HEX", "Refuse any other vocabulary.")] = None
    parity: Annotated[str | None, choice(PARITIES, "Rows of keras_hub (the default) or transformers.")] = None
    keras_hub_version: Annotated[
        str | None,
        choice(KERAS_HUB_VERSIONS, "Rows of which keras-hub; by default the installed one."),
    ] = None
    allow_special_tokens: Annotated[
        str | None,
        choice(
            SPECIAL_TOKEN_TEXTS,
            "Texts that may spell special tokens: all (the default), prompts, or none.",
        ),
    ] = None
    allow_special_tokens_in_chat: Annotated[
        bool | None, typer.Option(help="Whether messages may spell special tokens (no).")
    ] = None
    chat_variant: Annotated[
        str | None,
        choice(CHAT_VARIANTS, "Chat template of small (E2B, E4B) or large models; by default the preset's."),
    ] = None
    sequence_length: Annotated[int | None, option("N", f"Tokens in a row ({RowConfig.sequence_length}).")] = (
        None
    )
    images: Annotated[
        bool | None,
        typer.Option(help="Whether prompts may have images; by default, if the model reads them."),
    ] = None
    audio: Annotated[
        bool | None, typer.Option(help="Whether prompts may have audio; by default, if the model reads it.")
    ] = None
    max_images_per_prompt: Annotated[
        int | None,
        option("N", f"Image slots in a row ({RowConfig.max_images_per_prompt})."),
    ] = None
    max_audio_clips_per_prompt: Annotated[
        int | None,
        option("N", f"Clip slots in a row ({RowConfig.max_audio_clips_per_prompt})."),
    ] = None
    max_soft_tokens: Annotated[
        int | None,
        choice(
            SOFT_TOKEN_BUDGETS,
            f"Most soft tokens of an image, {', '.join(map(str, SOFT_TOKEN_BUDGETS))}; by default the "
            f"preset's, {ImageConfig.max_soft_tokens}.",
            metavar="N",
        ),
    ] = None
    videos: Annotated[
        bool | None,
        typer.Option(help="Whether prompts may have videos; by default, if the preset has a converter."),
    ] = None
    max_videos_per_prompt: Annotated[
        int | None,
        option("N", f"Video slots in a row ({RowConfig.max_videos_per_prompt})."),
    ] = None
    num_frames: Annotated[
        int | None,
        option("N", f"Frames that are taken from a video ({VideoConfig.num_frames})."),
    ] = None
    max_image_pixels: Annotated[
        int | None,
        option("N", f"Largest height × width that is decoded ({ImageConfig.max_image_pixels:,})."),
    ] = None
    apply_exif_orientation: Annotated[
        bool | None,
        typer.Option(help="Whether image files are turned upright as their EXIF orientation says (yes)."),
    ] = None
    background_color: Annotated[
        str | None,
        option(
            "COLOR",
            "What shows through transparent image files: red,green,blue such as 255,255,255; none to leave "
            "alpha out; parity (the default) for white with --parity transformers and none with keras_hub.",
        ),
    ] = None
    strict: Annotated[
        bool | None,
        typer.Option(help="Whether a WAV file with another size than its header states is refused (no)."),
    ] = None
    add_start_token: Annotated[
        bool | None, typer.Option(help="Whether a training row begins with <bos> (yes).")
    ] = None
    add_end_token: Annotated[
        bool | None, typer.Option(help="Whether a training row ends with <eos> (yes).")
    ] = None


def with_preprocessor_options(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command the fields of `PreprocessorOptions` as options of its own; it receives them as
    `options`.
    """
    return with_fields(command, "options", PreprocessorOptions)


def with_fields(command: Callable[..., None], parameter: str, options: type) -> Callable[..., None]:
    """Gives a command the fields of a dataclass as options of its own; it receives them as `parameter`."""
    hints = typing.get_type_hints(options, include_extras=True)
    added = {field.name: (hints[field.name], field.default) for field in dataclasses.fields(options)}
    required = {
        name: (hint, inspect.Parameter.empty) if default is dataclasses.MISSING else (hint, default)
        for name, (hint, default) in added.items()
    }
    return _with_added(command, parameter, required, lambda given: options(**given))


def with_media_options(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command an option for the files of each medium; it receives their bytes as `media`, by the
    medium's name.
    """
    return _with_media(command, read_media)


def with_media_paths(command: Callable[..., None]) -> Callable[..., None]:
    """The same for a command that receives the files' paths, to read them itself."""
    return _with_media(
        command, lambda paths: {name: [path.expanduser() for path in paths[name] or []] for name in paths}
    )


def read_media(paths: Mapping[str, Sequence[pathlib.Path] | None]) -> dict[str, list[Any]]:
    """What the files of each medium hold, by the medium's name.

    Raises:
        ValueError: a file or folder that holds nothing, or a folder for another medium than video.
    """
    return {name: [_item(name, path.expanduser()) for path in found or []] for name, found in paths.items()}


def _with_media(command: Callable[..., None], collect: Callable[[Any], Any]) -> Callable[..., None]:
    return _with_added(command, "media", {name: (hint, None) for name, hint in MEDIA_FILES.items()}, collect)


def _item(medium: str, path: pathlib.Path) -> Any:
    """The bytes of a file; of a folder those of its files, in the order of their names.

    Raises:
        ValueError: a file or folder that holds nothing, or a folder for another medium than video.
    """
    if medium != "video" or not path.is_dir():
        return _file(medium, path)
    frames = [each for each in sorted(path.iterdir()) if each.is_file() and not each.name.startswith(".")]
    if not frames:
        raise ValueError(f"--{medium}: a folder must hold the frames; {path} has no file. Check the path.")
    return [_file(medium, frame) for frame in frames]


def _file(medium: str, path: pathlib.Path) -> bytes:
    """The bytes of a file; "" would stand for no item.

    Raises:
        ValueError: it is empty.
    """
    data = path.read_bytes()
    if not data:
        raise ValueError(
            f"--{medium}: a file must hold something; {path} is empty. Check how it was written."
        )
    return data


def _with_added(
    command: Callable[..., None],
    parameter: str,
    added: dict[str, tuple[Any, Any]],
    collect: Callable[[dict[str, Any]], Any],
) -> Callable[..., None]:
    """The command with options, name -> (annotation, default), in the place of a parameter, which gets what
    `collect` makes of their values.
    """
    own = inspect.signature(command)
    parameters: list[inspect.Parameter] = []
    for name, kept in own.parameters.items():
        options = added if name == parameter else {name: (kept.annotation, kept.default)}
        parameters += [
            inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
            for key, (annotation, default) in options.items()
        ]

    @functools.wraps(command)
    def wrapped(**given: Any) -> None:
        values = {name: given.pop(name) for name in added}
        command(**{parameter: collect(values)}, **given)

    wrapped.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
    wrapped.__annotations__ = {one.name: one.annotation for one in parameters}
    del wrapped.__wrapped__  # type: ignore[attr-defined]
    return wrapped
