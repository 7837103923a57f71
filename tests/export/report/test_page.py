"""The page: all of a request, nothing of it as markup, to be read by everyone."""

import colorsys
import dataclasses
import itertools
import re

import pytest

from export.report.page import TITLE, page, write_report
from tests.export.report.reading import read_page
from tests.export.report.rig import HOSTILE, LENGTH, SOURCES, ids, record

TENSORS = [("token_ids", "int32", "[1, 8]", "0", "9")]


def made(*arguments, **settings):
    return page(record(*arguments, **settings), tensors=TENSORS)


def test_a_page_has_a_section_for_each_part_of_a_request():
    read = read_page(made(sources=SOURCES))
    headings = re.findall(r"<h2>(.*?)</h2>", made(sources=SOURCES))
    assert headings == [
        *("Prompt", "Tokens", "Row", "What was cut"),
        *("Images", "Frames of videos", "Sounds", "Tensors", "Timings"),
    ]
    assert len(read.pictures) == 3
    for said in (
        TITLE,
        "long.wav : all beyond 30 of 31.00 s.",
        "token_ids int32 [1, 8] 0 9",
        "frame 1: 96 × 48 pixels",
        "reading 250.00 1 running 2.00 1.00–3.00 3",
    ):
        assert said in read.text, said


def test_what_a_user_sends_is_text():
    read = read_page(made(HOSTILE, sources=SOURCES))
    shown = HOSTILE.replace("\x00", "\ufffd")
    assert read.text.count(shown) == 3  # the prompt, the file, the caption of its picture
    refused = read_page(made(HOSTILE, fault=f"`images`: no {HOSTILE}.\nimage 1: no."))
    assert f"Refused `images`: no {shown}. image 1: no." in refused.text
    assert "no row was made" in refused.text
    assert not refused.pictures


def test_text_alone_has_no_pictures():
    read = read_page(made(row=ids("<bos>", "a"), prompt_ids=ids("a")))
    assert "What was cut Nothing." in read.text


def test_what_was_cut_is_shown():
    row = ids("<bos>", *["a"] * (LENGTH - 1))
    text = read_page(made(row=row, prompt_ids=ids(*["a"] * (LENGTH - 1), "b", "c"))).text
    assert "2 token(s) at the end of the prompt have no place in the row: b" in text


def test_what_is_not_known_to_be_cut_is_not_called_nothing():
    full = dataclasses.replace(record(row=ids("<bos>", *["a"] * (LENGTH - 1))), prompt_ids=None)
    text = read_page(page(full)).text
    assert "The row is full, and this artifact has no signature that says" in text
    assert "Nothing." not in text
    assert "Nothing." in read_page(page(dataclasses.replace(record(), prompt_ids=None))).text
    refused = dataclasses.replace(record(fault="no"), prompt_ids=None)
    assert "Tokens" not in read_page(page(refused)).text


def test_the_page_is_a_file_in_a_folder_of_its_own(tmp_path):
    path = tmp_path / "a" / "b.html"
    write_report(record("größer"), path, tensors=TENSORS)
    assert "größer" in read_page(path).text


STYLE = re.findall(r"<style>(.*?)</style>", made(), re.DOTALL)[0]


def colours(scheme):
    """name -> (red, green, blue) of 0 … 1 in the light or the dark scheme."""
    found = {}
    for name, *pair in re.findall(r"--([\w-]+): light-dark\((#\w+), (#\w+)\)", STYLE):
        digits = pair[scheme].removeprefix("#")
        digits = digits if len(digits) == 6 else "".join(digit * 2 for digit in digits)
        found[name] = tuple(int(digits[k : k + 2], 16) / 255 for k in (0, 2, 4))
    hsl = r"\.(h\d+) \{ background: light-dark\(hsl\((\d+) (\d+)% (\d+)%\), hsl\((\d+) (\d+)% (\d+)%\)\)"
    for name, *numbers in re.findall(hsl, STYLE):
        hue, saturation, lightness = map(int, numbers[3 * scheme : 3 * scheme + 3])
        found[name] = colorsys.hls_to_rgb(hue / 360, lightness / 100, saturation / 100)
    return found


def luminance(colour):
    linear = [value / 12.92 if value <= 0.03928 else ((value + 0.055) / 1.055) ** 2.4 for value in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    low, high = sorted(map(luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_words_stand_out_from_what_is_behind_them(scheme):
    """WCAG 2, level AA: 4.5 to 1."""
    found = colours(scheme)
    grounds = ["paper", "card", "text", "image", "audio", "video", "padding", *(f"h{k}" for k in range(12))]
    for ground in grounds:
        assert contrast(found["ink"], found[ground]) >= 4.5, ground
    for word, ground in itertools.product(("quiet", "bad"), ("paper", "card")):
        assert contrast(found[word], found[ground]) >= 4.5, (word, ground)
