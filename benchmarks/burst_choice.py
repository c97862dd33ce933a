"""Which statistic finds bursts: false alarms an area and year of each, at the same rate of bursts found, on series where both are known.

    python -m benchmarks.burst_choice [series a rate]

A series is a year of one area in thirty unlike sources: weekdays by kind of source, news cycles (an autoregressive rate), more spread than
Poisson's, a burst a month, gaps in which a third to six tenths of the sources fail for up to three days, and large sources that are added.
The figures stand beside the constants in `monitor/trends/`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from monitor.domain import Coverage
from monitor.trends.bursts import BASELINE_DAYS, GAP_DAYS, MIN_ARTICLES, MIN_HISTORY_DAYS, surprise_of
from monitor.trends.change import Direction, change_of
from monitor.trends.coverage import poor_days
from monitor.trends.tally import Tally, expect

DAYS, WARM_UP, SOURCES = 455, 90, 30
RATES = (0.1, 0.3, 1.0, 3.0, 10.0)  # reports a day of the area
BURST_DAYS = 3
FOUND = 0.8  # of the bursts, at which false alarms are compared
FIRST = date(2025, 1, 1)
Scores = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Series:
    """`bursts`: first days; `quiet`: days on which an alarm is false."""

    tally: Tally
    bursts: tuple[int, ...]
    quiet: NDArray[np.bool_]


def simulate(rng: np.random.Generator, rate: float) -> Series:
    """A year and three months of one area."""
    a_day = rng.lognormal(1.0, 1.2, SOURCES)
    trade = rng.random(SOURCES) < 0.3
    weekend = np.where(trade, 0.1, 0.6)
    days = np.arange(DAYS)
    volume = a_day[:, None] * np.where(days % 7 >= 5, weekend[:, None], 1.0)
    added = rng.choice(SOURCES, 3, replace=False)
    for source, since in zip(added, (150, 230, 310), strict=True):
        volume[source, :since] = 0
        volume[source, since:] *= 3
    down, coverage = _gaps(rng)
    seen = rng.poisson(volume * ~down)
    part = rng.gamma(0.6, 1.0, SOURCES) * np.where(trade, 6.0, 1.0)
    part *= rate / (part * a_day).sum()
    cycle = np.zeros(DAYS)
    for day in range(1, DAYS):
        cycle[day] = 0.8 * cycle[day - 1] + rng.normal(0, 0.15)
    level = np.exp(cycle) * rng.gamma(8.0, 1 / 8.0, DAYS)
    bursts = tuple(int(start + rng.integers(0, 15)) for start in range(WARM_UP + 10, DAYS - 20, 30))
    quiet = np.ones(DAYS, np.bool_)
    quiet[:WARM_UP] = False
    for start in bursts:
        level[start : start + BURST_DAYS] *= (4 * rate + 2) / rate
        quiet[start : start + BURST_DAYS + 1] = False
    found = rng.binomial(seen, np.clip(part[:, None] * level, 0, 0.9))
    dates = tuple(FIRST + timedelta(int(n)) for n in days)
    by_day = {day: int(seen[:, n].sum()) for n, day in enumerate(dates)}
    poor = poor_days([Coverage(day, SOURCES, int(c)) for day, c in zip(dates, coverage, strict=True)], by_day, today=dates[-1])
    usable = np.array([day not in poor for day in dates], np.bool_)
    names = tuple(f"s{n}" for n in range(SOURCES))
    return Series(Tally(dates, names, seen.astype(np.int64), {"area": found.astype(np.int64)}, usable), bursts, quiet)


def _gaps(rng: np.random.Generator) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Which sources fail when, (sources, days), and how many answer a day."""
    down = np.zeros((SOURCES, DAYS), np.bool_)
    for start in range(20, DAYS, 25):
        first = start + int(rng.integers(0, 15))
        failing = rng.random(SOURCES) < rng.uniform(0.3, 0.6)
        down[failing, first : first + int(rng.integers(1, 4))] = True
    return down, SOURCES - down.sum(0)


def negative_binomial(tally: Tally) -> Scores:
    """What `find_bursts` compares with its threshold."""
    return _scores(tally, lambda articles, e, history, spread: surprise_of(articles, e, history=history, spread=spread))


def poisson(tally: Tally) -> Scores:
    """The same without spread and without doubt about the history."""
    return _scores(tally, lambda articles, e, _history, _spread: surprise_of(articles, e))


def _scores(tally: Tally, surprise: Callable[[int, float, float, float], float]) -> Scores:
    found, scores = tally.found["area"], np.zeros(DAYS)
    for day in range(WARM_UP, DAYS):
        end = day - GAP_DAYS
        if not tally.usable[day] or found[:, day].sum() < MIN_ARTICLES:
            continue
        past = expect(tally, found, slice(day, day + 1), slice(end - BASELINE_DAYS, end))
        if past.history_days >= MIN_HISTORY_DAYS and past.articles >= MIN_ARTICLES:
            scores[day] = surprise(past.articles, past.expected, past.history, past.spread)
    return scores


def kleinberg(tally: Tally) -> Scores:
    """Kleinberg's two states for batched arrivals (Data Mining and Knowledge Discovery 7, 2003), the upper at three times the base rate.

    A day's score is the largest cost of a change of state, gamma ln n, at which the day is still in a burst.
    """
    n, k = tally.seen.sum(0).astype(float), tally.found["area"].sum(0).astype(float)
    base = k.sum() / n.sum()
    costs = np.stack([-(k * np.log(p) + (n - k) * np.log1p(-p)) for p in (base, min(0.9, 3 * base))])
    scores = np.zeros(DAYS)
    for gamma in np.geomspace(0.05, 8, 40):
        scores[_in_burst(costs, gamma * np.log(DAYS))] = gamma
    scores[k < MIN_ARTICLES] = 0
    return scores


def _in_burst(costs: Scores, change: float) -> NDArray[np.bool_]:
    best = np.array([0.0, change])
    back = np.zeros((2, DAYS), np.int64)
    for day in range(DAYS):
        into_low, into_high = best, best + np.array([change, 0.0])
        back[:, day] = int(np.argmin(into_low)), int(np.argmin(into_high))
        best = np.array([into_low.min(), into_high.min()]) + costs[:, day]
    states = np.zeros(DAYS, np.int64)
    state = int(np.argmin(best))
    for day in range(DAYS - 1, -1, -1):
        states[day] = state
        state = int(back[state, day])
    return states == 1


def merged(tally: Tally) -> Tally:
    """The same without its sources: all articles of a day as the denominator."""
    found = {area: counts.sum(0, keepdims=True) for area, counts in tally.found.items()}
    return Tally(tally.days, ("all",), tally.seen.sum(0, keepdims=True), found, tally.usable)


def unmarked(tally: Tally) -> Tally:
    """The same as if every day had been covered well."""
    return Tally(tally.days, tally.sources, tally.seen, tally.found, np.ones_like(tally.usable))


METHODS: dict[str, Callable[[Tally], Scores]] = {
    "negative binomial, by source, poor days marked": negative_binomial,
    "negative binomial, by source": lambda t: negative_binomial(unmarked(t)),
    "negative binomial, all sources as one, poor days marked": lambda t: negative_binomial(merged(t)),
    "negative binomial, all sources as one": lambda t: negative_binomial(merged(unmarked(t))),
    "Poisson, by source, poor days marked": poisson,
    "Poisson, all sources as one": lambda t: poisson(merged(unmarked(t))),
    "Kleinberg, poor days marked": lambda t: np.where(t.usable, kleinberg(t), 0),
    "Kleinberg": kleinberg,
}


def alarms(scores: Scores, series: Series, threshold: float) -> int:
    """Runs of days that are called a burst and are none."""
    false = (scores >= threshold) & series.quiet
    return int((false[1:] & ~false[:-1]).sum() + false[0])


def compare(all_series: list[Series], method: Callable[[Tally], Scores], fixed: float | None = None) -> tuple[float, float, float]:
    """(threshold, part of bursts found, false alarms an area and year); the threshold finds `FOUND` of the bursts unless it is fixed."""
    scored = [(method(s.tally), s) for s in all_series]
    peaks = [max(scores[b : b + BURST_DAYS]) for scores, s in scored for b in s.bursts if s.tally.usable[b : b + BURST_DAYS].all()]
    threshold = fixed if fixed is not None else max(1e-9, float(np.quantile(peaks, 1 - FOUND)))
    years = len(scored) * (DAYS - WARM_UP) / 365
    false = sum(alarms(scores, s, threshold) for scores, s in scored) / years
    return threshold, float(np.mean(np.array(peaks) >= threshold)), false


def false_changes(all_series: list[Series]) -> float:
    """Weeks without a burst that are called rising or falling, an area and year."""
    called = weeks = 0
    for s in all_series:
        for last in range(WARM_UP + 7, DAYS, 7):
            week = slice(last - 6, last + 1)
            if s.quiet[week].all() and s.quiet[last - 10 : last].all():
                t = s.tally
                upto = slice(max(0, last + 1 - 7 - BASELINE_DAYS), last + 1)
                part = Tally(t.days[upto], t.sources, t.seen[:, upto], {"area": t.found["area"][:, upto]}, t.usable[upto])
                weeks += 1
                called += change_of(part, "area").direction in {Direction.RISING, Direction.FALLING}
    return 52 * called / weeks


def main(number: int) -> None:
    for rate in RATES:
        rng = np.random.default_rng(1)
        all_series = [simulate(rng, rate) for _ in range(number)]
        print(f"\n{rate} reports a day, {number} years")
        for name, method in METHODS.items():
            threshold, found, false = compare(all_series, method)
            print(f"  {name:56} found {found:.0%} at {threshold:5.2f}: {false:5.2f} false alarms a year")
        for name, method in (("negative binomial", negative_binomial), ("Poisson", poisson)):
            fixed = [(t, *compare(all_series, method, t)[1:]) for t in (2.0, 2.5, 3.0, 4.0)]
            print(f"  {name}, fixed: " + ", ".join(f"at {t} {found:.0%} and {false:.2f}" for t, found, false in fixed))
        print(f"  weeks called rising or falling without a burst: {false_changes(all_series):.2f} a year")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 40)
