"""Functions of other packages, replaced while a model is traced.

The replacement is for this thread alone: others that train or generate at the same time, even with the same
model, get the original. One thread traces at a time.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

_tracing = threading.RLock()


@contextlib.contextmanager
def replaced(
    owner: Any, name: str, make: Callable[[Callable[..., Any]], Callable[..., Any]]
) -> Iterator[None]:
    """While it lasts, `owner.name` is what `make` makes of it, for this thread; for others it is what it was.

    Args:
        owner: a module or an object.
        name: of a function in it.
        make: from the original to the replacement.
    """
    with _tracing:
        original, this_thread = getattr(owner, name), threading.get_ident()
        own = name in vars(owner)
        replacement = make(original)

        def dispatched(*args: Any, **kwargs: Any) -> Any:
            chosen = replacement if threading.get_ident() == this_thread else original
            return chosen(*args, **kwargs)

        setattr(owner, name, dispatched)
        try:
            yield
        finally:
            if own:
                setattr(owner, name, original)
            else:
                delattr(owner, name)
