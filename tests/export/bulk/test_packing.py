import json

import numpy as np
import pytest

from export.bulk.model import Task
from export.bulk.packing import SEGMENTS, Packer, packed_tensors, unpack
from export.bulk.samples import Reading, read_sample
from export.bulk.schema import restore, store
from tests.export.bulk.rig import ROWS, same, write_lines

TASK = Task(False, True)


@pytest.fixture(scope="module")
def made(model, tmp_path_factory):
    """Rows of samples by key, and their tensors."""
    folder = write_lines(tmp_path_factory.mktemp("packing"), []).parent
    reading = Reading(("prompts", "responses"), "id", "", 1 << 20)
    samples = [read_sample(row, "", str(folder), reading) for row in [*ROWS, *ROWS]]
    rows = model.rows(samples, TASK)
    tensors = model.tensors(TASK, compact=True)
    return [(sample.key, row) for sample, row in zip(samples, rows, strict=True)], tensors


def pack(rows, tensors, media):
    packer = Packer(tensors, media)
    packed = [each for key, row in rows for each in packer.add(key, row)]
    return [*packed, *packer.finish()]


def test_packed_rows_give_back_every_sample_as_it_was(made, model):
    rows, tensors = made
    packed = pack(rows, tensors, model.media)
    assert len(packed) < len(rows)
    found = [
        (key, single)
        for each in packed
        for key, single in zip(json.loads(each.key), unpack(each.row, tensors, model.media), strict=True)
    ]
    assert sorted(key for key, _ in found) == sorted(key for key, _ in rows)
    wanted = dict(rows)
    assert all(same(single, wanted[key]) for key, single in found)


def test_positions_restart_and_segments_count(made, model):
    rows, tensors = made
    (packed,) = pack([rows[0], rows[4]], tensors, model.media)
    lengths = [int(row["padding_mask"].sum()) for _, row in (rows[0], rows[4])]
    first, second = lengths
    assert json.loads(packed.key) == ["plain", "short"]
    np.testing.assert_array_equal(packed.row[SEGMENTS][: sum(lengths)], [1] * first + [2] * second)
    np.testing.assert_array_equal(packed.row["position_ids"][: sum(lengths)], [*range(first), *range(second)])
    assert not packed.row[SEGMENTS][sum(lengths) :].any()
    assert packed.row["padding_mask"].sum() == sum(lengths)


def test_a_row_holds_no_more_media_than_slots(made, model):
    rows, tensors = made
    for each in pack(rows, tensors, model.media):
        for medium in model.media:
            slots = each.row[medium.values].shape[0]
            filled = each.row[medium.indices].reshape(slots, -1).any(axis=1).tolist()
            assert filled == sorted(filled, reverse=True)


def test_rows_without_room_are_given_in_an_order_that_depends_on_samples_alone(made, model):
    rows, tensors = made
    keys = [each.key for each in pack(rows * 3, tensors, model.media)]
    assert keys == [each.key for each in pack(rows * 3, tensors, model.media)]


def test_packed_rows_are_stored_and_restored(made, model):
    rows, tensors = made
    written = packed_tensors(tensors)
    (packed,) = pack(rows[:2], tensors, model.media)
    restored = {each.name: restore(store(packed.row[each.name], each), each) for each in written}
    assert same(restored, packed.row)
