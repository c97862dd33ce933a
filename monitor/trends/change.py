"""The last seven days of an area against the eight weeks before."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import exp, sqrt

from monitor.trends.bursts import BASELINE_DAYS, MIN_HISTORY_DAYS
from monitor.trends.shares import Z95
from monitor.trends.tally import Tally, expect

WEEK = 7
# Of seven days; with fewer the week is not compared.
MIN_USABLE_DAYS = 4
# Reports found or expected in the week; below, nothing can be said.
MIN_TOTAL = 3.0
# Of the daily spread, what is left of it in a week's sum: news goes in cycles of some days, so more than a seventh. In
# benchmarks/burst_choice.py it leaves 0 to 2.3 weeks of 52 wrongly called rising or falling, and 5 % would be 2.6.
WEEKLY = 0.6


class Direction(StrEnum):
    RISING = "rising"
    FALLING = "falling"
    STEADY = "steady"
    TOO_FEW = "too few articles"
    POOR_COVERAGE = "poor coverage"
    NO_HISTORY = "too short a history"


@dataclass(frozen=True, slots=True)
class Change:
    """`ratio`: reports of the week over what its sources usually bring, with its 95 % interval; None where nothing can be said."""

    area: str
    direction: Direction
    articles: int
    expected: float
    usable_days: int
    ratio: float | None = None
    low: float | None = None
    high: float | None = None


def change_of(tally: Tally, area: str) -> Change:
    """How the last seven days of the tally differ from the area's own eight weeks before; poorly covered days count on neither side."""
    found = tally.found.get(area)
    if found is None:
        return Change(area, Direction.TOO_FEW, 0, 0.0, int(tally.usable[-WEEK:].sum()))
    days = len(tally.days)
    start = max(0, days - WEEK)
    past = expect(tally, found, slice(start, days), slice(max(0, start - BASELINE_DAYS), start))
    usable = int(tally.usable[start:].sum())
    facts = Change(area, Direction.STEADY, past.articles, round(past.expected, 3), usable)
    if usable < MIN_USABLE_DAYS:
        return _unknown(facts, Direction.POOR_COVERAGE)
    if past.history_days < MIN_HISTORY_DAYS:
        return _unknown(facts, Direction.NO_HISTORY)
    if past.articles + past.expected < MIN_TOTAL:
        return _unknown(facts, Direction.TOO_FEW)
    ratio = (past.articles + 0.5) / (past.expected + 0.5)
    spread = exp(Z95 * sqrt(1 / (past.articles + 0.5) + 1 / (past.history + 0.5) + WEEKLY * past.spread))
    low, high = ratio / spread, ratio * spread
    direction = Direction.RISING if low > 1 else Direction.FALLING if high < 1 else Direction.STEADY
    return Change(area, direction, past.articles, facts.expected, usable, ratio, low, high)


def _unknown(facts: Change, why: Direction) -> Change:
    return Change(facts.area, why, facts.articles, facts.expected, facts.usable_days)
