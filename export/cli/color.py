"""A colour on the command line."""

from graph_ops.config import PARITY


def read_color(text: str) -> "tuple[int, ...] | str | None":
    """What the value of `--background-color` says, as `ImageConfig.background_color` has it.

    Raises:
        ValueError: no colour.
    """
    if text in ("none", PARITY):
        return None if text == "none" else text
    levels = text.split(",")
    if len(levels) != 3 or not all(
        level.isascii() and level.isdigit() and int(level) < 256 for level in levels
    ):
        raise ValueError(
            f"--background-color: must be red,green,blue of 0 to 255 each, none or {PARITY}; got {text!r}. "
            "Pass 255,255,255 for white."
        )
    return tuple(map(int, levels))
