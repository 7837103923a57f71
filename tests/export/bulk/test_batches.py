from export.bulk.batches import batches
from export.bulk.samples import Sample


def sample(size):
    return Sample("", "", "", None, None, None, {}, size)


def sizes(given, **limits):
    return [[each.size for each in batch] for batch in batches(map(sample, given), **limits)]


def test_a_batch_has_at_most_so_many_rows():
    assert sizes([1] * 5, rows=2, size=100) == [[1, 1], [1, 1], [1]]


def test_a_batch_has_at_most_so_many_bytes_unless_one_row_alone_has_more():
    assert sizes([4, 4, 4, 50, 1], rows=9, size=10) == [[4, 4], [4], [50], [1]]


def test_nothing_gives_no_batch():
    assert sizes([], rows=2, size=1) == []
