"""Reports by source and day as arrays, and what each source's own history makes one expect.

A report is an article that is the first of its story: a text that forty papers print is one report.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]  # (sources, days)
Floats = NDArray[np.float64]

# Articles that a source's own share weighs against the share of all: with fewer of its own it counts as an average source.
PRIOR_ARTICLES = 10.0


@dataclass(frozen=True, slots=True)
class Tally:
    """`seen` and each of `found` are (sources, days); `usable` are the days that may be compared, (days,)."""

    days: tuple[date, ...]
    sources: tuple[str, ...]
    seen: Counts
    found: Mapping[str, Counts]
    usable: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Expectation:
    """What some days were compared with. `theta` is variance over mean of a day, at least 1; `history` the articles it rests on."""

    articles: int
    expected: float
    history: float
    history_days: int
    theta: float


def tally_of(
    seen: Mapping[tuple[str, date], int],
    found: Mapping[tuple[str, str, date], int],
    first: date,
    last: date,
    poor: Collection[date] = (),
) -> Tally:
    """`seen`: all reports by source and day; `found`: those with a hit, by area, source and day. Days outside are left out."""
    days = tuple(first + timedelta(n) for n in range((last - first).days + 1))
    sources = tuple(sorted({source for source, _ in seen} | {source for _, source, _ in found}))
    row, column = {s: n for n, s in enumerate(sources)}, {d: n for n, d in enumerate(days)}
    everything = np.zeros((len(sources), len(days)), np.int64)
    for (source, day), number in seen.items():
        if day in column:
            everything[row[source], column[day]] += number
    areas = {area: np.zeros_like(everything) for area, _, _ in found}
    for (area, source, day), number in found.items():
        if day in column:
            areas[area][row[source], column[day]] += number
    return Tally(days, sources, everything, areas, np.array([day not in poor for day in days], np.bool_))


def expect(tally: Tally, found: Counts, days: slice, history: slice) -> Expectation:
    """The articles of the usable days of `days`, against what the usable days of `history` make one expect of those sources.

    A source without any article in the history is left out on both sides: nothing is known of what it usually writes.
    """
    now, past = _usable(tally, days), _usable(tally, history)
    wrote, hit = tally.seen[:, past], found[:, past]
    known = wrote.sum(1) > 0
    total, total_seen = float(hit[known].sum()), float(wrote[known].sum())
    if not total_seen:
        return Expectation(0, 0.0, 0.0, int(past.size), 1.0)
    # Half an article is added to the history, so that a first one is no wonder beyond measure.
    overall = (total + 0.5) / total_seen
    shares = (hit[known].sum(1) + PRIOR_ARTICLES * overall) / (wrote[known].sum(1) + PRIOR_ARTICLES)
    usual = shares @ wrote[known]
    shares = shares * (total + 0.5) / usual.sum()
    expected = float((shares @ tally.seen[known][:, now]).sum())
    articles = int(found[known][:, now].sum())
    return Expectation(articles, expected, total, int(past.size), _theta(hit[known].sum(0), usual))


# Days that the usual variance over mean of news weighs against an area's own: a story is taken up by several sources at once.
PRIOR_THETA, PRIOR_DAYS = 1.6, 14.0


def _theta(articles: Floats, expected: Floats) -> float:
    """Variance over mean by Pearson's statistic, drawn towards what is usual where the days are few."""
    some = expected > 0
    squares = ((articles[some] - expected[some]) ** 2 / expected[some]).sum()
    return float(max(1.0, (squares + PRIOR_THETA * PRIOR_DAYS) / (some.sum() + PRIOR_DAYS)))


def _usable(tally: Tally, days: slice) -> NDArray[np.int64]:
    chosen = np.arange(len(tally.days))[days]
    return chosen[tally.usable[chosen]]
