"""The words of dialogues."""

from graph_ops.chat.dialogue import PART_MEDIA, PART_TYPES, Dialogues, TemplateTokens
from graph_ops.family import GEMMA4
from graph_ops.pipeline.chat import SPECS


def test_media_are_types_of_parts():
    assert set(PART_MEDIA) < set(PART_TYPES)
    assert {medium.medium for medium in GEMMA4.media} < set(PART_MEDIA.values())


def test_no_part_is_the_first_type():
    assert PART_TYPES[0] == ""


def test_every_field_has_a_spec():
    assert SPECS._fields == Dialogues._fields
    assert [spec.shape.rank for spec in SPECS] == [2, 3, 3, 2, 2, 3, 3, 2, 1, 1, 1]


def test_a_template_learns_nothing_unless_told():
    assert TemplateTokens._field_defaults == {"learn": b""}
