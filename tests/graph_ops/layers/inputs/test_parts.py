"""Items in the parts of messages."""

import base64

import pytest

from graph_ops.layers.inputs.parts import Item, decoded, item_of

FILE = b"\xff\xd8file"
BASE64 = base64.b64encode(FILE).decode()


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ({"type": "image", "image": FILE}, Item("image", FILE, 2)),
        ({"type": "image"}, Item("image", None, 2)),
        ({"type": "image", "url": f"data:image/jpeg;base64,{BASE64}"}, Item("image", FILE, 2)),
        ({"type": "image", "base64": BASE64}, Item("image", FILE, 2)),
        (
            {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{BASE64}"}},
            Item("image", FILE, 2),
        ),
        ({"type": "image_url", "image_url": f"data:;base64,{BASE64}"}, Item("image", FILE, 2)),
        ({"type": "input_audio", "input_audio": {"data": BASE64, "format": "wav"}}, Item("audio", FILE, 2)),
        ({"type": "input_audio", "input_audio": {}}, Item("audio", None, 2)),
        ({"type": "audio", "audio": FILE}, Item("audio", FILE, 2)),
        ({"type": "video"}, Item("video", None, 2)),
    ],
)
def test_items_are_found_where_the_shapes_have_them(part, expected):
    item = item_of(part, 2)
    assert item._replace(payload=decoded(item)) == expected


@pytest.mark.parametrize("text", ["https://example.org/cat.png", "cat.png", "data:image/png,raw", "%%%"])
def test_nothing_is_downloaded_or_opened(text):
    with pytest.raises(ValueError, match=r"an image part of message 0 has '.*'. Read or download it first"):
        decoded(item_of({"type": "image", "url": text}, 0))
