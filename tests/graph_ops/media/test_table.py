"""What the table of media says agrees with features, settings and faults."""

import dataclasses

import pytest

from graph_ops.config import MEDIUM_CONFIGS, RowConfig
from graph_ops.faults import SENTENCES
from graph_ops.features import DIMS, FEATURES
from graph_ops.media.table import BY_NAME, MEDIA

FIELDS = {field.name for field in dataclasses.fields(RowConfig)}


@pytest.mark.parametrize("medium", MEDIA, ids=lambda medium: medium.name)
def test_a_medium_names_features_settings_and_faults_that_exist(medium):
    named = {feature.name: feature for feature in FEATURES}
    for name in (medium.values, medium.marks, medium.indices, medium.mask):
        assert named[name].group == medium.group
    assert medium.slots in FIELDS
    assert medium.num_slots(RowConfig()) > 0
    assert {medium.count_fault, medium.limit_fault} <= set(SENTENCES)
    assert medium.config().max_soft_tokens > 0
    assert medium.item_shape[: medium.varying] == (None,) * medium.varying


def test_no_two_media_share_a_name():
    for attribute in ("name", "argument", "sizes", "group", "values", "marks", "slots", "count_fault"):
        assert len({getattr(medium, attribute) for medium in MEDIA}) == len(MEDIA)


def test_the_table_has_every_medium_that_has_a_configuration():
    assert [*BY_NAME] == [medium.name for medium in MEDIA] == [*MEDIUM_CONFIGS]
    assert all(BY_NAME[medium.name] is medium for medium in MEDIA)


@pytest.mark.parametrize("medium", MEDIA, ids=lambda medium: medium.name)
def test_the_dims_of_a_medium_are_those_of_its_features(medium):
    row, config = RowConfig(), medium.config()
    dims = medium.dims(row, config)
    letters = {dim for feature in FEATURES if feature.group == medium.group for dim in feature.dims}
    assert dims.keys() == {dim for dim in letters if isinstance(dim, str)} - {"B", "S"}
    assert dims.keys() <= DIMS.keys()
    items = medium.num_slots(row) * (medium.frames(config) if medium.frames else 1)
    assert items * medium.block(row, config) in dims.values()
    assert items in dims.values()
