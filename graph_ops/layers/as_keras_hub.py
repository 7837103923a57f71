"""Our preprocessor as an instance of KerasHub's `Preprocessor`, without importing keras-hub.

A task of KerasHub passes labels to its preprocessor, and so can train, only if that is an instance of its own
class. keras-hub is an optional package that takes seconds to import, and may be imported before or after this
one; so its class becomes a base of ours when both are there.
"""

import contextlib
import sys


def join_keras_hub(cls: type) -> None:
    """Makes KerasHub's `Preprocessor` a base of `cls`, behind its others, if keras-hub has been imported.

    Everything that `cls` defines stays what it is. Instances made before are KerasHub's from then on too.
    """
    models = getattr(sys.modules.get("keras_hub"), "models", None)
    base = getattr(models, "Preprocessor", None)
    if base is not None and base not in cls.__mro__:
        # a subclass that names KerasHub's class before ours is one already, and leaves no order of bases
        with contextlib.suppress(TypeError):
            cls.__bases__ = (*cls.__bases__, base)
