"""Entries, the articles read from them, their paragraphs and versions."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select, update
from sqlalchemy import insert as plain_insert

from monitor.domain import Article, Entry, NoArticle
from monitor.store.database import insert
from monitor.store.schema import article_paragraphs, articles, entries, paragraphs, sources
from monitor.store.words import write_texts
from monitor.urls import canonical_url

RETRY_FIRST = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class PendingEntry:
    """An entry that waits to be read. `source_url` is its source's, `language` what the source says of itself."""

    id: int
    source_id: int
    source_language: str | None
    entry: Entry
    first_seen_at: datetime
    attempts: int
    known_article: int | None  # set when an article that is stored is to be read again


@dataclass(frozen=True, slots=True)
class Waiting:
    """What is enough to queue an entry by its host."""

    id: int
    url: str | None
    has_content: bool


def entry_version(entry: Entry) -> str:
    """Changes when the feed says that the entry did."""
    said = "\x1f".join([entry.title, str(entry.updated_at or ""), str(len(entry.content or ""))])
    return hashlib.blake2b(said.encode("utf-8", "replace"), digest_size=8).hexdigest()


def write_entries(connection: Connection, source_id: int, found: Sequence[Entry], *, now: datetime) -> int:
    """Inserts the entries that are not there; one whose feed says it changed waits to be read again. Returns how many are new."""
    if not found:
        return 0
    before = _entry_count(connection, source_id)
    rows: list[dict[str, Any]] = [
        {
            "source_id": source_id, "key": e.key, "url": e.url, "title": e.title, "published_at": e.published_at, "summary": e.summary,
            "content": e.content, "author": e.author, "first_seen_at": now, "version": entry_version(e),
        }
        for e in found
    ]  # fmt: skip
    known = _known_versions(connection, source_id, [e.key for e in found])
    changed = [row for row in rows if known.get(row["key"], row["version"]) != row["version"]]
    insert(connection, entries, [row for row in rows if row["key"] not in known], keys=["source_id", "key"])
    for row in changed:
        mine = and_(entries.c.source_id == source_id, entries.c.key == row["key"])
        fresh = {k: row[k] for k in ("url", "title", "summary", "content", "version")}
        connection.execute(update(entries).where(mine).values(**fresh, state="new", attempts=0, retry_at=None))
    return _entry_count(connection, source_id) - before


def _entry_count(connection: Connection, source_id: int) -> int:
    return connection.scalar(select(func.count()).where(entries.c.source_id == source_id)) or 0


def _known_versions(connection: Connection, source_id: int, keys: Sequence[str]) -> dict[str, str]:
    known: dict[str, str] = {}
    for start in range(0, len(keys), 500):
        chosen = select(entries.c.key, entries.c.version).where(
            entries.c.source_id == source_id, entries.c.key.in_(keys[start : start + 500])
        )
        known.update((key, version) for key, version in connection.execute(chosen))
    return known


def _is_pending(now: datetime) -> ColumnElement[bool]:
    return and_(entries.c.state == "new", or_(entries.c.retry_at.is_(None), entries.c.retry_at <= now))


def waiting_entries(connection: Connection, now: datetime) -> tuple[Waiting, ...]:
    """Entries to be read, oldest first; of one page that two sources link the older source's, in whatever order they were asked."""
    e = entries.c
    oldest = func.coalesce(e.published_at, e.first_seen_at)
    chosen = select(e.id, e.url, e.content.is_not(None)).where(_is_pending(now)).order_by(oldest, e.source_id, e.id)
    return tuple(Waiting(*row) for row in connection.execute(chosen))


def pending_entries(connection: Connection, ids: Sequence[int]) -> tuple[PendingEntry, ...]:
    """The entries of `ids` that still wait, in that order."""
    joined = entries.join(sources, sources.c.id == entries.c.source_id)
    columns: list[Any] = [entries, sources.c.url.label("source_url"), sources.c.language.label("source_language")]
    rows = connection.execute(select(*columns).select_from(joined).where(entries.c.id.in_(ids), entries.c.state == "new"))
    found = {
        r.id: PendingEntry(
            r.id,
            r.source_id,
            r.source_language,
            Entry(r.source_url, r.key, r.url, r.title, r.published_at, r.summary, r.content, r.author),
            r.first_seen_at,
            r.attempts,
            r.article_id,
        )
        for r in rows
    }
    return tuple(found[i] for i in ids if i in found)


def article_behind(connection: Connection, pending: PendingEntry) -> int | None:
    """The stored article behind an entry that is new to this source, so that a page that two sources link is asked for once."""
    if pending.known_article is not None or not pending.entry.url:
        return None
    url = canonical_url(pending.entry.url)
    return connection.scalar(select(articles.c.id).where(articles.c.url == url)) if url else None


def write_read(connection: Connection, pending: PendingEntry, article_id: int) -> None:
    """The entry has led to this article; its content is kept in the paragraphs."""
    done = {"state": "read", "article_id": article_id, "reason": None, "last_error": None, "retry_at": None, "content": None}
    connection.execute(update(entries).where(entries.c.id == pending.id).values(**done))


def write_unread(connection: Connection, pending: PendingEntry, outcome: NoArticle, *, max_attempts: int, now: datetime) -> str:
    """Records why there is no article, and when to try again. Returns the entry's new state."""
    attempts = pending.attempts + 1
    again = outcome.transient and attempts < max_attempts
    state = "new" if again else "failed" if outcome.transient else "empty"
    retry_at = now + RETRY_FIRST * 4 ** (attempts - 1) if again else None
    values: dict[str, Any] = {
        "state": state,
        "attempts": attempts,
        "retry_at": retry_at,
        "reason": outcome.reason.value,
        "last_error": outcome.message,
    }
    if not again:
        values["content"] = None  # it has told all it can
    connection.execute(update(entries).where(entries.c.id == pending.id).values(**values))
    return state


def write_article(connection: Connection, source_id: int, article: Article, shingles: bytes | None, *, now: datetime) -> tuple[int, bool]:
    """Stores an article, or a new version of the one with its URL when the text changed. Returns its id and whether anything is new."""
    row = connection.execute(select(articles.c.id, articles.c.version, articles.c.fingerprint).where(articles.c.url == article.url)).first()
    if row is None:
        return _insert_article(connection, source_id, article, shingles, now=now), True
    if row.fingerprint == article.fingerprint:
        return row.id, False
    changed = {
        "title": article.title, "fingerprint": article.fingerprint, "extractor": article.extractor, "shingles": shingles,
        "version": row.version + 1, "changed_at": now,
    }  # fmt: skip
    connection.execute(update(articles).where(articles.c.id == row.id).values(**changed))
    _write_paragraphs(connection, row.id, row.version + 1, article)
    return row.id, True


def _insert_article(connection: Connection, source_id: int, article: Article, shingles: bytes | None, *, now: datetime) -> int:
    row = {
        "url": article.url, "source_id": source_id, "title": article.title, "language": article.language, "author": article.author,
        "published_at": article.published_at, "day": article.day, "first_seen_at": now, "fingerprint": article.fingerprint,
        "extractor": article.extractor, "shingles": shingles,
    }  # fmt: skip
    found: int = connection.execute(plain_insert(articles).returning(articles.c.id), row).scalar_one()
    _write_paragraphs(connection, found, 1, article)
    return found


def _write_paragraphs(connection: Connection, article_id: int, version: int, article: Article) -> None:
    ids = write_texts(connection, [(p.fingerprint, p.text) for p in article.paragraphs])
    links = [
        {"article_id": article_id, "version": version, "position": position, "paragraph_id": ids[p.fingerprint]}
        for position, p in enumerate(article.paragraphs)
    ]
    insert(connection, article_paragraphs, links, keys=["article_id", "version", "position"])


def changed_paragraphs(connection: Connection, article_id: int, version: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The texts that `version` added and removed against the one before it."""

    def texts(which: int) -> dict[int, str]:
        joined = article_paragraphs.join(paragraphs, paragraphs.c.id == article_paragraphs.c.paragraph_id)
        chosen = select(paragraphs.c.id, paragraphs.c.text).select_from(joined)
        mine = and_(article_paragraphs.c.article_id == article_id, article_paragraphs.c.version == which)
        rows = connection.execute(chosen.where(mine).order_by(article_paragraphs.c.position))
        return {r.id: r.text for r in rows}

    new, old = texts(version), texts(version - 1)
    return tuple(t for k, t in new.items() if k not in old), tuple(t for k, t in old.items() if k not in new)


@dataclass(frozen=True, slots=True)
class Shingled:
    """An article as the story stage sees it."""

    id: int
    day: date
    shingles: bytes
    story_id: int | None


def articles_without_story(connection: Connection, limit: int) -> tuple[Shingled, ...]:
    chosen = _shingled().where(articles.c.story_id.is_(None), articles.c.shingles.is_not(None))
    return tuple(Shingled(*row) for row in connection.execute(chosen.order_by(articles.c.first_seen_at, articles.c.id).limit(limit)))


def articles_with_story(connection: Connection, first: date, last: date) -> tuple[Shingled, ...]:
    chosen = _shingled().where(articles.c.story_id.is_not(None), articles.c.shingles.is_not(None), articles.c.day.between(first, last))
    return tuple(Shingled(*row) for row in connection.execute(chosen.order_by(articles.c.id)))


def _shingled() -> Select[Any]:
    return select(articles.c.id, articles.c.day, articles.c.shingles, articles.c.story_id)


def write_stories(connection: Connection, stories: Sequence[tuple[int, int]]) -> None:
    """`stories`: (article id, story id)."""
    for article_id, story_id in stories:
        connection.execute(update(articles).where(articles.c.id == article_id, articles.c.story_id.is_(None)).values(story_id=story_id))
