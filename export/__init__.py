"""Artifacts of the preprocessor: writing, reading, running and verifying them. The only place with files and
a command line.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from export.fusing.litert import fuse_litert
    from export.fusing.write import fuse

__all__ = ["fuse", "fuse_litert"]

_MODULES = {"fuse": "export.fusing.write", "fuse_litert": "export.fusing.litert"}


def __getattr__(name: str) -> Any:
    """What `__all__` names, imported when it is first asked for: TensorFlow takes seconds to load."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_MODULES[name]), name)
