"""What trends and pages are made from besides the counts: independent reports by source and day, texts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import Connection, func, or_, select

from monitor.store.counts import SOURCE_NAME
from monitor.store.schema import articles, paragraphs, sightings, sources

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
    """Those of `reports_seen` with a hit, by area, source and day, as of the last counting."""
    m, source = sightings.c, SOURCE_NAME.label("source")
    joined = sightings.join(sources, sources.c.id == m.source_id)
    chosen = select(m.area, source, m.day, func.count(m.article_id.distinct())).select_from(joined)
    chosen = chosen.where(m.matcher_id == matcher, m.day.between(first, last), m.story == m.article_id).group_by(m.area, source, m.day)
    return {(area, name, day): count for area, name, day, count in connection.execute(chosen)}


def articles_by_day(connection: Connection, first: date, last: date) -> dict[date, int]:
    """All articles, copies of syndicated ones too; a row for every day."""
    chosen = select(articles.c.day, func.count()).where(articles.c.day.between(first, last)).group_by(articles.c.day)
    seen = {first + timedelta(n): 0 for n in range((last - first).days + 1)}
    seen.update((day, number) for day, number in connection.execute(chosen))
    return seen


def hit_paragraphs(connection: Connection, matcher: int, first: date, last: date) -> Iterator[HitParagraph]:
    """The paragraphs with a hit, each once an area as its earliest article of the time has it, oldest first, as of the last counting."""
    m, a, p = sightings.c, articles.c, paragraphs.c
    joined = sightings.join(articles, a.id == m.article_id).join(paragraphs, p.id == m.paragraph_id)
    chosen = (
        select(m.area, m.paragraph_id, m.story, m.day, a.language, a.title, a.url, p.text)
        .select_from(joined)
        .where(m.matcher_id == matcher, m.day.between(first, last))
        .order_by(m.day, m.article_id, m.paragraph_id, m.area)
    )
    known: set[tuple[str, int]] = set()
    for area, key, *rest in connection.execute(chosen):
        if (area, key) not in known:
            known.add((area, key))
            yield HitParagraph(area, key, *rest)
