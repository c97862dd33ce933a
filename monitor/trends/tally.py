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

# Standard deviations (Noufaily et al. 2013), and the part of the history that may be left out for it: more is no outbreak but a new level.
OUTSTANDING = 2.58
MOST_OUTSTANDING = 0.2
# What an area's own days weigh against: with the squares of few expected reports nothing is known of the spread.
PRIOR_SPREAD, PRIOR_SQUARES = 0.15, 40.0
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
    """What some days were compared with. `history`: the reports it rests on, of `history_days` days; `spread`: the variance of the
    area's daily rate over its mean squared, so that a day's reports vary by expected + spread * expected squared."""

    articles: int
    expected: float
    history: float
    history_days: int
    spread: float


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
    """The reports of the usable days of `days`, against what the usable days of `history` make one expect of those sources.

    A source without any report in the history is left out on both sides: nothing is known of what it usually writes. The days of the
    history that stand out most are left out of it, as in outbreak detection, so that a burst does not hide the next one.
    """
    now, past = _usable(tally, days), _usable(tally, history)
    known = tally.seen[:, past].sum(1) > 0
    seen, hit = tally.seen[known], found[known]
    if not known.any():
        return Expectation(0, 0.0, 0.0, int(past.size), PRIOR_SPREAD)
    usual = _shares(seen[:, past], hit[:, past]) @ seen[:, past]
    calm = past[~_outstanding(hit[:, past].sum(0), usual)]
    shares = _shares(seen[:, calm], hit[:, calm])
    calm_articles, calm_usual = hit[:, calm].sum(0), shares @ seen[:, calm]
    return Expectation(
        articles=int(hit[:, now].sum()),
        expected=float((shares @ seen[:, now]).sum()),
        history=float(calm_articles.sum()),
        history_days=int(past.size),
        spread=_spread(calm_articles, calm_usual),
    )


def _shares(seen: Counts, hit: Counts) -> Floats:
    """Each source's share of the area, (sources,), drawn towards that of all, and so that their sum is what was found.

    Half a report is added, so that a first one is no wonder beyond measure.
    """
    total = float(hit.sum()) + 0.5
    overall = total / max(1, int(seen.sum()))
    shares = (hit.sum(1) + PRIOR_ARTICLES * overall) / (seen.sum(1) + PRIOR_ARTICLES)
    usual = float((shares @ seen).sum())
    return np.asarray(shares * (total / usual)) if usual else np.asarray(shares)


def _outstanding(articles: Counts, usual: Floats) -> NDArray[np.bool_]:
    """The days far above what was usual, by the usual spread: the days' own would be wide for the very bursts that are looked for."""
    sigmas = (articles - usual) / np.sqrt(usual + PRIOR_SPREAD * usual**2 + 1e-9)
    beyond = max(OUTSTANDING, float(np.quantile(sigmas, 1 - MOST_OUTSTANDING))) if sigmas.size else OUTSTANDING
    return np.asarray(sigmas > beyond)


def _spread(articles: Counts, usual: Floats) -> float:
    """The spread by moments, drawn towards what is usual for news where the history is thin."""
    more = float(((articles - usual) ** 2 - usual).sum())
    return max(0.0, (more + PRIOR_SPREAD * PRIOR_SQUARES) / (float((usual**2).sum()) + PRIOR_SQUARES))


def _usable(tally: Tally, days: slice) -> NDArray[np.int64]:
    chosen = np.arange(len(tally.days))[days]
    return chosen[tally.usable[chosen]]
