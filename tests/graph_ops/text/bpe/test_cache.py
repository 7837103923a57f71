"""Tables on disk."""

import numpy as np

from graph_ops.text.bpe import cache
from graph_ops.text.bpe.tables import flatten
from graph_ops.text.vocabulary.vocabulary import load_vocabulary
from tests.data import DEMONSTRATION


def test_tables_are_cached_and_a_damaged_cache_is_rebuilt(tmp_path):
    vocabulary, said = load_vocabulary(DEMONSTRATION), []
    built = cache.load_tables(vocabulary, report=said.append, folder=tmp_path)
    assert said == ["merges", "characters and user-defined symbols", "words"]
    (file,) = tmp_path.iterdir()
    for damage, is_rebuilt in (
        (lambda data: data, False),
        (lambda data: data[:-9], True),
        (lambda _: b"", True),
        (lambda data: b"x" + data[9:], True),
    ):
        file.write_bytes(damage(file.read_bytes()))
        said.clear()
        again = cache.load_tables(vocabulary, report=said.append, folder=tmp_path)
        assert bool(said) == is_rebuilt
        for name, array in flatten(again).items():
            assert np.array_equal(array, flatten(built)[name])


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    tables = cache.load_tables(load_vocabulary(DEMONSTRATION), folder=tmp_path / "file")
    assert len(tables.byte_ids) == 256
