"""Which days were covered too poorly to compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from statistics import median

from monitor.domain import Coverage

# Below this part of the sources that were due a day is marked. With a fifth of the sources gone the share of an area moves by as much as
# those differ from the rest; benchmarks/burst_choice.py has gaps of 30 to 60 %.
MIN_COVERAGE = 0.8
# A day with less than this part of the articles of its weekday is marked too: one large source can fail while nineteen small ones answer.
MIN_VOLUME = 0.5
WEEKS = 8
MIN_WEEKS = 3


def poor_days(coverage: Sequence[Coverage], seen: Mapping[date, int], *, today: date) -> frozenset[date]:
    """The days of `seen` (articles by day) that must not be compared with others.

    A day without a row in `coverage` was before the first run: what is known of it came from the feeds' archives, and only its volume
    is judged. `today` is not over, so its volume is not.
    """
    known = {c.day: c for c in coverage}
    poor = set()
    for day in seen:
        c = known.get(day)
        if (c is not None and c.due and c.read < MIN_COVERAGE * c.due) or (day < today and _thin(day, seen)):
            poor.add(day)
    return frozenset(poor)


def _thin(day: date, seen: Mapping[date, int]) -> bool:
    before = [seen[d] for weeks in range(1, WEEKS + 1) if (d := day - timedelta(weeks=weeks)) in seen]
    return len(before) >= MIN_WEEKS and seen[day] < MIN_VOLUME * median(before)
