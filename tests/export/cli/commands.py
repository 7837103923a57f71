"""A command as a user types it, in this process or in one of its own."""

import json
import subprocess
import sys

import pytest

from export.cli.main import main
from export.verify.samples import demonstration_file

VOCABULARY = str(demonstration_file("demonstration.spm"))
PHOTO, SPEECH = str(demonstration_file("photo.jpg")), str(demonstration_file("speech.wav"))


def run(capsys, *arguments):
    """Exit code, standard output, error stream."""
    with pytest.raises(SystemExit) as stop:
        main(list(arguments))
    printed = capsys.readouterr()
    return stop.value.code, printed.out, printed.err


def start(*arguments, before="", **settings):
    """A command in a process of its own, in which Ctrl-C works even where the tests run in the background;
    `before` is Python that it runs first.
    """
    code = (
        f"import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n{before}\n"
        "from export.cli.main import main\nmain()"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **settings,
    )


def run_alone(*arguments, **settings):
    """The same as `run`, in a process of its own."""
    process = start(*arguments, **settings)
    out, err = process.communicate()
    return process.returncode, out, err


def write_demo(folder, command, name):
    """What a command of `make demo` exports, as `folder/name`, with how it ended as `folder/name.json`."""
    folder.mkdir(exist_ok=True)
    ended = run_alone(command, "--tokenizer", VOCABULARY, "--out", folder / name)
    (folder / f"{name}.json").write_text(json.dumps(ended))
