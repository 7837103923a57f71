"""TensorFlow's start-up chatter, kept off a command's terminal."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator

from export.cli import interruption
from export.cli.mistakes import is_users


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """Holds back what C++ code prints to the standard error stream; shows it after all if the block fails by
    no mistake of the user's and no Ctrl-C.

    TensorFlow and SentencePiece log before any setting of theirs takes effect, so that the file descriptor is
    the only place to do it.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except Exception as error:
            os.dup2(kept, 2)
            if not (is_users(error) or interruption.pressed()):
                held.seek(0)
                sys.stderr.write(held.read().decode("utf-8", "replace"))
            raise
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)
