"""Shares of all articles: with an interval, smoothed over a week, by weekday."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import sqrt

from monitor.domain import DailyCount

Z95 = 1.959964
SMOOTHING_DAYS = 7


@dataclass(frozen=True, slots=True)
class Share:
    """A part of all articles with its 95 % interval, each 0..1."""

    share: float
    low: float
    high: float


def wilson(articles: int, seen: int) -> Share | None:
    """The share with Wilson's score interval (J. Amer. Statist. Assoc. 22, 1927), which also holds for few articles; None of none seen."""
    if seen <= 0:
        return None
    share = min(articles, seen) / seen
    square = Z95 * Z95
    middle = (share + square / (2 * seen)) / (1 + square / seen)
    half = Z95 / (1 + square / seen) * sqrt(share * (1 - share) / seen + square / (4 * seen * seen))
    return Share(share, max(0.0, middle - half), min(1.0, middle + half))


def smoothed(counts: Sequence[DailyCount], poor: Collection[date] = (), *, days: int = SMOOTHING_DAYS) -> tuple[Share | None, ...]:
    """A share for each of `counts` (one area, ascending days): all articles of the `days` days up to it, poorly covered ones left out.

    It looks back only, so that a value never changes when later days come; a week takes the weekdays out.
    """
    found: list[Share | None] = []
    for position, last in enumerate(counts):
        first = last.day - timedelta(days - 1)
        week = [c for c in counts[max(0, position - days + 1) : position + 1] if c.day >= first and c.day not in poor]
        found.append(wilson(sum(c.articles for c in week), sum(c.articles_seen for c in week)))
    return tuple(found)


def weekday_pattern(counts: Sequence[DailyCount], poor: Collection[date] = ()) -> tuple[float | None, ...]:
    """Articles of an average Monday … Sunday of one area; None where no such day was covered."""
    days: list[list[int]] = [[] for _ in range(7)]
    for c in counts:
        if c.day not in poor:
            days[c.day.weekday()].append(c.articles)
    return tuple(sum(found) / len(found) if found else None for found in days)
