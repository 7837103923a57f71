"""A command as a user types it."""

import pytest

from export.cli.main import main


def run(capsys, *arguments):
    """Exit code, standard output, error stream."""
    with pytest.raises(SystemExit) as stop:
        main(list(arguments))
    printed = capsys.readouterr()
    return stop.value.code, printed.out, printed.err
