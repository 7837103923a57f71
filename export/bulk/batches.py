"""Samples -> batches, by rows and by bytes."""

from collections.abc import Iterable, Iterator

from export.bulk.samples import Sample


def batches(samples: Iterable[Sample], *, rows: int, size: int) -> Iterator[list[Sample]]:
    """Lists of samples, in order.

    Args:
        samples: that are read one by one.
        rows: most of them in a list.
        size: most bytes in a list, unless one sample alone has more.
    """
    batch, taken = list[Sample](), 0
    for sample in samples:
        if batch and (len(batch) == rows or taken + sample.size > size):
            yield batch
            batch, taken = [], 0
        batch.append(sample)
        taken += sample.size
    if batch:
        yield batch
