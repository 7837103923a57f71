"""The tables of the engine `builtin`, built once for each vocabulary and kept in the user's cache folder."""

import os
import pathlib
import tempfile
import zipfile
from collections.abc import Callable

import numpy as np
import platformdirs
import tensorflow as tf

from graph_ops.text.bpe import strings
from graph_ops.text.bpe.supported import require_supported
from graph_ops.text.bpe.tables import BuiltinTables, build, flatten, unflatten
from graph_ops.text.bpe.tokenize import tokenize
from graph_ops.text.vocabulary.vocabulary import Vocabulary

FORMAT = 12
"""Raised with every change of what the tables hold."""

Report = Callable[[str], None]


def load_tables(
    vocabulary: Vocabulary, *, report: Report = lambda _: None, folder: "str | os.PathLike[str] | None" = None
) -> BuiltinTables:
    """The tables of a vocabulary: from the cache, or built (some ten seconds for 262,144 pieces) and put
    there.

    Args:
        vocabulary: of a model.
        report: told what is being built.
        folder: of the cache; by default the user's.

    Raises:
        ValueError: the engine cannot reproduce the vocabulary; see `require_supported`.
    """
    require_supported(vocabulary)
    path = pathlib.Path(
        folder or platformdirs.user_cache_dir("gemma4-graph"), f"{vocabulary.sha256}-{FORMAT}.npz"
    )
    tables = _read(path)
    if tables is None:
        with tf.init_scope():
            tables = build(vocabulary, whole_words=_whole_words, report=report)
        _write(tables, path)
    return tables


def _whole_words(tables: BuiltinTables, texts: list[bytes]) -> np.ndarray:
    """Which texts become one id, bool [n]."""
    stream = strings.to_stream(tf.constant(texts))
    tokens = tokenize(stream.codes, tables)
    ends = tf.gather(tokens.before, stream.ends).numpy()
    return np.diff(ends, prepend=0) == 1


def _read(path: pathlib.Path) -> BuiltinTables | None:
    """The tables in a file, or None if they are not there or damaged."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return unflatten({name: arrays[name] for name in arrays.files})
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def _write(tables: BuiltinTables, path: pathlib.Path) -> None:
    """Puts tables into a file, whole or not at all; a cache that cannot be written is no error."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
            written = pathlib.Path(scratch, "tables.npz")
            np.savez(written, **flatten(tables))
            written.replace(path)
    except OSError:
        return
