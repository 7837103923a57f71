"""Colours as they are written on a command line."""

import pytest

from export.cli.color import read_color


@pytest.mark.parametrize(
    ("text", "color"),
    [("none", None), ("parity", "parity"), ("255,255,255", (255, 255, 255)), ("0,9,5", (0, 9, 5))],
)
def test_a_colour_is_three_levels_or_a_word(text, color):
    assert read_color(text) == color


@pytest.mark.parametrize("text", ["white", "1,2", "1,2,3,4", "256,0,0", "-1,0,0", "1, 2,3", "", "1.0,2,3"])
def test_what_is_no_colour_is_refused(text):
    with pytest.raises(ValueError, match=r"--background-color: must be red,green,blue.*Pass 255,255,255"):
        read_color(text)
