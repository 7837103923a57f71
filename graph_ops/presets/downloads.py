"""`hf://` and `kaggle://` handles to folders on this machine, through the libraries that cache them; only
what preprocessing reads.
"""

import importlib
import pathlib
from typing import Any

SETTINGS_FILES = (
    "config.json",
    "preprocessor.json",
    "metadata.json",
    "image_converter.json",
    "audio_converter.json",
    "processor_config.json",
    "preprocessor_config.json",
    "tokenizer_config.json",
)
"""Files with settings in either layout, KerasHub's and Hugging Face's; none is in every preset."""

KERAS_HUB_VOCABULARY = "assets/tokenizer/vocabulary.spm"
HUGGINGFACE_VOCABULARY = "tokenizer.json"
"""In KerasHub's layout the file of this name holds settings."""

_PACKAGES = {
    "hf": ("huggingface_hub", "huggingface"),
    "kaggle": ("kagglehub", "kaggle"),
}  # scheme -> package, extra
_INSTEAD = (
    "Or download it elsewhere and pass the folder, or pass the vocabulary as `tokenizer=` (--tokenizer) with "
    "a built-in preset."
)


class DownloadError(OSError):
    """A preset's files could not be fetched; the message says why and what to do."""


def fetch(handle: str) -> pathlib.Path:
    """The folder of a handle, downloaded unless it is cached.

    Args:
        handle: `hf://owner/name`, `hf://owner/name@revision`, `kaggle://owner/model/framework/variant` or
            that with `/version`.

    Raises:
        ValueError: not such a handle.
        DownloadError: the package is not installed, no network, no such model, or its licence is not
            accepted.
    """
    scheme, name = _parts(handle)
    return _fetch_huggingface(name) if scheme == "hf" else _fetch_kaggle(name)


def fetch_vocabulary(kaggle_handle: str | None, huggingface_repository: str) -> pathlib.Path:
    """The vocabulary file of a built-in preset: from Kaggle or, where that fails or has none, from Hugging
    Face.

    Raises:
        DownloadError: each failed; says why.
    """
    reasons = []
    attempts = (
        (kaggle_handle, lambda package, name: package.model_download(name, path=KERAS_HUB_VOCABULARY)),
        (
            f"hf://{huggingface_repository}",
            lambda package, name: package.hf_hub_download(name, HUGGINGFACE_VOCABULARY),
        ),
    )
    for handle, download in attempts:
        if handle is None:
            continue
        try:
            return pathlib.Path(_call(handle, download))
        except DownloadError as error:
            reasons.append(str(error).removesuffix(f" {_INSTEAD}"))
    raise DownloadError(f"{' '.join(reasons)} {_INSTEAD}")


def _parts(handle: str) -> tuple[str, str]:
    scheme, _, name = handle.partition("://")
    parts = name.split("/")
    shapes = {"hf": (2,), "kaggle": (4, 5)}
    if len(parts) not in shapes.get(scheme, ()) or not all(parts):
        raise ValueError(
            "`preset`: a handle must be 'hf://owner/name[@revision]' or "
            f"'kaggle://owner/model/framework/variant[/version]'; got {handle!r}. Complete it, or pass a "
            "folder."
        )
    return scheme, name


def _fetch_huggingface(name: str) -> pathlib.Path:
    repository, _, revision = name.partition("@")
    files = [*SETTINGS_FILES, HUGGINGFACE_VOCABULARY, KERAS_HUB_VOCABULARY]

    def download(package: Any, _: str) -> str:
        return package.snapshot_download(repository, revision=revision or None, allow_patterns=files)

    return pathlib.Path(_call(f"hf://{name}", download))


def _fetch_kaggle(name: str) -> pathlib.Path:
    """Kaggle downloads file by file; the vocabulary must be there, and each other file may be missing."""
    handle = f"kaggle://{name}"
    vocabulary = pathlib.Path(
        _call(handle, lambda package, name: package.model_download(name, path=KERAS_HUB_VOCABULARY))
    )
    for file in (*SETTINGS_FILES, "tokenizer.json"):
        _call(
            handle,
            lambda package, name, file=file: package.model_download(name, path=file),
            may_be_missing=True,
        )
    return vocabulary.parents[KERAS_HUB_VOCABULARY.count("/")]


def _call(handle: str, download: Any, *, may_be_missing: bool = False) -> Any:
    """What `download(package, name)` returns; whatever the package raises becomes a `DownloadError` that says
    what to do.
    """
    scheme, name = _parts(handle)
    package = _import(scheme, handle)
    try:
        return download(package, name)
    except Exception as error:  # each library has a family of its own, and that of its HTTP client
        if may_be_missing and (_status(error) == 404 or "is not present in the model files" in str(error)):
            return None
        raise DownloadError(f"{_reason(handle, error)} {_INSTEAD}") from error


def _import(scheme: str, handle: str) -> Any:
    package, extra = _PACKAGES[scheme]
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise DownloadError(
            f"`preset`: {handle} needs the package {package}, which cannot be imported ({error}). Install it "
            f"with `pip install 'gemma4-graph[{extra}]'`. {_INSTEAD}"
        ) from error


def _status(error: Exception) -> int | None:
    return getattr(getattr(error, "response", None), "status_code", None)


def _reason(handle: str, error: Exception) -> str:
    scheme, name = _parts(handle)
    status = _status(error)
    page = (
        f"huggingface.co/{name}" if scheme == "hf" else f"kaggle.com/models/{'/'.join(name.split('/')[:2])}"
    )
    log_in = "`hf auth login`" if scheme == "hf" else "`kagglehub.login()`"
    if status in (401, 403):
        return (
            f"`preset`: {handle} may not be read (HTTP {status}). Log in with {log_in} and accept the "
            f"licence at {page}."
        )
    if status == 404:
        return f"`preset`: there is no {handle} or it lacks a file (HTTP 404). Look for it at {page}."
    first_line = (str(error).strip() or type(error).__name__).splitlines()[0]
    return (
        f"`preset`: {handle} could not be downloaded ({type(error).__name__}: {first_line}). Check the "
        "network and the name."
    )
