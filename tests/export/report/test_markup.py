"""What is not markup is escaped, wherever it stands."""

import pytest

from export.report.markup import Html, data_url, element, escaped, joined, scrolled, table
from tests.export.report.rig import HOSTILE


def test_an_element_escapes_texts_and_attributes_and_keeps_markup():
    inner = element("b", "1 < 2")
    assert inner == "<b>1 &lt; 2</b>"
    assert element("p", inner, " & ", class_='a"b', aria_label="<x>", title=None) == (
        '<p class="a&quot;b" aria-label="&lt;x&gt;"><b>1 &lt; 2</b> &amp; </p>'
    )
    assert element("img", alt="") == '<img alt="">'


@pytest.mark.parametrize("text", [HOSTILE, "\ud800", "\x1b[31m", "\x85", 7, None])
def test_what_is_escaped_is_text_of_characters_that_html_has(text):
    made = escaped(text)
    assert isinstance(made, Html)
    assert escaped(made) is made
    assert not set(made) & set("<>\"'\x00\x1b\x85\ud800")
    made.encode("utf-8")


def test_parts_are_joined_and_cells_of_tables_escaped():
    assert joined(["<", Html("<br>")]) == "&lt;<br>"
    made = table(("a", "<b>"), [("1", "</table>")], caption="c & d")
    assert '<th scope="col">&lt;b&gt;</th>' in made
    assert "<td>&lt;/table&gt;</td>" in made
    assert "<caption>c &amp; d</caption>" in made


def test_what_scrolls_can_be_reached_by_keyboard_and_has_a_name():
    assert scrolled("x", label="y") == (
        '<div class="scroll" tabindex="0" role="region" aria-label="y">x</div>'
    )


def test_a_file_lies_inside_the_page():
    assert data_url("image/jpeg", b"\xff\xd8") == "data:image/jpeg;base64,/9g="
