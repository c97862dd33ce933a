"""Daily counts and coverage: derived tables, replaced for a window, never incremented; and what reads them.

A number counts for the day of its article (UTC), whenever the article came: a late one corrects its day at the next run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import permutations
from typing import Any

from sqlalchemy import Connection, FromClause, and_, case, delete, distinct, func, literal_column, not_, select

from monitor.domain import Burst, Coverage, DailyCount
from monitor.store.database import insert
from monitor.store.schema import (
    article_paragraphs,
    articles,
    daily_bursts,
    daily_counts,
    daily_coverage,
    daily_moves,
    daily_reading,
    daily_together,
    fetches,
    hits,
    sightings,
    sources,
)

# A source as counts name it; two of the same title count as one.
# Constants are written out: PostgreSQL sees a bound value of GROUP BY as another one than that of SELECT.
SOURCE_NAME = func.substr(
    func.coalesce(func.nullif(sources.c.title, literal_column("''")), sources.c.url), literal_column("1"), literal_column("255")
)
STORY = func.coalesce(articles.c.story_id, articles.c.id)
DIMENSIONS = ("all", "language", "source", "source-kind")

# Copies of a story come within days of it.
STORY_DAYS = timedelta(days=14)

Key = tuple[date, str, str]  # day, dimension, value


def articles_with_hits() -> FromClause:
    """Articles with their sources and the hits of the paragraphs that they have now."""
    current = and_(article_paragraphs.c.article_id == articles.c.id, article_paragraphs.c.version == articles.c.version)
    joined = articles.join(sources, sources.c.id == articles.c.source_id).join(article_paragraphs, current)
    return joined.join(hits, hits.c.paragraph_id == article_paragraphs.c.paragraph_id)


@dataclass(frozen=True, slots=True)
class Found:
    """An article that tells of an area."""

    area: str
    article: int
    story: int
    day: date
    language: str
    source: str  # as counts name it
    source_kind: str


def articles_found(connection: Connection, matcher: int, first: date, last: date) -> tuple[Found, ...]:
    """Every article from `first` to `last` with every area it tells of, once each, oldest first, as of the last counting."""
    m = sightings.c
    columns = (m.area, m.article_id, m.story, m.day, articles.c.language, SOURCE_NAME, sources.c.kind)
    joined = sightings.join(articles, articles.c.id == m.article_id).join(sources, sources.c.id == m.source_id)
    chosen = select(*columns).select_from(joined).where(m.matcher_id == matcher, m.day.between(first, last)).distinct()
    return tuple(Found(*row) for row in connection.execute(chosen.order_by(m.day, m.article_id, m.area)))


def replace_counts(
    connection: Connection, matcher: int, areas: Sequence[str], first: date, last: date, *, beside: Sequence[str] = ()
) -> int:
    """Sightings, and counts of every area on every day from `first` to `last`, by each dimension; returns how many rows of counts.

    The dimension `all` has a row for every area and day, zeros included; the others only where an article of the area was found.
    A story counts once a day and value, however many articles tell it. An area of `beside`, a policy instrument, counts only in articles
    that tell of another area, too: what is being done about a technology, not all that governments do.
    """
    _replace_sightings(connection, matcher, areas, first, last)
    if beside:
        _drop_lonely(connection, matcher, beside, first, last)
    _replace_together(connection, matcher, first, last)
    seen = _seen(connection, first, last)
    told: dict[tuple[str, *Key], set[int]] = {}
    found: Counter[tuple[str, *Key]] = Counter()
    for f in articles_found(connection, matcher, first, last):
        for key in _keys(f.day, f.language, f.source, f.source_kind):
            found[(f.area, *key)] += 1
            told.setdefault((f.area, *key), set()).add(f.story)
    everywhere = [(area, day, "all", "") for area in areas for day in _days(first, last)]
    several = [key for key in found if key[2] != "all"]
    rows = [
        {
            "matcher_id": matcher, "area": key[0], "day": key[1], "dimension": key[2], "value": key[3],
            "articles": found[key], "stories": len(told.get(key, ())), "articles_seen": seen[key[1:]],
        }
        for key in everywhere + several
    ]  # fmt: skip
    connection.execute(delete(daily_counts).where(daily_counts.c.matcher_id == matcher, daily_counts.c.day.between(first, last)))
    insert(connection, daily_counts, rows)
    return len(rows)


def _replace_sightings(connection: Connection, matcher: int, areas: Sequence[str], first: date, last: date) -> None:
    connection.execute(delete(sightings).where(sightings.c.matcher_id == matcher, sightings.c.day.between(first, last)))
    place = article_paragraphs.c
    columns = (
        hits.c.matcher_id,
        hits.c.area,
        articles.c.day,
        articles.c.id,
        place.position,
        hits.c.paragraph_id,
        STORY,
        articles.c.source_id,
    )
    chosen = select(*columns).select_from(articles_with_hits())
    chosen = chosen.where(hits.c.matcher_id == matcher, hits.c.area.in_(areas), articles.c.day.between(first, last))
    into = ("matcher_id", "area", "day", "article_id", "position", "paragraph_id", "story", "source_id")
    connection.execute(sightings.insert().from_select(into, chosen))


def _drop_lonely(connection: Connection, matcher: int, beside: Sequence[str], first: date, last: date) -> None:
    other = sightings.alias("other")
    company = select(1).where(other.c.matcher_id == matcher, other.c.article_id == sightings.c.article_id, other.c.area.not_in(beside))
    mine = (sightings.c.matcher_id == matcher, sightings.c.day.between(first, last), sightings.c.area.in_(beside))
    connection.execute(delete(sightings).where(*mine, not_(company.correlate(sightings).exists())))


def _replace_together(connection: Connection, matcher: int, first: date, last: date) -> None:
    """Pairs of areas by the day on which their story began, of stories that began from `first` to `last`."""
    m = sightings.c
    chosen = select(m.story, m.area, func.min(m.day)).where(m.matcher_id == matcher, m.day.between(first - STORY_DAYS, last + STORY_DAYS))
    told: dict[int, list[tuple[str, date]]] = {}
    for story, area, day in connection.execute(chosen.group_by(m.story, m.area)):
        told.setdefault(story, []).append((area, day))
    pairs: Counter[tuple[str, str, date]] = Counter()
    for those in told.values():
        began = min(day for _, day in those)
        if first <= began <= last:
            pairs.update((area, other, began) for (area, _), (other, _) in permutations(those, 2))
    t = daily_together.c
    connection.execute(delete(daily_together).where(t.matcher_id == matcher, t.day.between(first, last)))
    rows = [{"matcher_id": matcher, "area": a, "other": o, "day": day, "stories": number} for (a, o, day), number in pairs.items()]
    insert(connection, daily_together, rows)


def load_together(connection: Connection, matcher: int, first: date, last: date) -> dict[tuple[str, str], tuple[tuple[date, int], ...]]:
    """By pair of areas, the days on which stories of both began, and how many; pairs come both ways round."""
    t = daily_together.c
    chosen = select(t.area, t.other, t.day, t.stories).where(t.matcher_id == matcher, t.day.between(first, last)).order_by(t.day)
    found: dict[tuple[str, str], list[tuple[date, int]]] = {}
    for area, other, day, stories in connection.execute(chosen):
        found.setdefault((area, other), []).append((day, stories))
    return {pair: tuple(days) for pair, days in found.items()}


def replace_findings(
    connection: Connection,
    matcher: int,
    first: date,
    last: date,
    *,
    reading: Mapping[date, tuple[int, bool]],
    bursts: Sequence[Burst],
    moves: Sequence[Mapping[str, Any]],
) -> None:
    """What was found in the counts from `first` to `last`: articles read a day and whether that is poor, bursts, and the moves of the
    seven days up to `last` (columns of `daily_moves` but for matcher and day)."""
    connection.execute(delete(daily_reading).where(daily_reading.c.day.between(first, last)))
    insert(connection, daily_reading, [{"day": day, "articles": number, "poor": poor} for day, (number, poor) in reading.items()])
    b, m = daily_bursts.c, daily_moves.c
    connection.execute(delete(daily_bursts).where(b.matcher_id == matcher, b.day.between(first, last)))
    insert(
        connection,
        daily_bursts,
        [
            {
                "matcher_id": matcher, "area": x.area, "day": x.day, "reports": x.articles, "expected": x.expected, "surprise": x.surprise,
            }
            for x in bursts
        ],
    )  # fmt: skip
    connection.execute(delete(daily_moves).where(m.matcher_id == matcher, m.day == last))
    insert(connection, daily_moves, [{"matcher_id": matcher, "day": last, **move} for move in moves])


def _keys(day: date, language: str, source: str, kind: str) -> tuple[Key, ...]:
    return (day, "all", ""), (day, "language", language), (day, "source", source), (day, "source-kind", kind)


def _days(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(n) for n in range((last - first).days + 1))


def _seen(connection: Connection, first: date, last: date) -> Counter[Key]:
    """All articles by day and each dimension's value."""
    columns = (articles.c.day, articles.c.language, SOURCE_NAME.label("source"), sources.c.kind)
    joined = articles.join(sources, sources.c.id == articles.c.source_id)
    chosen = select(*columns, func.count().label("n")).select_from(joined).where(articles.c.day.between(first, last)).group_by(*columns)
    seen: Counter[Key] = Counter()
    for day, language, source, kind, number in connection.execute(chosen):
        for key in _keys(day, language, source, kind):
            seen[key] += number
    return seen


def replace_coverage(connection: Connection, first: date, last: date) -> None:
    """Sources read of sources due, by day: due are those that were asked or, on a day without any request, all that were active.

    A source is read on a day when one request of that day brought an answer (new or «not modified»). Days whose requests are no longer
    stored keep the rows they have; days that are over and have a row are not looked at again, since no request can join them.
    """
    oldest = connection.scalar(select(func.min(fetches.c.at)))
    if oldest is None:
        return
    newest = connection.scalar(select(func.max(daily_coverage.c.day)))
    known = set(connection.scalars(select(daily_coverage.c.day).where(daily_coverage.c.day.between(first, last))))
    added = sorted(at.date() for at in connection.scalars(select(sources.c.added_at).where(sources.c.active)))
    rows = []
    for day in _days(max(first, oldest.date()), last):
        if day in known and newest is not None and day < newest:
            continue
        due, read = _asked(connection, day)
        due = due or sum(1 for since in added if since <= day)
        if due:
            rows.append({"day": day, "due": due, "read": read})
    connection.execute(delete(daily_coverage).where(daily_coverage.c.day.in_([row["day"] for row in rows])))
    insert(connection, daily_coverage, rows)


def _asked(connection: Connection, day: date) -> tuple[int, int]:
    """How many sources were asked on this day, and how many of them answered."""
    start = datetime.combine(day, time(), UTC)
    answered = case((fetches.c.outcome != "failed", fetches.c.source_id))
    chosen = select(func.count(distinct(fetches.c.source_id)), func.count(distinct(answered)))
    row = connection.execute(chosen.where(fetches.c.at >= start, fetches.c.at < start + timedelta(1))).one()
    return int(row[0]), int(row[1])


def load_counts(
    connection: Connection, matcher: int, first: date, last: date, *, dimension: str = "all", area: str | None = None
) -> tuple[DailyCount, ...]:
    c = daily_counts.c
    chosen = select(c.area, c.day, c.dimension, c.value, c.articles, c.stories, c.articles_seen).where(
        c.matcher_id == matcher, c.dimension == dimension, c.day.between(first, last)
    )
    if area is not None:
        chosen = chosen.where(c.area == area)
    return tuple(DailyCount(*row) for row in connection.execute(chosen.order_by(c.area, c.day, c.value)))


def load_coverage(connection: Connection, first: date, last: date) -> tuple[Coverage, ...]:
    chosen = select(daily_coverage).where(daily_coverage.c.day.between(first, last)).order_by(daily_coverage.c.day)
    return tuple(Coverage(r.day, r.due, r.read) for r in connection.execute(chosen))
