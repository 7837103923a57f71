"""Ctrl-C that ends a command however deep in a library it strikes, and does not break the cleaning up.

Python raises KeyboardInterrupt between any two of its instructions: also in a callback of C++ code, or while
an object is destroyed, where it is printed and forgotten or becomes another error. So the key is remembered,
and `check` raises it again at the next step. Pressing it twice is the same as pressing it once.
"""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

_pressed = threading.Event()


def pressed() -> bool:
    """Whether Ctrl-C was pressed since the command began."""
    return _pressed.is_set()


def check() -> None:
    """Ends a step.

    Raises:
        KeyboardInterrupt: Ctrl-C was pressed, and a library swallowed what was raised.
    """
    if _pressed.is_set():
        raise KeyboardInterrupt


@contextlib.contextmanager
def remembered() -> Iterator[None]:
    """While it lasts, Ctrl-C is remembered; where it is ignored or handled otherwise, it stays so."""
    _pressed.clear()
    is_ours = (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    )
    if is_ours:
        signal.signal(signal.SIGINT, _press)
    try:
        yield
    finally:
        if is_ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)


def _press(number: int, frame: FrameType | None) -> None:
    if not _pressed.is_set():
        _pressed.set()
        raise KeyboardInterrupt
