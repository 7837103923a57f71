"""Files -> damaged files, as a strategy of hypothesis, so that what fails comes out as small as can be."""

from collections.abc import Sequence

from hypothesis import strategies as st

INTERESTING = (0, 1, 0x7F, 0x80, 0xFE, 0xFF)
"""Bytes at which numbers end, begin or change their sign."""
MOST_STEPS = 6


@st.composite
def damaged(draw: st.DrawFn, files: Sequence[bytes]) -> bytes:
    """One of the files, as it is or after a few steps: bytes set, cut out, doubled, taken from another file,
    the end cut off, something added behind.
    """
    file = bytearray(draw(st.sampled_from(files)))
    for _ in range(draw(st.integers(0, MOST_STEPS))):
        if not file:
            break
        at = _place(draw, len(file))
        step = draw(
            st.sampled_from(["set", "set", "set", "number", "remove", "repeat", "splice", "cut", "add"])
        )
        size = draw(st.integers(1, 16))
        if step == "set":
            file[at] = draw(st.one_of(st.sampled_from(INTERESTING), st.integers(0, 255)))
        elif step == "number":
            file[at : at + 4] = draw(st.integers(0, 2**32 - 1)).to_bytes(4, "little")
        elif step == "remove":
            del file[at : at + size]
        elif step == "repeat":
            file[at:at] = file[at : at + size]
        elif step == "splice":
            other = draw(st.sampled_from(files))
            start = _place(draw, len(other))
            file[at : at + size] = other[start : start + size]
        elif step == "cut":
            del file[at:]
        else:
            file += draw(st.binary(max_size=32))
    return bytes(file)


def _place(draw: st.DrawFn, length: int) -> int:
    """An index, half of the time among the first bytes, where headers are."""
    return draw(st.one_of(st.integers(0, min(length, 64) - 1), st.integers(0, length - 1)))
