"""Daily counts and coverage: derived tables, replaced for a window, never incremented; and what reads them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, String, cast, delete, distinct, func, literal, select, text

from monitor.domain import Coverage, DailyCount
from monitor.store.database import insert
from monitor.store.schema import article_paragraphs, articles, daily_counts, daily_coverage, fetches, hits, sources

DIMENSIONS = {
    "all": literal(""),
    "language": articles.c.language,
    "source": func.substr(func.coalesce(func.nullif(sources.c.title, ""), sources.c.url), 1, 255),
    "source-kind": sources.c.kind,
}


def replace_counts(connection: Connection, matcher: int, areas: Sequence[str], first: date, last: date) -> int:
    """Counts of every area on every day from `first` to `last`, by each dimension; returns how many rows.

    The dimension `all` has a row for every area and day, zeros included; the others only where articles were seen.
    """
    connection.execute(delete(daily_counts).where(daily_counts.c.matcher_id == matcher, daily_counts.c.day.between(first, last)))
    rows: list[dict[str, Any]] = []
    for dimension in DIMENSIONS:
        seen = _seen(connection, dimension, first, last)
        found = _found(connection, matcher, dimension, first, last)
        if dimension == "all":
            days = (first + timedelta(n) for n in range((last - first).days + 1))
            seen = {(day, ""): seen.get((day, ""), 0) for day in days}
        rows += [
            {
                "matcher_id": matcher, "area": area, "day": day, "dimension": dimension, "value": value, "articles_seen": number,
                "articles": found.get((area, day, value), (0, 0))[0], "stories": found.get((area, day, value), (0, 0))[1],
            }
            for (day, value), number in seen.items()
            for area in areas
            if dimension == "all" or (area, day, value) in found
        ]  # fmt: skip
    insert(connection, daily_counts, rows)
    return len(rows)


def _seen(connection: Connection, dimension: str, first: date, last: date) -> dict[tuple[date, str], int]:
    value = DIMENSIONS[dimension]
    joined = articles.join(sources, sources.c.id == articles.c.source_id)
    chosen = select(articles.c.day, cast(value, String).label("value"), func.count().label("n")).select_from(joined)
    rows = connection.execute(chosen.where(articles.c.day.between(first, last)).group_by(articles.c.day, text("value")))
    return {(r.day, r.value): r.n for r in rows}


def _found(
    connection: Connection, matcher: int, dimension: str, first: date, last: date
) -> dict[tuple[str, date, str], tuple[int, int]]:
    value = DIMENSIONS[dimension]
    joined = (
        articles.join(sources, sources.c.id == articles.c.source_id)
        .join(
            article_paragraphs,
            (article_paragraphs.c.article_id == articles.c.id) & (article_paragraphs.c.version == articles.c.version),
        )
        .join(hits, hits.c.paragraph_id == article_paragraphs.c.paragraph_id)
    )
    chosen: Select[Any] = select(
        hits.c.area,
        articles.c.day,
        cast(value, String).label("value"),
        func.count(distinct(articles.c.id)).label("articles"),
        func.count(distinct(func.coalesce(articles.c.story_id, articles.c.id))).label("stories"),
    ).select_from(joined)
    chosen = chosen.where(hits.c.matcher_id == matcher, articles.c.day.between(first, last))
    rows = connection.execute(chosen.group_by(hits.c.area, articles.c.day, text("value")))
    return {(r.area, r.day, r.value): (r.articles, r.stories) for r in rows}


def replace_coverage(connection: Connection, first: date, last: date) -> None:
    """Sources read of sources due, by day: due are those that were asked or, on a day without any request, all that were active.

    A source is read on a day when one request of that day brought an answer (new or «not modified»).
    """
    start, end = (datetime(d.year, d.month, d.day, tzinfo=UTC) for d in (first, last + timedelta(1)))
    asked: dict[date, set[int]] = {}
    read: dict[date, set[int]] = {}
    for source_id, at, outcome in connection.execute(
        select(fetches.c.source_id, fetches.c.at, fetches.c.outcome).where(fetches.c.at >= start, fetches.c.at < end)
    ):
        asked.setdefault(at.date(), set()).add(source_id)
        if outcome != "failed":
            read.setdefault(at.date(), set()).add(source_id)
    added = sorted(at.date() for at in connection.scalars(select(sources.c.added_at).where(sources.c.active)))
    rows = []
    for day in (first + timedelta(n) for n in range((last - first).days + 1)):
        due = len(asked[day]) if day in asked else sum(1 for since in added if since <= day)
        if due:
            rows.append({"day": day, "due": due, "read": len(read.get(day, ()))})
    connection.execute(delete(daily_coverage).where(daily_coverage.c.day.between(first, last)))
    insert(connection, daily_coverage, rows)


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
