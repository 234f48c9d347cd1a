"""Figures as tables for people."""

from collections.abc import Sequence

from rich.table import Table

from tests.bench.cost import Cost
from tests.bench.deliveries import Rate
from tests.bench.figures import Ratio


def ratios(measured: Sequence[Ratio], title: str) -> Table:
    runs = measured[0].ratio.runs
    table = _table(f"{title} ({runs} pairs)", "", "p50", "goal", "min", "p10", "p90", "max", "ms", "to ms")
    for one in measured:
        colour = "green" if one.met else "bold red"
        spread = one.ratio
        table.add_row(
            one.name,
            f"[{colour}]{spread.p50:.2f}[/]",
            "" if one.goal is None else f"≤ {one.goal:.2f}",
            *(f"{value:.2f}" for value in (spread.min, spread.p10, spread.p90, spread.max)),
            *(f"{value:.1f}" for value in (one.ours_ms.p50, one.theirs_ms.p50)),
        )
    return table


def rates(measured: Sequence[Rate]) -> Table:
    table = _table(
        "Deliveries through the engine", "clients", "per second", "p50 ms", "p90 ms", "p99 ms", "max ms"
    )
    for rate in measured:
        figures = (rate.per_second, rate.ms.p50, rate.ms.p90, rate.p99_ms, rate.ms.max)
        table.add_row(str(rate.clients), *(f"{figure:.1f}" for figure in figures))
    return table


def costs(measured: Cost) -> Table:
    table = _table(
        "Dollars per million messages (us-east-1, list prices)",
        *("", "share", "WRU", "RRU", "kicks", "log B", "runs", "est. ms", "$"),
    )
    for use in measured.uses:
        table.add_row(
            use.name,
            f"{use.share:.0%}",
            *(f"{value:g}" for value in (use.wru, use.rru, use.kicks, use.log_bytes, use.invocations)),
            f"{use.billed_ms:.0f}",
            f"{use.dollars:.2f}",
        )
    table.add_section()
    table.add_row("the mix", "", "", "", "", "", "", "", f"[bold]{measured.dollars:.2f}[/]")
    tracing = f"{measured.tracing_least:.2f}–{measured.tracing_most:.2f}"
    table.add_row("and active tracing, by traffic", "", "", "", "", "", "", "", tracing)
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", box=None)
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number == 0 else "right")
    return table
