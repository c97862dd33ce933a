"""What trends and pages are made from besides the counts: independent reports by source and day, texts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import Connection, func, or_, select

from monitor.store.counts import SOURCE_NAME, STORY, articles_with_hits
from monitor.store.schema import articles, hits, paragraphs, sources

# A story bears the id of its first article.
IS_REPORT = or_(articles.c.story_id.is_(None), articles.c.story_id == articles.c.id)


@dataclass(frozen=True, slots=True)
class HitParagraph:
    """A paragraph with a hit, as its earliest article of the time has it."""

    area: str
    paragraph: int
    story: int
    day: date
    language: str
    title: str
    url: str
    text: str


def reports_seen(connection: Connection, first: date, last: date) -> dict[tuple[str, date], int]:
    """Articles that are the first of their story, by source (named as `daily_counts` names it) and day."""
    joined = articles.join(sources, sources.c.id == articles.c.source_id)
    source = SOURCE_NAME.label("source")
    chosen = select(source, articles.c.day, func.count()).select_from(joined).where(articles.c.day.between(first, last), IS_REPORT)
    return {(name, day): number for name, day, number in connection.execute(chosen.group_by(source, articles.c.day))}


def reports_found(connection: Connection, matcher: int, first: date, last: date) -> dict[tuple[str, str, date], int]:
    """Those of `reports_seen` with a hit, by area, source and day."""
    source, number = SOURCE_NAME.label("source"), func.count(articles.c.id.distinct())
    chosen = (
        select(hits.c.area, source, articles.c.day, number)
        .select_from(articles_with_hits())
        .where(hits.c.matcher_id == matcher, articles.c.day.between(first, last), IS_REPORT)
        .group_by(hits.c.area, source, articles.c.day)
    )
    return {(area, name, day): count for area, name, day, count in connection.execute(chosen)}


def articles_by_day(connection: Connection, first: date, last: date) -> dict[date, int]:
    """All articles, copies of syndicated ones too; a row for every day."""
    chosen = select(articles.c.day, func.count()).where(articles.c.day.between(first, last)).group_by(articles.c.day)
    seen = {first + timedelta(n): 0 for n in range((last - first).days + 1)}
    seen.update((day, number) for day, number in connection.execute(chosen))
    return seen


def hit_paragraphs(connection: Connection, matcher: int, first: date, last: date) -> Iterator[HitParagraph]:
    """The paragraphs with a hit, each once an area as its earliest article of the time has it, oldest first."""
    a, p = articles.c, paragraphs.c
    columns = (hits.c.area, p.id, STORY, a.day, a.language, a.title, a.url, p.text)
    chosen = (
        select(*columns)
        .select_from(articles_with_hits().join(paragraphs, paragraphs.c.id == hits.c.paragraph_id))
        .where(hits.c.matcher_id == matcher, a.day.between(first, last))
        .order_by(a.day, a.id, p.id, hits.c.area)
    )
    known: set[tuple[str, int]] = set()
    for area, key, *rest in connection.execute(chosen):
        if (area, key) not in known:
            known.add((area, key))
            yield HitParagraph(area, key, *rest)
