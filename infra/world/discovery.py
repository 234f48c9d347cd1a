"""Which platforms there are: one ``StandIn`` per module of this package, found by looking."""

import inspect
import pkgutil
from functools import cache
from importlib import import_module

import infra.world
from infra.world.platform import StandIn


@cache
def stand_ins() -> tuple[type[StandIn], ...]:
    """Every stand-in, in the order of their names."""
    found = {kind.name: kind for name in _modules() for kind in _defined_in(name)}
    return tuple(found[name] for name in sorted(found))


def _modules() -> list[str]:
    names = (module.name for module in pkgutil.iter_modules(infra.world.__path__))
    return sorted(f"{infra.world.__name__}.{name}" for name in names if name != "__main__")


def _defined_in(name: str) -> list[type[StandIn]]:
    return [
        kind
        for _, kind in inspect.getmembers(import_module(name), inspect.isclass)
        if issubclass(kind, StandIn) and kind.__module__ == name and not inspect.isabstract(kind)
    ]
