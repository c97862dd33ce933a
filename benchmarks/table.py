"""One line a comparison, as Markdown: the table of the README, which `python -m benchmarks --table` prints."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """`ours` and `naive` in `unit`; `memory`: our peak in MB, where it is measured; `limit`: how near we are to what bounds us."""

    what: str
    unit: str
    ours: float
    naive: float
    ratio: float
    memory: float | None = None
    limit: str = ""


def markdown(rows: Iterable[Row]) -> str:
    lines = ["| what | unit | ours | naive way | ratio | our peak memory | of the limit |", "|---|---|---:|---:|---:|---:|---|"]
    for row in rows:
        memory = "" if row.memory is None else f"{row.memory:,.0f} MB"
        numbers = (_number(row.ours), _number(row.naive), _number(row.ratio))
        lines.append(f"| {' | '.join((row.what, row.unit, *numbers, memory, row.limit))} |")
    return "\n".join(lines)


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
