"""Which channels there are: found by their modules, listed nowhere."""

import pkgutil
from functools import cache
from importlib import import_module

import sportello.channels
from sportello.channels.base import Channel


@cache
def channel(name: str) -> Channel:
    """The channel of that name: the one class of ``sportello.channels.<name>`` that bears it.

    Raises:
        LookupError, ModuleNotFoundError: there is none.
    """
    module = import_module(f"sportello.channels.{name}")
    for value in vars(module).values():
        if isinstance(value, type) and issubclass(value, Channel) and getattr(value, "name", "") == name:
            return value()
    raise LookupError(f"sportello.channels.{name} has no channel of that name")


@cache
def channel_names() -> tuple[str, ...]:
    """All of them, in alphabetical order."""
    modules = (module.name for module in pkgutil.iter_modules(sportello.channels.__path__))
    return tuple(sorted(name for name in modules if _is_channel(name)))


def _is_channel(name: str) -> bool:
    try:
        channel(name)
    except LookupError:
        return False
    return True
