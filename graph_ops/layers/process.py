"""Whether TensorFlow can run in this process: not in one that was forked after it had run."""

import os

_first_process: int | None = None


def check_process() -> None:
    """Notes the process in which our layers first ran.

    A fork does not copy TensorFlow's threads, so that every op would wait for ever in the copy.

    Raises:
        RuntimeError: this process is a fork of that one.
    """
    global _first_process
    _first_process = _first_process or os.getpid()
    if _first_process != os.getpid():
        raise RuntimeError(
            "a preprocessor, tokenizer or converter cannot run in a process that was forked after one of "
            "them had run in its parent: TensorFlow's threads are not copied. Start workers with "
            "`multiprocessing.get_context('spawn')`, or run the first one in the workers only."
        )
