"""Which channels there are to connect: those that have both a module and a function."""

from infra.engine.template import ROOT


def channel_names() -> list[str]:
    functions, modules = ROOT / "functions", ROOT / "layers" / "core" / "sportello" / "channels"
    found = (handler.parent.name for handler in functions.glob("*/handler.py"))
    return sorted(name for name in found if (modules / f"{name}.py").is_file())
