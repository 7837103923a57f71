"""Artifacts of the preprocessor: writing, reading, running and verifying them. The only place with files and a command line."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from export.fusing import fuse

__all__ = ["fuse"]


def __getattr__(name: str) -> Any:
    """`fuse`, imported when it is first asked for: TensorFlow takes seconds to load."""
    if name != "fuse":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from export.fusing import fuse

    return fuse
