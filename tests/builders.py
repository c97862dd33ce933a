"""Fills a database for a test: single articles with their hits, or an archive of weeks with known bursts and gaps.

    with database.writing() as connection:
        source = add_source(connection, "Wafer & Wire", kind=SourceKind.TRADE_PRESS)
        article = add_article(connection, source, day=date(2026, 11, 2), texts=["A quantum computer …"])
        add_hit(connection, live_matcher(connection), article.paragraphs[0], "quantum-technology", words=["quantum computer"])

Everything goes through the tables that the stages write, with a row for each; nothing is counted here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from typing import Any

from sqlalchemy import Connection, Table, select, update

from monitor.domain import MatcherVersion, SourceKind
from monitor.store.database import insert
from monitor.store.hits import matcher_id
from monitor.store.schema import article_paragraphs, articles, fetches, hits, matched, paragraphs, sources
from monitor.store.words import write_texts

NOW = datetime(2026, 11, 23, 2, 30, tzinfo=UTC)
VERSION = MatcherVersion("taxonomy-1", "encoder-1", "calibration-1", "rules-1")
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Added:
    """The ids of a stored article and of its paragraphs, in order."""

    id: int
    paragraphs: tuple[int, ...]


def noon(day: date) -> datetime:
    return datetime.combine(day, time(12), UTC)


def fingerprint(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def live_matcher(connection: Connection, version: MatcherVersion = VERSION, *, now: datetime = NOW) -> int:
    """The id of a matcher; the first one made is live."""
    return matcher_id(connection, version, {"areas": []}, now=now)


def add_source(
    connection: Connection,
    title: str,
    *,
    url: str | None = None,
    kind: SourceKind = SourceKind.NEWSPAPER,
    language: str | None = "en",
    added_at: datetime | None = None,
    **state: Any,
) -> int:
    """A source that is polled since `added_at`; `state` sets further columns, such as failures or last_error."""
    row = {
        "url": url or f"https://feeds.example/{fingerprint(title)[:12]}.xml",
        "title": title,
        "kind": kind.value,
        "language": language,
        "added_at": added_at or NOW - timedelta(days=400),
        **state,
    }
    return write(connection, sources, [row])[0]


def write(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> list[int]:
    """Inserts rows and returns their ids in the same order."""
    if not rows:
        return []
    statement = table.insert().returning(table.c.id, sort_by_parameter_order=True)
    return list(connection.scalars(statement, list(rows)))


def add_article(
    connection: Connection,
    source: int,
    *,
    day: date,
    title: str = "A headline",
    texts: Sequence[str] = ("A paragraph of ordinary news.",),
    language: str = "en",
    story: int | None = None,
    url: str | None = None,
    seen_at: datetime | None = None,
) -> Added:
    """An article of version 1 with its paragraphs; without `story` it is a story of its own."""
    number = next(_numbers)
    row = {
        "url": url or f"https://news.example/{number}",
        "source_id": source,
        "title": title,
        "language": language,
        "published_at": noon(day),
        "day": day,
        "first_seen_at": seen_at or noon(day),
        "fingerprint": fingerprint(f"{number}"),
        "extractor": "test",
        "story_id": story,
    }
    found = write(connection, articles, [row])[0]
    if story is None:
        connection.execute(update(articles).where(articles.c.id == found).values(story_id=found))
    ids = add_paragraphs(connection, texts)
    link(connection, [(found, ids)])
    return Added(found, tuple(ids))


def add_paragraphs(connection: Connection, texts: Sequence[str]) -> list[int]:
    """Stores the texts that are not there; their ids in order."""
    keys = [fingerprint(text) for text in texts]
    known = write_texts(connection, list(zip(keys, texts, strict=True)))
    return [known[key] for key in keys]


def link(connection: Connection, found: Sequence[tuple[int, Sequence[int]]], *, version: int = 1) -> None:
    """`found`: (article id, paragraph ids in order)."""
    rows = [
        {"article_id": article, "version": version, "position": position, "paragraph_id": paragraph}
        for article, ids in found
        for position, paragraph in enumerate(ids)
    ]
    insert(connection, article_paragraphs, rows)


def hit_row(
    matcher: int,
    paragraph: int,
    area: str,
    text: str = "",
    *,
    words: Sequence[str] = (),
    probability: float = 0.9,
    similarity: float = 0.6,
    exemplar: str = "A model sentence.",
) -> dict[str, Any]:
    """A hit whose mentions are the first places of `words` in `text`."""
    spans = [[word, text.index(word), text.index(word) + len(word), False] for word in words]
    return {
        "matcher_id": matcher,
        "paragraph_id": paragraph,
        "area": area,
        "probability": probability,
        "similarity": similarity,
        "exemplar": exemplar,
        "mentions": spans,
    }


def add_hits(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Hits, and the ledger's rows for their paragraphs."""
    insert(connection, hits, rows, keys=["matcher_id", "paragraph_id", "area"])
    looked = [{"matcher_id": row["matcher_id"], "paragraph_id": row["paragraph_id"]} for row in rows]
    insert(connection, matched, looked, keys=["matcher_id", "paragraph_id"])


def add_hit(connection: Connection, matcher: int, paragraph: int, area: str, **evidence: Any) -> None:
    """One hit; its text is looked up where `words` are given."""
    text = connection.scalar(select(paragraphs.c.text).where(paragraphs.c.id == paragraph)) or ""
    add_hits(connection, [hit_row(matcher, paragraph, area, text, **evidence)])


def ask(connection: Connection, day: date, *, read: Sequence[int] = (), failed: Sequence[int] = ()) -> None:
    """One request a source on this day."""
    at = datetime.combine(day, time(2, 30), UTC)
    good = [{"source_id": s, "at": at, "outcome": "fetched", "status": 200, "bytes": 1, "seconds": 0.1} for s in read]
    bad = [{"source_id": s, "at": at, "outcome": "failed", "kind": "timeout", "message": "too slow", "seconds": 20.0} for s in failed]
    insert(connection, fetches, good)
    insert(connection, fetches, bad)
