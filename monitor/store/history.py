"""The stored history in the order of its paragraphs, with what two matchers found in it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, delete, func, select, update

from monitor.domain import MatcherVersion, Paragraph
from monitor.store.schema import (
    article_paragraphs,
    articles,
    daily_bursts,
    daily_counts,
    daily_moves,
    daily_together,
    embeddings,
    hits,
    matched,
    matchers,
    paragraphs,
    sightings,
    taxonomies,
)

AT_ONCE = 500  # ids of one IN list


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored paragraph. `vector`: float16, little-endian, None where this encoder has not made it; `seen`: the matcher has looked."""

    id: int
    paragraph: Paragraph
    vector: bytes | None
    seen: bool


def known_matcher(connection: Connection, version: MatcherVersion) -> int | None:
    """The id of this matcher version, None where there is none yet."""
    m = matchers.c
    same = and_(
        m.taxonomy == version.taxonomy, m.encoder == version.encoder, m.calibration == version.calibration, m.rules == version.rules
    )
    return connection.scalar(select(m.id).where(same))


def stored_page(
    connection: Connection, matcher: int | None, encoder: int, *, since: date | None, after: int, limit: int
) -> tuple[Stored, ...]:
    """The next `limit` paragraphs with ids over `after`, in ascending order; with `since`, of articles of that day or later."""
    vector = and_(embeddings.c.paragraph_id == paragraphs.c.id, embeddings.c.encoder_id == encoder)
    looked = and_(matched.c.paragraph_id == paragraphs.c.id, matched.c.matcher_id == (matcher or 0))
    columns = (paragraphs.c.id, paragraphs.c.fingerprint, paragraphs.c.text, embeddings.c.vector, matched.c.matcher_id)
    joined = paragraphs.outerjoin(embeddings, vector).outerjoin(matched, looked)
    chosen = _since(select(*columns).select_from(joined), since).where(paragraphs.c.id > after)
    rows = connection.execute(chosen.order_by(paragraphs.c.id).limit(limit))
    return tuple(Stored(key, Paragraph(fingerprint, text), v, seen is not None) for key, fingerprint, text, v, seen in rows)


def stored_number(connection: Connection, *, since: date | None) -> int:
    """How many paragraphs `stored_page` gives in all."""
    return connection.scalar(_since(select(func.count()).select_from(paragraphs), since)) or 0


def _since(query: Select[Any], since: date | None) -> Select[Any]:
    if since is None:
        return query
    joined = article_paragraphs.join(articles, articles.c.id == article_paragraphs.c.article_id)
    mine = and_(article_paragraphs.c.paragraph_id == paragraphs.c.id, articles.c.day >= since)
    return query.where(select(1).select_from(joined).where(mine).correlate(paragraphs).exists())


def areas_found(connection: Connection, matcher: int, first: int, last: int) -> dict[int, set[str]]:
    """Areas by paragraph, of the paragraphs from id `first` to `last` that have a hit."""
    chosen = select(hits.c.paragraph_id, hits.c.area).where(hits.c.matcher_id == matcher, hits.c.paragraph_id.between(first, last))
    found: dict[int, set[str]] = {}
    for key, area in connection.execute(chosen):
        found.setdefault(key, set()).add(area)
    return found


def first_days(connection: Connection, ids: Sequence[int]) -> dict[int, date]:
    """The day of the earliest article that has the paragraph, by paragraph."""
    joined = article_paragraphs.join(articles, articles.c.id == article_paragraphs.c.article_id)
    chosen = select(article_paragraphs.c.paragraph_id, func.min(articles.c.day)).select_from(joined)
    chosen = chosen.group_by(article_paragraphs.c.paragraph_id)
    days: dict[int, date] = {}
    for start in range(0, len(ids), AT_ONCE):
        mine = article_paragraphs.c.paragraph_id.in_(ids[start : start + AT_ONCE])
        days.update((key, day) for key, day in connection.execute(chosen.where(mine)))
    return days


def first_day(connection: Connection) -> date | None:
    """The day of the oldest article; None where there is none."""
    found: date | None = connection.scalar(select(func.min(articles.c.day)))
    return found


def retire(connection: Connection, *, keep: Collection[int], now: datetime) -> tuple[int, ...]:
    """Drops hits, ledger and counts of all matchers but `keep`; what they were stays recorded. Returns their ids."""
    old = tuple(connection.scalars(select(matchers.c.id).where(matchers.c.id.not_in(list(keep)), matchers.c.retired_at.is_(None))))
    for table in (hits, matched, sightings, daily_counts, daily_together, daily_bursts, daily_moves):
        connection.execute(delete(table).where(table.c.matcher_id.in_(old)))
    connection.execute(update(matchers).where(matchers.c.id.in_(old)).values(retired_at=now))
    return old


def last_version(connection: Connection, area: str) -> tuple[datetime, dict[str, Any]] | None:
    """When the latest taxonomy with this area was taken into use, and the area as it says; None if none ever had it."""
    found = None
    chosen = select(taxonomies.c.first_used_at, taxonomies.c.body).order_by(taxonomies.c.first_used_at)
    for first_used_at, body in connection.execute(chosen):
        found = next(((first_used_at, one) for one in body.get("areas", ()) if one.get("id") == area), found)
    return found


def last_counted(connection: Connection, area: str) -> date | None:
    """The last day for which any matcher whose counts are kept counted an article of the area."""
    c = daily_counts.c
    mine = (c.matcher_id.in_(select(matchers.c.id)), c.dimension == "all", c.area == area, c.articles > 0)
    found: date | None = connection.scalar(select(func.max(c.day)).where(*mine))
    return found
