"""Entries, the articles read from them, their paragraphs and versions."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, func, or_, select, update
from sqlalchemy import insert as plain_insert

from monitor.domain import Article, Entry, NoArticle, ReadOutcome
from monitor.store.database import insert, insert_columns
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

    @property
    def page(self) -> str | None:
        """The address under which its article may be stored already; None where its page is to be asked for again."""
        return canonical_url(self.entry.url) if self.known_article is None and self.entry.url else None


@dataclass(frozen=True, slots=True)
class Waiting:
    """What is enough to queue an entry by its host."""

    id: int
    url: str | None


@dataclass(frozen=True, slots=True)
class Looked:
    """An entry that was pending, and what came of it: an article, the id of one that is stored, or why there is none."""

    pending: PendingEntry
    outcome: ReadOutcome | int
    sketch: bytes | None = None  # of an article


def entry_version(entry: Entry) -> str:
    """Changes when the feed says that the entry did."""
    said = "\x1f".join([entry.title, str(entry.updated_at or ""), str(len(entry.content or ""))])
    return hashlib.blake2b(said.encode("utf-8", "replace"), digest_size=8).hexdigest()


def write_entries(connection: Connection, source_id: int, found: Sequence[Entry], *, now: datetime) -> int:
    """Inserts the entries that are not there; one whose feed says it changed waits to be read again. Returns how many are new."""
    if not found:
        return 0
    rows: dict[str, dict[str, Any]] = {}
    for e in found:
        rows.setdefault(e.key, {
            "source_id": source_id, "key": e.key, "url": e.url, "title": e.title, "published_at": e.published_at, "summary": e.summary,
            "content": e.content, "author": e.author, "first_seen_at": now, "version": entry_version(e),
        })  # fmt: skip
    known = _known_versions(connection, source_id, list(rows))
    new = [row for key, row in rows.items() if key not in known]
    insert(connection, entries, new, keys=["source_id", "key"])
    changed = [
        {"the_key": key, **{name: row[name] for name in ("url", "title", "summary", "content", "version")}}
        for key, row in rows.items()
        if known.get(key, row["version"]) != row["version"]
    ]
    if changed:
        mine = and_(entries.c.source_id == source_id, entries.c.key == bindparam("the_key"))
        connection.execute(update(entries).where(mine).values(state="new", attempts=0, retry_at=None), changed)
    return len(new)


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


def waiting_entries(connection: Connection, now: datetime) -> Iterator[Waiting]:
    """Entries to be read, oldest first; of one page that two sources link the older source's, in whatever order they were asked."""
    e = entries.c
    oldest = func.coalesce(e.published_at, e.first_seen_at)
    chosen = select(e.id, e.url).where(_is_pending(now)).order_by(oldest, e.source_id, e.id)
    for row in connection.execute(chosen.execution_options(yield_per=1_000)):
        yield Waiting(*row)


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


def stored_articles(connection: Connection, urls: Collection[str]) -> dict[str, int]:
    """URL → id of those that are stored, so that a page that two sources link is asked for once."""
    chosen = select(articles.c.url, articles.c.id).where(articles.c.url.in_(urls))
    return {row.url: row.id for row in connection.execute(chosen)} if urls else {}


def write_looked(connection: Connection, looked: Sequence[Looked], *, max_attempts: int, now: datetime) -> tuple[str, ...]:
    """Stores the articles found and what became of the entries; returns the entries' new states in the order of `looked`."""
    found = [(one.pending.source_id, one.outcome, one.sketch) for one in looked if isinstance(one.outcome, Article)]
    ids = iter(write_articles(connection, found, now=now))
    rows = [_entry_row(one, ids, max_attempts, now) for one in looked]
    if rows:
        connection.execute(update(entries).where(entries.c.id == bindparam("its_id")), rows)
    return tuple(row["state"] for row in rows)


def _entry_row(looked: Looked, ids: Iterator[tuple[int, bool]], max_attempts: int, now: datetime) -> dict[str, Any]:
    """What becomes of an entry. What it carried itself is kept while it is to be tried again: then the paragraphs have it."""
    pending, outcome = looked.pending, looked.outcome
    row: dict[str, Any] = {"its_id": pending.id, "content": None, "retry_at": None}
    if not isinstance(outcome, NoArticle):
        article = outcome if isinstance(outcome, int) else next(ids)[0]
        return {**row, "state": "read", "article_id": article, "attempts": pending.attempts, "reason": None, "last_error": None}
    attempts = pending.attempts + 1
    why = {"article_id": pending.known_article, "attempts": attempts, "reason": outcome.reason.value, "last_error": outcome.message}
    if outcome.transient and attempts < max_attempts:
        return {**row, **why, "state": "new", "retry_at": now + RETRY_FIRST * 4 ** (attempts - 1), "content": pending.entry.content}
    return {**row, **why, "state": "failed" if outcome.transient else "empty"}


def write_articles(connection: Connection, found: Sequence[tuple[int, Article, bytes | None]], *, now: datetime) -> list[tuple[int, bool]]:
    """Stores articles, (source, article, sketch): the new ones, and as a new version those whose URL is there with another text.

    Returns their ids, and whether anything of them is new. Of several with one URL each meets what the one before it left.
    """
    written: dict[int, tuple[int, bool]] = {}
    left = list(enumerate(found))
    while left:
        by_url: dict[str, int] = {}
        for place, (_, article, _) in left:
            by_url.setdefault(article.url, place)
        places = list(by_url.values())
        written.update(zip(places, _write_different(connection, [found[place] for place in places], now), strict=True))
        left = [(place, one) for place, one in left if place not in written]
    return [written[place] for place in range(len(found))]


def _write_different(connection: Connection, found: Sequence[tuple[int, Article, bytes | None]], now: datetime) -> list[tuple[int, bool]]:
    """`write_articles` where no two have one URL."""
    columns = (articles.c.url, articles.c.id, articles.c.version, articles.c.fingerprint)
    known = {row.url: row for row in connection.execute(select(*columns).where(articles.c.url.in_([a.url for _, a, _ in found])))}
    ids = _insert_articles(connection, [one for one in found if one[1].url not in known], now)
    versions = [(ids[a.url], 1, a) for _, a, _ in found if a.url in ids]
    edited = []
    for _, article, sketch in found:
        row = known.get(article.url)
        if row is not None and row.fingerprint != article.fingerprint:
            edited.append({
                "its_id": row.id, "title": article.title, "fingerprint": article.fingerprint, "extractor": article.extractor,
                "shingles": sketch, "version": row.version + 1, "changed_at": now,
            })  # fmt: skip
            versions.append((row.id, row.version + 1, article))
    if edited:
        connection.execute(update(articles).where(articles.c.id == bindparam("its_id")), edited)
    _write_paragraphs(connection, versions)
    changed = {article.url for _, _, article in versions}
    return [(ids.get(a.url) or known[a.url].id, a.url in changed) for _, a, _ in found]


def _insert_articles(connection: Connection, found: Sequence[tuple[int, Article, bytes | None]], now: datetime) -> dict[str, int]:
    """URL → id of the new rows."""
    rows = [
        {
            "url": article.url, "source_id": source_id, "title": article.title, "language": article.language, "author": article.author,
            "published_at": article.published_at, "day": article.day, "first_seen_at": now, "fingerprint": article.fingerprint,
            "extractor": article.extractor, "shingles": sketch,
        }
        for source_id, article, sketch in found
    ]  # fmt: skip
    if not rows:
        return {}
    return {row.url: row.id for row in connection.execute(plain_insert(articles).returning(articles.c.url, articles.c.id), rows)}


def _write_paragraphs(connection: Connection, versions: Sequence[tuple[int, int, Article]]) -> None:
    """The paragraphs of (article id, version, article), each text once."""
    ids = write_texts(connection, [(p.fingerprint, p.text) for _, _, article in versions for p in article.paragraphs])
    links = [
        (key, version, position, ids[p.fingerprint]) for key, version, article in versions for position, p in enumerate(article.paragraphs)
    ]
    names = ("article_id", "version", "position", "paragraph_id")
    columns = {name: [link[place] for link in links] for place, name in enumerate(names)}
    insert_columns(connection, article_paragraphs, columns, keys=names[:3])


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
