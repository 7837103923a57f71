import json

import numpy as np

from export.bulk.statistics import Tally, total


def tally(*lengths):
    counted = Tally()
    for length in lengths:
        counted.count({"padding_mask": np.arange(8) < length}, [("image", length % 2), ("audio", 0)])
        counted.count_written(8)
    return counted


def test_counts_and_percentiles():
    counted = tally(1, 2, 3, 4)
    assert (counted.rows, counted.samples, counted.tokens, counted.positions) == (4, 4, 10, 32)
    assert counted.media == {"image": 2}
    assert counted.padding == 22 / 32
    assert [counted.percentile(percent) for percent in (25, 50, 100)] == [1, 2, 4]
    assert Tally().percentile(50) == Tally().padding == 0


def test_tallies_of_shards_add_up_and_are_read_back():
    parts = [tally(1, 2), tally(5)]
    parts[0].faults["record"] += 1
    texts = [json.dumps({"tally": part.to_json()}) for part in parts]
    whole = total(texts)
    assert (whole.samples, whole.tokens, whole.faults, whole.lengths) == (
        3,
        8,
        {"record": 1},
        {1: 1, 2: 1, 5: 1},
    )
    assert Tally.from_json(json.loads(json.dumps(whole.to_json()))) == whole
