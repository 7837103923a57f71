"""Sizes of a static bundle, as the command line writes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from export.litert.buckets import TEXT, Buckets, parse_buckets
from export.media import MEDIA_IN_EXPORTS
from tests.twins.vocabularies import REPEATABLE

SIZES = st.integers(1, 10**9)


def test_nothing_is_no_bucket():
    assert parse_buckets([]) == Buckets((), {})


def test_sizes_are_taken_in_order_and_each_once():
    assert parse_buckets(["text=256,64", "image=2x3,4x5", "text=256", "audio=1"]) == Buckets(
        (256, 64), {"image": ((2, 3), (4, 5)), "audio": ((1,),)}
    )


@REPEATABLE
@given(st.lists(SIZES, unique=True), st.lists(st.tuples(SIZES, SIZES), unique=True))
def test_what_is_written_is_read(lengths, sides):
    written = [f"text={length}" for length in lengths] + [f"image={h}x{w}" for h, w in sides]
    media = {"image": tuple(sides)} if sides else {}
    assert parse_buckets(written) == Buckets(tuple(lengths), media)


@pytest.mark.parametrize("name", ["text", *MEDIA_IN_EXPORTS])
def test_the_example_of_a_message_is_accepted(name):
    kind = TEXT if name == "text" else MEDIA_IN_EXPORTS[name].buckets
    found = parse_buckets([kind.example.partition(" ")[0]])
    assert found.text or found.media[name]


@pytest.mark.parametrize(
    "given", ["text=0", "text=", "image=64", "image=1x2x3", "audio=1.5", "video=3", "text"]
)
def test_a_bucket_of_another_shape_is_refused(given):
    with pytest.raises(
        ValueError,
        match=r"--static: must be like text=256,1024 \(bytes\) or image=768x1024 \(height x width\)",
    ):
        parse_buckets([given])


@pytest.mark.parametrize("given", ["text=64,0", "text=-1", "text=1 ", "audio=١", "", "=5"])
def test_a_refusal_quotes_what_was_written(given):
    with pytest.raises(ValueError, match="--static: must be like") as refused:
        parse_buckets(["text=1", given])
    assert str(refused.value).endswith(f"got {given!r}.")
