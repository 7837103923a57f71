"""Which keras-hub rows equal: the one that is named, else the one that is installed."""

import importlib.metadata
import importlib.util
import pathlib

from graph_ops.config import KERAS_HUB_VERSIONS, RowConfig

DISTRIBUTIONS = ("keras-hub", "keras-hub-nightly")
"""What installs the package `keras_hub`."""


def keras_hub_version_of(named: str | None) -> str:
    """Which of `KERAS_HUB_VERSIONS` has the rows of a version: the latest that is not above it.

    Args:
        named: such as "0.33" or "0.33.0.dev202610250352"; None for the one that is installed, without which
            it is `RowConfig`'s.

    Raises:
        ValueError: no version.
    """
    given = installed_version() if named is None else named
    if given is None:
        return RowConfig.keras_hub_version
    try:
        wanted = _numbers(given)
    except ValueError:
        raise ValueError(
            f"`keras_hub_version`: must be a version such as {KERAS_HUB_VERSIONS[-1]}; got {given!r}. Name "
            "one, or leave it out for the installed one."
        ) from None
    older = [version for version in KERAS_HUB_VERSIONS if _numbers(version) <= wanted]
    return older[-1] if older else KERAS_HUB_VERSIONS[0]


def installed_version() -> str | None:
    """The version of the keras-hub that `import keras_hub` finds, which is not imported; None without one."""
    spec = importlib.util.find_spec("keras_hub")
    found = [each for name in DISTRIBUTIONS for each in importlib.metadata.distributions(name=name)]
    if spec is None or spec.origin is None or not found:
        return None
    package = pathlib.Path(spec.origin).parent
    owning = [each for each in found if pathlib.Path(str(each.locate_file("keras_hub"))) == package]
    return (owning or found)[0].version


def _numbers(version: str) -> tuple[int, int]:
    major, minor = version.split(".")[:2]
    return int(major), int(minor)
