"""Due sources → entries."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from dataclasses import replace

from monitor import __version__
from monitor.domain import FailureKind, Feed, Fetched, FetchFailed, FetchOutcome, NotModified, SourceState, Validators
from monitor.errors import FeedError
from monitor.fetch import Client, schedule
from monitor.pipeline.parts import Parts
from monitor.sources import read_feed
from monitor.store import articles, sources
from monitor.urls import shown

log = logging.getLogger(__name__)

# Documents of a sitemap index that are read at one poll; the rest is said in the source's warning.
CHILDREN = 10


def poll(parts: Parts) -> Counter[str]:
    """Asks every due source and stores its new entries. Counters: due, ok, not_modified, failed, new."""
    with parts.database.reading() as connection:
        due = sources.due_sources(connection, parts.clock())
    done: Counter[str] = Counter(due=len(due), ok=0, not_modified=0, failed=0, new=0)
    if due:
        asyncio.run(_poll_all(parts, due, done))
    return done


async def _poll_all(parts: Parts, due: tuple[SourceState, ...], done: Counter[str]) -> None:
    queue = list(reversed(due))

    async def work(client: Client) -> None:
        while queue:
            state = queue.pop()
            done.update(await _poll_one(parts, client, state))
            parts.progress("poll", len(due) - len(queue), len(due))

    async with Client(parts.settings.fetch, version=__version__) as client:
        await asyncio.gather(*(work(client) for _ in range(min(parts.settings.fetch.concurrency, len(due)))))


async def _poll_one(parts: Parts, client: Client, state: SourceState) -> dict[str, int]:
    now = parts.clock()
    outcome = await client.fetch(state.source.url, schedule.validators_to_send(state, now=now))
    outcome, feed = await _understand(client, outcome, parts)
    with parts.database.writing() as connection:
        new = articles.write_entries(connection, state.id, feed.entries, now=now) if feed else 0
        after = schedule.next_check(state, outcome, feed, new, now=now)
        after = _with_what_was_read(after, feed) if feed else after
        sources.write_poll(connection, after, outcome, feed, new_entries=new, now=now)
        if address := schedule.moved(after):
            sources.change_address(connection, state.id, address)
    match outcome:
        case Fetched():
            return {"ok": 1, "new": new}
        case NotModified():
            return {"not_modified": 1}
        case FetchFailed():
            log.info("%s: %s", shown(state.source.url), outcome.message)
            return {"failed": 1}


def _with_what_was_read(after: SourceState, feed: Feed) -> SourceState:
    """An index is asked for whole each time: its documents change while it stays the same."""
    validators = Validators() if feed.children else after.validators
    return replace(after, warning="; ".join(feed.warnings) or None, validators=validators)


async def _understand(client: Client, outcome: FetchOutcome, parts: Parts) -> tuple[FetchOutcome, Feed | None]:
    """Bytes that are no feed are a failed fetch: the source is asked again later, like any other failure."""
    if not isinstance(outcome, Fetched):
        return outcome, None
    try:
        feed = await asyncio.to_thread(_parse, outcome, parts)
    except FeedError as error:
        return FetchFailed(outcome.url, FailureKind.UNREADABLE, str(error), outcome.status, seconds=outcome.seconds), None
    return outcome, await _with_children(client, feed, parts) if feed.children else feed


def _parse(fetched: Fetched, parts: Parts) -> Feed:
    return read_feed(fetched.body, url=fetched.final_url, content_type=fetched.content_type, charset=fetched.charset, now=parts.clock())


async def _with_children(client: Client, index: Feed, parts: Parts) -> Feed:
    entries, warnings = list(index.entries), list(index.warnings)
    for url in index.children[:CHILDREN]:
        outcome, child = await _child(client, url, parts)
        entries += child.entries if child else ()
        if isinstance(outcome, FetchFailed):
            warnings.append(f"{shown(url)}: {outcome.message}")
    if len(index.children) > CHILDREN:
        warnings.append(f"the newest {CHILDREN} of the {len(index.children)} documents of its index are read")
    return replace(index, entries=tuple(entries), warnings=tuple(warnings))


async def _child(client: Client, url: str, parts: Parts) -> tuple[FetchOutcome, Feed | None]:
    outcome = await client.fetch(url)
    if not isinstance(outcome, Fetched):
        return outcome, None
    try:
        return outcome, await asyncio.to_thread(_parse, outcome, parts)
    except FeedError as error:
        return FetchFailed(url, FailureKind.UNREADABLE, str(error)), None
