"""A field of a frozen configuration as an attribute."""

import dataclasses

import pytest

from graph_ops.config import ImageConfig
from graph_ops.layers.setting import Setting, frozen


class Layer:
    """What a layer has of this: a configuration, and its fields as attributes."""

    patch_size = Setting("config")
    scale = Setting("config")

    def __init__(self):
        self.config = ImageConfig()


def test_setting_an_attribute_replaces_the_configuration():
    layer, before = Layer(), ImageConfig()
    layer.patch_size = 8
    assert (layer.patch_size, layer.config) == (8, dataclasses.replace(before, patch_size=8))
    assert Layer().patch_size == 16
    layer.config = ImageConfig(patch_size=4)
    assert layer.patch_size == 4


def test_what_the_configuration_refuses_leaves_it_as_it_was():
    layer = Layer()
    before = layer.config
    with pytest.raises(ValueError, match="`patch_size`: must be a positive whole number; got 0"):
        layer.patch_size = 0
    with pytest.raises(ValueError, match="`scale`: must be one number or one for each of 3 channels"):
        layer.scale = [1.0, 2.0]
    assert layer.config is before


def test_a_list_becomes_a_tuple_and_a_configuration_a_key():
    layer = Layer()
    layer.scale = [1.0, 2.0, 3.0]
    assert layer.scale == (1.0, 2.0, 3.0)
    assert {layer.config: 1}[layer.config] == 1
    assert [frozen(value) for value in ([], [1, [2]], (3,), "ab", None, 4.0)] == [
        (),
        (1, [2]),
        (3,),
        "ab",
        None,
        4.0,
    ]


def test_of_the_class_a_setting_is_itself():
    assert isinstance(Layer.scale, Setting)


def test_a_field_that_the_configuration_lacks_cannot_be_set():
    class Other(Layer):
        colour = Setting("config")

    with pytest.raises(AttributeError, match="colour"):
        _ = Other().colour
    with pytest.raises(TypeError, match="colour"):
        Other().colour = 3
