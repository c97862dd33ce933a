"""Stored counts → what moved, and which names are new: for the pages, the commands and the digests alike."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta

from sqlalchemy import Connection

from monitor import trends
from monitor.domain import Burst, Coverage
from monitor.store import counts, series
from monitor.taxonomy import Area
from monitor.trends import BASELINE_DAYS, GAP_DAYS, Change, FreshTerm, HitText, Tally

# Days before those asked for that make their history.
HISTORY = timedelta(days=BASELINE_DAYS + GAP_DAYS)
WEEK = timedelta(days=6)


@dataclass(frozen=True, slots=True)
class Moves:
    """`seen`: all articles by day; `poor`: days covered too poorly to compare; `tally`: reports of the days and of their history."""

    first: date
    last: date
    tally: Tally
    seen: Mapping[date, int]
    coverage: tuple[Coverage, ...]
    poor: frozenset[date]

    def bursts(self, area: str) -> tuple[Burst, ...]:
        """Of the days asked for."""
        return tuple(burst for burst in trends.find_bursts(self.tally, area) if burst.day >= self.first)

    def change(self, area: str) -> Change:
        """The seven days up to the last against the eight weeks before."""
        return trends.change_of(self.tally, area)


def moves(connection: Connection, matcher: int | None, first: date, last: date, *, today: date) -> Moves:
    """What moved from `first` to `last` in the hits of `matcher`."""
    start = first - HISTORY
    seen = series.articles_by_day(connection, start, last)
    coverage = counts.load_coverage(connection, start, last)
    # Days before the first article of all are no history.
    began = min((day for day, number in seen.items() if number), default=first)
    known = {day: number for day, number in seen.items() if day >= min(began, first)}
    poor = trends.poor_days(coverage, known, today=today)
    found = {} if matcher is None else series.reports_found(connection, matcher, start, last)
    reports = series.reports_seen(connection, start, last)
    tally = trends.tally_of(reports, found, max(start, min(began, first)), last, poor)
    shown = {day: number for day, number in seen.items() if day >= first}
    return Moves(first, last, tally, shown, tuple(c for c in coverage if c.day >= first), frozenset(d for d in poor if d >= first))


def fresh(
    connection: Connection, matcher: int, areas: Sequence[Area], last: date, *, poor: Collection[date] = ()
) -> dict[str, tuple[FreshTerm, ...]]:
    """By area, the names that are new in the seven days up to `last` against the eight weeks before; days of `poor` bring none."""
    first = last - WEEK
    week: list[HitText] = []
    history: list[HitText] = []
    for p in series.hit_paragraphs(connection, matcher, first - timedelta(days=BASELINE_DAYS), last):
        if p.day < first or p.day not in poor:
            (week if p.day >= first else history).append(HitText(p.area, p.story, p.language, p.text, p.title, p.url))
    known = {area.id: [*area.strong(), *(word for words in area.weak.values() for word in words)] for area in areas}
    return trends.fresh_terms(week, history, known)


def write_findings(connection: Connection, matcher: int, areas: Sequence[str], first: date, last: date) -> None:
    """Keeps what the counts from `first` to `last` say: poor days, bursts, and how the last seven days moved."""
    found = moves(connection, matcher, first, last, today=last)
    changes = [asdict(found.change(area)) for area in areas]
    for change in changes:
        change["reports"] = change.pop("articles")
        del change["usable_days"]
    counts.replace_findings(
        connection,
        matcher,
        first,
        last,
        reading={day: (number, day in found.poor) for day, number in found.seen.items()},
        bursts=[burst for area in areas for burst in found.bursts(area)],
        moves=changes,
    )
