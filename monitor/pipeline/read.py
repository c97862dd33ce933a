"""Pending entries → articles: the network, the extraction and the database at work at once.

Entries wait in a queue a host, oldest first; a worker takes a host at a time, so that no host is asked twice at once and a slow host
delays only itself. Pages go to processes that extract; one that hangs or dies there costs that page alone.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from typing import Any, assert_never
from urllib.parse import urlsplit

from pebble import ProcessExpired, ProcessPool

from monitor import __version__
from monitor.domain import Article, FailureKind, Fetched, FetchFailed, NoArticle, NotModified, ReadOutcome, Unread
from monitor.extract import read_entry, read_page
from monitor.fetch import Client
from monitor.pipeline.parts import Parts
from monitor.store import articles
from monitor.store.articles import PendingEntry, Waiting
from monitor.stories import shingles

# Seconds that one page may take to extract; the slowest of 4,648 real pages took under two.
EXTRACTION_DEADLINE = 30
# Pages after which an extracting process is replaced, since parsers leak.
PAGES_A_PROCESS = 500
# prctl(2): the signal that the kernel sends when the parent dies.
PR_SET_PDEATHSIG = 1
UNREAD = {FailureKind.BLOCKED: Unread.BLOCKED, FailureKind.ROBOTS: Unread.BLOCKED, FailureKind.GONE: Unread.GONE}


def read(parts: Parts, ids: Sequence[int] | None = None) -> Counter[str]:
    """Reads the pending entries (or those of `ids`). Counters: read, empty, failed, retry."""
    with parts.database.reading() as connection:
        waiting = articles.waiting_entries(connection, parts.clock())
    if ids is not None:
        chosen = set(ids)
        waiting = tuple(w for w in waiting if w.id in chosen)
    done: Counter[str] = Counter(read=0, empty=0, failed=0, retry=0)
    if waiting:
        asyncio.run(_read_all(parts, waiting, done))
    return done


def by_host(waiting: Iterable[Waiting]) -> list[deque[int]]:
    """Entry ids in a queue a host; the host whose first entry is oldest comes first. Entries that need no request share one queue."""
    hosts: dict[str, deque[int]] = {}
    for entry in waiting:
        host = "" if entry.has_content or not entry.url else urlsplit(entry.url).netloc.lower()
        hosts.setdefault(host, deque()).append(entry.id)
    return list(hosts.values())


async def _read_all(parts: Parts, waiting: tuple[Waiting, ...], done: Counter[str]) -> None:
    queues = deque(by_host(waiting))
    workers = parts.settings.workers
    with ProcessPool(max_workers=workers, max_tasks=PAGES_A_PROCESS, initializer=_die_with, initargs=(os.getpid(),)) as pool:

        async def work(client: Client) -> None:
            while queues:
                queue = queues.popleft()
                while queue:
                    outcome = await _read_one(parts, client, pool, queue.popleft())
                    done.update([outcome] if outcome else [])
                    parts.progress("read", done.total(), len(waiting))

        async with Client(parts.settings.fetch, version=__version__) as client:
            await asyncio.gather(*(work(client) for _ in range(min(parts.settings.fetch.concurrency, len(queues)))))


def _die_with(parent: int) -> None:
    """Ends this process when its parent is killed: it holds what it inherited, the lock of the run among them, while a page hangs."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


async def _read_one(parts: Parts, client: Client, pool: ProcessPool, entry_id: int) -> str | None:
    with parts.database.reading() as connection:
        found = articles.pending_entries(connection, [entry_id])
        if not found:
            return None  # another run has read it meanwhile
        pending = found[0]
        known = articles.article_behind(connection, pending)
    if known is not None:
        with parts.database.writing() as connection:
            articles.write_read(connection, pending, known)
        return "read"
    outcome = await _look(client, pool, pending)
    signature = await asyncio.to_thread(shingles, outcome.text) if isinstance(outcome, Article) else None
    with parts.database.writing() as connection:
        if isinstance(outcome, NoArticle):
            attempts = parts.settings.fetch.max_attempts
            state = articles.write_unread(connection, pending, outcome, max_attempts=attempts, now=parts.clock())
            return "retry" if state == "new" else state
        article_id, _ = articles.write_article(connection, pending.source_id, outcome, signature, now=parts.clock())
        articles.write_read(connection, pending, article_id)
    return "read"


async def _look(client: Client, pool: ProcessPool, pending: PendingEntry) -> ReadOutcome:
    entry = pending.entry
    facts: dict[str, Any] = {"source_language": pending.source_language, "first_seen_at": pending.first_seen_at}
    inside: ReadOutcome = NoArticle(Unread.TOO_SHORT, "the entry has neither a link nor a text")
    if entry.content:
        inside = await _extract(pool, read_entry, entry, **facts)
        if isinstance(inside, Article):
            return inside
    if not entry.url:
        return inside
    fetched = await client.fetch(entry.url, page=True)
    match fetched:
        case Fetched():
            return await _extract(pool, read_page, fetched, entry, **facts)
        case FetchFailed():
            return NoArticle(UNREAD.get(fetched.kind, Unread.ERROR), fetched.message, transient=fetched.transient)
        case NotModified():
            return NoArticle(Unread.ERROR, "the server answered «not modified» to a request without validators", transient=True)
        case _:
            assert_never(fetched)


async def _extract(pool: ProcessPool, function: Callable[..., ReadOutcome], *arguments: Any, **facts: Any) -> ReadOutcome:
    future: Future[ReadOutcome] = pool.schedule(function, args=arguments, kwargs=facts, timeout=EXTRACTION_DEADLINE)
    try:
        return await asyncio.wrap_future(future)
    except TimeoutError:
        return NoArticle(Unread.ERROR, f"its text could not be extracted within {EXTRACTION_DEADLINE} s")
    except (ProcessExpired, MemoryError) as error:
        return NoArticle(Unread.ERROR, f"the extraction broke off: {error}")
