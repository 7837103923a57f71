"""`Setting`: a field of a layer's configuration as an attribute, as KerasHub's layers have it."""

import dataclasses
from typing import Any, overload

from typing_extensions import Self


class Setting:
    """A field of the frozen configuration that a layer holds, which may be set.

    Setting it replaces the configuration, which checks itself as a whole.

    Args:
        configuration: name of the layer's attribute that holds the configuration.
    """

    def __init__(self, configuration: str) -> None:
        self._configuration = configuration

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, layer: None, owner: type) -> Self: ...

    @overload
    def __get__(self, layer: object, owner: type) -> Any: ...

    def __get__(self, layer: object, owner: type) -> Any:
        return self if layer is None else getattr(getattr(layer, self._configuration), self._name)

    def __set__(self, layer: object, value: Any) -> None:
        changed = dataclasses.replace(getattr(layer, self._configuration), **{self._name: frozen(value)})
        setattr(layer, self._configuration, changed)


def frozen(value: Any) -> Any:
    """A list, which a JSON file or a caller has, as the tuple that a configuration holds."""
    return tuple(value) if isinstance(value, list) else value
