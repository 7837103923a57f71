"""TensorFlow's start-up chatter, kept off a command's terminal."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """Holds back what C++ code prints to the standard error stream; shows it after all if the block fails for
    a reason of ours.

    TensorFlow and SentencePiece log before any setting of theirs takes effect, so that the file descriptor is
    the only place to do it.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except (ValueError, OSError):  # the user's mistake, which has a sentence of its own
            raise
        except BaseException:
            os.dup2(kept, 2)
            held.seek(0)
            sys.stderr.write(held.read().decode("utf-8", "replace"))
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)
