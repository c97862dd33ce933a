"""Pending entries → articles: the network, the extraction and the database at work at once.

Entries wait in a queue a host, oldest first; a worker takes a host at a time, so that no host is asked twice at once and a slow host
delays only itself. Pages go to processes that extract; what comes of them is written a group at a time, each article whole.
"""

from __future__ import annotations

import asyncio
import logging
from array import array
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, assert_never
from urllib.parse import urlsplit

from sqlalchemy.exc import DBAPIError

from monitor import __version__
from monitor.domain import Article, Entry, FailureKind, Fetched, FetchFailed, NoArticle, NotModified, ReadOutcome, Unread
from monitor.extract import read_entry, read_page
from monitor.fetch import Client
from monitor.pipeline.group import Group
from monitor.pipeline.parts import Parts
from monitor.pipeline.workers import Broken, Workers
from monitor.store import articles
from monitor.store.articles import Looked, PendingEntry, Waiting
from monitor.stories import shingles

log = logging.getLogger(__name__)

AT_ONCE = 10  # entries of a host that are taken from the database together
UNREAD = {FailureKind.BLOCKED: Unread.BLOCKED, FailureKind.ROBOTS: Unread.BLOCKED, FailureKind.GONE: Unread.GONE}

Extracted = tuple[ReadOutcome, bytes | None]  # with the sketch of an article


def read(parts: Parts) -> Counter[str]:
    """Reads the pending entries. Counters: read, empty, failed, retry."""
    with parts.database.reading() as connection:
        queues = by_host(articles.waiting_entries(connection, parts.clock()))
    done: Counter[str] = Counter(read=0, empty=0, failed=0, retry=0)
    if queues:
        asyncio.run(_read_all(parts, queues, done))
    return done


def by_host(waiting: Iterable[Waiting]) -> list[array[int]]:
    """Entry ids in a queue a host, eight bytes each; the host whose first entry is oldest comes first."""
    hosts: dict[str, array[int]] = {}
    for entry in waiting:
        hosts.setdefault(urlsplit(entry.url or "").netloc.lower(), array("q")).append(entry.id)
    return list(hosts.values())


async def _read_all(parts: Parts, hosts: list[array[int]], done: Counter[str]) -> None:
    queues = deque(hosts)
    number = sum(map(len, hosts))

    def save(looked: Sequence[Looked]) -> None:
        done.update("retry" if state == "new" else state for state in _save(parts, looked))
        parts.progress("read", done.total(), number)

    found = Group(save)
    with Workers(parts.settings.workers) as workers:
        async with Client(parts.settings.fetch, version=__version__) as client:

            async def work() -> None:
                while queues:
                    await _read_host(parts, client, workers, queues.popleft(), found)

            await asyncio.gather(*(work() for _ in range(min(parts.settings.fetch.concurrency, len(queues)))))
        found.flush()


async def _read_host(parts: Parts, client: Client, workers: Workers, ids: array[int], found: Group[Looked]) -> None:
    """The entries of one host, one after another."""
    unsaved: dict[str, int] = {}  # pages whose articles may not be stored yet, with the number of their group
    for start in range(0, len(ids), AT_ONCE):
        unsaved = {page: group for page, group in unsaved.items() if group == found.number}
        for pending, page, known in _pending(parts, ids[start : start + AT_ONCE]):
            if known is None and page in unsaved:
                found.flush()
                _, _, known = next(_pending(parts, [pending.id]), (None, None, None))
            if known is not None:
                found.add(Looked(pending, known))
                continue
            outcome, sketch = await _look(client, workers, pending)
            if page:
                unsaved[page] = found.number
            found.add(Looked(pending, outcome, sketch))


def _pending(parts: Parts, ids: Sequence[int]) -> Iterator[tuple[PendingEntry, str | None, int | None]]:
    """Those of the entries that still wait, each with the address and the id that an article of it would be stored under, or is."""
    with parts.database.reading() as connection:
        pending = articles.pending_entries(connection, list(ids))
        pages = [one.page for one in pending]
        stored = articles.stored_articles(connection, {page for page in pages if page})
    return ((one, page, stored.get(page or "")) for one, page in zip(pending, pages, strict=True))


def _save(parts: Parts, looked: Sequence[Looked]) -> tuple[str, ...]:
    """Stores a group; where the database refuses something in it, one by one, so that only what it refuses is lost."""
    now, attempts = parts.clock(), parts.settings.fetch.max_attempts
    try:
        with parts.database.writing() as connection:
            return articles.write_looked(connection, looked, max_attempts=attempts, now=now)
    except (DBAPIError, ValueError) as error:
        if len(looked) > 1:
            return tuple(state for one in looked for state in _save(parts, [one]))
        if isinstance(looked[0].outcome, NoArticle):
            raise
        log.warning("entry %d: the database does not take its article: %s", looked[0].pending.id, error)
        refused = NoArticle(Unread.ERROR, f"the database does not take it: {type(error).__name__}")
        return _save(parts, [Looked(looked[0].pending, refused)])


async def _look(client: Client, workers: Workers, pending: PendingEntry) -> Extracted:
    entry = pending.entry
    facts: dict[str, Any] = {"source_language": pending.source_language, "first_seen_at": pending.first_seen_at}
    inside: Extracted = NoArticle(Unread.TOO_SHORT, "the entry has neither a link nor a text"), None
    if entry.content:
        inside = await _extract(workers, None, entry, **facts)
        if isinstance(inside[0], Article):
            return inside
    if not entry.url:
        return inside
    fetched = await client.fetch(entry.url, page=True)
    match fetched:
        case Fetched():
            return await _extract(workers, fetched, entry, **facts)
        case FetchFailed():
            return NoArticle(UNREAD.get(fetched.kind, Unread.ERROR), fetched.message, transient=fetched.transient), None
        case NotModified():
            message = "the server answered «not modified» to a request without validators"
            return NoArticle(Unread.ERROR, message, transient=True), None
        case _:
            assert_never(fetched)


async def _extract(workers: Workers, fetched: Fetched | None, entry: Entry, **facts: Any) -> Extracted:
    try:
        return await workers.call(extracted, fetched, entry, **facts)
    except Broken as broken:
        return NoArticle(Unread.ERROR, str(broken)), None


def extracted(fetched: Fetched | None, entry: Entry, *, source_language: str | None, first_seen_at: datetime) -> Extracted:
    """The article on a page, or in the entry itself, with its sketch; runs in another process."""
    if fetched is None:
        outcome = read_entry(entry, source_language=source_language, first_seen_at=first_seen_at)
    else:
        outcome = read_page(fetched, entry, source_language=source_language, first_seen_at=first_seen_at)
    return outcome, shingles(outcome.text) if isinstance(outcome, Article) else None
