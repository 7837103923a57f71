"""Prompts, responses and slots to rows: what each row holds, and what is wrong with it."""

import random
from typing import Any

import pytest
import tensorflow as tf

from graph_ops.faults import Fault, Finding
from graph_ops.media.slots import Slots, no_slots
from graph_ops.rows.encode import RowMedium, encode_rows
from graph_ops.rows.special_ids import MediumIds, RowIds
from graph_ops.text.tokens import TokenRows
from tests.graph_ops.rows.padded import padded

IDS, IMAGE, CLIP = RowIds(2, 1, 0), MediumIds(101, 102, 103), MediumIds(201, 202, 203)
PLAIN: dict[str, Any] = {
    "sequence_length": 10,
    "labelled": False,
    "add_start_token": True,
    "add_end_token": False,
}


def medium(counts, *, ids=IMAGE, fixed=None, block=3, fault=Fault.IMAGE_COUNT):
    """Slots with so many soft tokens; None for an empty slot."""
    present = tf.constant([[count is not None for count in row] for row in counts])
    soft_tokens = tf.constant([[count or 0 for count in row] for row in counts])
    slots = Slots(present, soft_tokens, Finding.none(soft_tokens[:, 0]))
    return RowMedium(ids, slots, fixed=fixed, block=block, count_fault=fault)


def encoded(prompts, responses=None, media=(), **settings):
    answers = TokenRows(*padded(responses)) if responses else None
    return encode_rows(TokenRows(*padded(prompts)), answers, media, ids=IDS, **{**PLAIN, **settings})


def faults(found):
    return [
        (fault, *detail) for fault, detail in zip(*(part.numpy().tolist() for part in found), strict=True)
    ]


def test_a_training_row_has_both_ends_and_one_token_more():
    found = encoded([[5, 6]], [[7]], sequence_length=5, labelled=True, add_end_token=True)
    assert found.rows.token_ids.numpy().tolist() == [[2, 5, 6, 7, 1, 0]]
    assert found.rows.response_mask.numpy().tolist() == [[False, False, False, True, True, False]]
    assert faults(found.finding) == [(Fault.NONE, 0, 0)]


def test_soft_tokens_stand_where_their_slot_says():
    media = [medium([[2, None], [None, 1]])]
    found = encoded([[5, 102, 6], [102]], media=media)
    assert found.rows.token_ids.numpy().tolist() == [
        [2, 5, 101, 102, 102, 103, 6, 0, 0, 0],
        [2, 101, 102, 103, 0, 0, 0, 0, 0, 0],
    ]
    (places,) = found.places
    assert places.indices.numpy().tolist() == [[3, 4, 0, 0, 0, 0], [0, 0, 0, 2, 0, 0]]
    assert [row.numpy().nonzero()[0].tolist() for row in places.mask] == [[3, 4], [2]]
    assert places.longest == 2


def test_a_fixed_number_of_soft_tokens_is_for_filled_slots_only():
    each = medium([[1, None]], fixed=3)
    assert each.counts.numpy().tolist() == [[3, 0]]
    assert medium([[1, None]]).counts.numpy().tolist() == [[1, 0]]
    found = encoded([[102]], media=[each])
    assert found.rows.token_ids.numpy().tolist() == [[2, 101, 102, 102, 102, 103, 0, 0, 0, 0]]


def test_a_block_is_as_wide_as_the_longest_item_where_none_is_set():
    found = encoded([[102], [102]], media=[medium([[1], [4]], block=None)])
    assert found.places[0].indices.numpy().tolist() == [[2, 0, 0, 0], [2, 3, 4, 5]]
    nothing = encoded([[5]], media=[medium([[None]], block=None)])
    assert nothing.places[0].indices.shape == (1, 0)


def test_each_count_of_placeholders_is_checked_against_its_medium():
    media = [
        medium([[1], [None], [1]]),
        medium([[None], [None], [2]], ids=CLIP, fault=Fault.AUDIO_COUNT),
    ]
    found = encoded([[102], [102, 102], [102]], media=media)
    assert faults(found.finding) == [(0, 0, 0), (Fault.IMAGE_COUNT, 2, 0), (Fault.AUDIO_COUNT, 0, 1)]
    assert found.rows.token_ids.numpy()[1:].max() == 0
    assert not found.rows.padding_mask.numpy()[1:].any()
    assert not found.places[0].indices.numpy()[1:].any()


def test_media_belong_into_prompts_and_must_fit():
    found = encoded([[5], [5]], [[6, 102], [6, 7]], media=[medium([[None], [None]])])
    assert faults(found.finding) == [(Fault.MEDIA_IN_RESPONSE, 1, 1), (0, 0, 0)]
    for length, fits in ((6, True), (5, False)):
        found = encoded([[5, 102, 9, 9]], media=[medium([[2]])], sequence_length=length)
        assert faults(found.finding) == [(0, 0, 0) if fits else (Fault.MEDIA_DO_NOT_FIT, 5, 4)]


def test_the_response_yields_to_the_last_medium():
    found = encoded([[102, 5]], [[6, 7, 8, 9, 6, 7]], media=[medium([[3]])], sequence_length=7)
    assert found.rows.token_ids.numpy().tolist() == [[2, 101, 102, 102, 102, 103, 6]]


def test_what_was_wrong_before_comes_first():
    before = Finding(tf.constant([int(Fault.TEXT_LENGTH)]), tf.constant([[7, 8]]))
    found = encoded([[102]], media=[medium([[None]])], also=before)
    assert faults(found.finding) == [(Fault.TEXT_LENGTH, 7, 8)]


def test_the_place_of_the_last_label_is_not_for_media():
    for length, fits in ((6, True), (5, False)):
        found = encoded([[102]], [[6]], media=[medium([[3]])], sequence_length=length, labelled=True)
        assert faults(found.finding) == [(0, 0, 0) if fits else (Fault.MEDIA_DO_NOT_FIT, 5, 4)]


def absent(each, rows):
    """The same medium with no slots at all, which is known while tracing."""
    return each._replace(slots=no_slots(tf.zeros([rows], tf.int32)))


@pytest.mark.parametrize("labelled", [False, True])
@pytest.mark.parametrize("seed", range(20))
def test_media_without_slots_give_what_empty_slots_give(seed, labelled):
    rng = random.Random(seed)
    rows = rng.randrange(1, 5)

    def texts(*weights):
        return [rng.choices((5, 6, 102, 203), weights, k=rng.randrange(14)) for _ in range(rows)]

    prompts, answers = texts(20, 9, 1, 1), texts(20, 9, 1, 0)
    images = medium([[rng.choice((None, 1, 2)) for _ in range(2)] for _ in range(rows)])
    clips = medium([[None]] * rows, ids=CLIP, fault=Fault.AUDIO_COUNT)
    learned = tf.random.stateless_uniform([rows, max(map(len, prompts))], [seed, 0]) > 0.5
    choices = {"labelled": True} if labelled else {"add_start_token": False, "learned": learned}
    for media, others in (
        ([images, clips], [images, absent(clips, rows)]),
        ([medium([[None]] * rows), clips], [absent(images, rows), absent(clips, rows)]),
    ):
        expected, found = (
            encoded(prompts, answers if labelled else None, each, **choices) for each in (media, others)
        )
        assert faults(found.finding) == faults(expected.finding)
        for one, other in zip(found.rows, expected.rows, strict=True):
            assert one.numpy().tolist() == other.numpy().tolist()
        for one, other in zip(found.places, expected.places, strict=True):
            width = one.indices.shape[1]
            assert one.indices.numpy().tolist() == other.indices.numpy()[:, :width].tolist()
            assert not other.indices.numpy()[:, width:].any()
            assert one.mask.numpy().tolist() == other.mask.numpy().tolist()
            assert one.longest == other.longest
