"""What could be told: the stories of a time, who carries them, and the words that speak for an area in them.

Everything is found from the ids and days of the articles, never by going through all hits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, func, not_, or_, select

from monitor.domain import Evidence, Hit, Mention
from monitor.store.schema import article_paragraphs, articles, hits, matched, paragraphs, sources

AT_ONCE = 500  # ids of one IN list


@dataclass(frozen=True, slots=True)
class Sighting:
    """An article of a story that carries an area; `probability` is its best paragraph's, `source` the title or else the address."""

    story: int
    article: int
    area: str
    probability: float
    first_seen_at: datetime
    day: date
    language: str
    title: str
    url: str
    source: str
    source_url: str
    source_kind: str


def _current() -> ColumnElement[bool]:
    """The paragraphs of the version that an article has now."""
    return and_(article_paragraphs.c.article_id == articles.c.id, article_paragraphs.c.version == articles.c.version)


def _grouped() -> ColumnElement[bool]:
    """Articles whose story is known; one without text for comparison is its own."""
    return or_(articles.c.story_id.is_not(None), articles.c.shingles.is_(None))


def ready_up_to(connection: Connection, matcher: int, *, after: int, first_day: date) -> int:
    """The last article, by id, before the first one that has no story yet or that `matcher` has not looked at whole.

    Only articles after the id `after` are looked at; of those of days before `first_day` nothing is expected any more.
    """
    looked = select(1).where(matched.c.matcher_id == matcher, matched.c.paragraph_id == article_paragraphs.c.paragraph_id)
    unseen = select(1).where(_current(), not_(looked.correlate(article_paragraphs).exists())).correlate(articles).exists()
    late = select(func.min(articles.c.id)).where(articles.c.id > after, articles.c.day >= first_day, or_(not_(_grouped()), unseen))
    first_late = connection.scalar(late)
    return first_late - 1 if first_late is not None else connection.scalar(select(func.max(articles.c.id))) or 0


def new_stories(connection: Connection, matcher: int, *, after: int, first_day: date) -> tuple[int, ...]:
    """Stories with an article of `first_day` or later that has a hit and was stored after the one of the id `after`."""
    hit = select(1).where(_current(), hits.c.matcher_id == matcher, hits.c.paragraph_id == article_paragraphs.c.paragraph_id)
    chosen = select(func.coalesce(articles.c.story_id, articles.c.id)).distinct()
    chosen = chosen.where(articles.c.id > after, articles.c.day >= first_day, _grouped(), hit.correlate(articles).exists())
    return tuple(connection.scalars(chosen))


def sightings(connection: Connection, matcher: int, stories: Sequence[int]) -> tuple[Sighting, ...]:
    """Every article of these stories with every area it carries, whenever it was seen."""
    joined = (
        articles.join(sources, sources.c.id == articles.c.source_id)
        .join(article_paragraphs, _current())
        .join(hits, and_(hits.c.matcher_id == matcher, hits.c.paragraph_id == article_paragraphs.c.paragraph_id))
    )
    chosen = select(
        func.coalesce(articles.c.story_id, articles.c.id).label("story"), articles.c.id.label("article"), hits.c.area,
        func.max(hits.c.probability).label("probability"), articles.c.first_seen_at, articles.c.day, articles.c.language,
        articles.c.title, articles.c.url, func.coalesce(func.nullif(sources.c.title, ""), sources.c.url).label("source"),
        sources.c.url.label("source_url"), sources.c.kind.label("source_kind"),
    ).select_from(joined).group_by(articles.c.id, sources.c.id, hits.c.area)  # fmt: skip
    found: list[Sighting] = []
    for ids in _pieces(stories):
        mine = or_(articles.c.story_id.in_(ids), and_(articles.c.story_id.is_(None), articles.c.id.in_(ids)))
        found += (Sighting(**row._mapping) for row in connection.execute(chosen.where(mine)))
    return tuple(found)


def evidence(connection: Connection, matcher: int, article_ids: Iterable[int]) -> dict[tuple[int, str], tuple[str, Hit]]:
    """By article and area: the text of the paragraph with the highest probability, and its hit.

    Among paragraphs whose probability looks the same when it is shown, the first that is not the headline: that one says more.
    """
    columns = (articles.c.id, articles.c.title, article_paragraphs.c.position, paragraphs.c.fingerprint, paragraphs.c.text, hits)
    joined = (
        articles.join(article_paragraphs, _current())
        .join(paragraphs, paragraphs.c.id == article_paragraphs.c.paragraph_id)
        .join(hits, and_(hits.c.matcher_id == matcher, hits.c.paragraph_id == article_paragraphs.c.paragraph_id))
    )
    chosen = select(*columns).select_from(joined)
    best: dict[tuple[int, str], Row[Any]] = {}
    for ids in _pieces(sorted(set(article_ids))):
        for row in connection.execute(chosen.where(articles.c.id.in_(ids))):
            key = (row.id, row.area)
            if key not in best or _speaks(row) > _speaks(best[key]):
                best[key] = row
    return {key: (row.text, _hit(row)) for key, row in best.items()}


def _speaks(row: Row[Any]) -> tuple[float, bool, int]:
    return round(row.probability, 2), row.text.strip() != row.title.strip(), -row.position


def _hit(row: Row[Any]) -> Hit:
    mentions = tuple(Mention(*mention) for mention in row.mentions)
    return Hit(row.fingerprint, row.area, row.probability, Evidence(mentions, row.similarity, row.exemplar))


def texts(connection: Connection, article_ids: Iterable[int]) -> dict[int, str]:
    """By article: its headline and its paragraphs, a line each."""
    joined = articles.join(article_paragraphs, _current()).join(paragraphs, paragraphs.c.id == article_paragraphs.c.paragraph_id)
    chosen = select(articles.c.id, articles.c.title, paragraphs.c.text).select_from(joined)
    lines: dict[int, list[str]] = {}
    for ids in _pieces(sorted(set(article_ids))):
        for key, title, text in connection.execute(chosen.where(articles.c.id.in_(ids)).order_by(article_paragraphs.c.position)):
            lines.setdefault(key, [title]).append(text)
    return {key: "\n".join(found) for key, found in lines.items()}


def _pieces(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    return (ids[start : start + AT_ONCE] for start in range(0, len(ids), AT_ONCE))
