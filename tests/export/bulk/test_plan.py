import pytest

from export.bulk.dead_letters import DeadLetter
from export.bulk.plan import plan_shards
from export.bulk.sources.record import FileIndex, Mark

LETTER = DeadLetter("", "b", "unreadable", "")
INDEXES = [
    FileIndex("b", 3, letters=(LETTER,)),
    FileIndex("a", 600, (Mark(0, 0), Mark(256, 2560), Mark(512, 5120))),
    FileIndex("c", 0),
]
FILES = [("a", "jsonl"), ("b", "jsonl"), ("c", "parquet")]


def places(shards):
    return [(run.file.path, run.start, run.stop) for shard in shards for run in shard.runs]


def test_shards_are_runs_in_the_order_of_files_whatever_the_order_of_indexes():
    shards = plan_shards(INDEXES, FILES, shards=2)
    assert places(shards) == [("a", 0, 301), ("a", 301, 600), ("b", 0, 3)]
    assert shards == plan_shards(INDEXES[::-1], FILES, shards=2)
    assert shards[1].runs[0].file.marks == (Mark(256, 2560),)
    assert [shard.letters for shard in shards] == [(LETTER,), ()]


def test_by_default_there_is_a_shard_for_each_512_rows():
    assert [shard.of for shard in plan_shards(INDEXES, FILES, shards=None)] == [2, 2]
    assert len(plan_shards([FileIndex("a", 0)], FILES[:1], shards=None)) == 1


def test_every_row_is_in_one_shard_even_where_there_are_more_shards_than_rows():
    shards = plan_shards([FileIndex("a", 3)], FILES[:1], shards=5)
    assert len(shards) == 5
    assert places(shards) == [("a", 0, 1), ("a", 1, 2), ("a", 2, 3)]


def test_keys_that_are_found_twice_are_named():
    with pytest.raises(
        ValueError, match=r"`key`: must name each row once; found twice: 'x' in a#1 and b#0\."
    ):
        plan_shards(INDEXES, FILES, shards=1, duplicates=[("x", ["b#0", "a#1"])])
