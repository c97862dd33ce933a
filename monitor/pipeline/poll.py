"""Due sources → entries."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from monitor import __version__
from monitor.domain import FailureKind, Feed, Fetched, FetchFailed, FetchOutcome, NotModified, SourceState, Validators
from monitor.errors import FeedError
from monitor.fetch import Client, schedule
from monitor.pipeline.group import Group
from monitor.pipeline.parts import Parts
from monitor.pipeline.workers import Broken, Workers
from monitor.sources import read_feed
from monitor.store import articles, sources
from monitor.store.sources import Polled
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

    def save(answers: Sequence[Answer]) -> None:
        done.update(_save(parts, answers))
        parts.progress("poll", done["ok"] + done["not_modified"] + done["failed"], len(due))

    answers = Group(save)
    with Workers(parts.settings.workers) as workers:
        async with Client(parts.settings.fetch, version=__version__) as client:

            async def work() -> None:
                while queue:
                    answer = await _ask(parts, client, workers, queue.pop())
                    answers.add(answer, weight=1 + len(answer.feed.entries if answer.feed else ()))

            await asyncio.gather(*(work() for _ in range(min(parts.settings.fetch.concurrency, len(due)))))
        answers.flush()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a source answered; `feed` is what was read from it."""

    state: SourceState  # as it was before
    outcome: FetchOutcome
    feed: Feed | None


async def _ask(parts: Parts, client: Client, workers: Workers, state: SourceState) -> Answer:
    """Bytes that are no feed are a failed fetch: the source is asked again later, like any other failure."""
    outcome = await client.fetch(state.source.url, schedule.validators_to_send(state, now=parts.clock()))
    outcome, feed = await _understood(outcome, workers, parts)
    return Answer(state, outcome, await _with_children(client, workers, feed, parts) if feed and feed.children else feed)


def _save(parts: Parts, answers: Sequence[Answer]) -> Counter[str]:
    now = parts.clock()
    done: Counter[str] = Counter()
    with parts.database.writing() as connection:
        polled = [_polled(connection, answer, now) for answer in answers]
        sources.write_polls(connection, polled, now=now)
        for one in polled:
            if address := schedule.moved(one.state):
                sources.change_address(connection, one.state.id, address)
    for one in polled:
        match one.outcome:
            case Fetched():
                done.update(ok=1, new=one.new_entries)
            case NotModified():
                done.update(not_modified=1)
            case FetchFailed():
                log.info("%s: %s", shown(one.state.source.url), one.outcome.message)
                done.update(failed=1)
    return done


def _polled(connection: Connection, answer: Answer, now: datetime) -> Polled:
    """Stores the entries of an answer."""
    feed = answer.feed
    new = articles.write_entries(connection, answer.state.id, feed.entries, now=now) if feed else 0
    after = schedule.next_check(answer.state, answer.outcome, feed, new, now=now)
    return Polled(_with_what_was_read(after, feed) if feed else after, answer.outcome, feed, new)


def _with_what_was_read(after: SourceState, feed: Feed) -> SourceState:
    """An index is asked for whole each time: its documents change while it stays the same."""
    validators = Validators() if feed.children else after.validators
    return replace(after, warning="; ".join(feed.warnings) or None, validators=validators)


async def _understood(outcome: FetchOutcome, workers: Workers, parts: Parts) -> tuple[FetchOutcome, Feed | None]:
    """The feed in what was fetched."""
    if not isinstance(outcome, Fetched):
        return outcome, None
    url, kind, charset = outcome.final_url, outcome.content_type, outcome.charset
    try:
        return outcome, await workers.call(read_feed, outcome.body, url=url, content_type=kind, charset=charset, now=parts.clock())
    except (FeedError, Broken) as error:
        return FetchFailed(outcome.url, FailureKind.UNREADABLE, str(error), outcome.status, seconds=outcome.seconds), None


async def _with_children(client: Client, workers: Workers, index: Feed, parts: Parts) -> Feed:
    entries, warnings = list(index.entries), list(index.warnings)
    for url in index.children[:CHILDREN]:
        outcome, child = await _understood(await client.fetch(url), workers, parts)
        entries += child.entries if child else ()
        if isinstance(outcome, FetchFailed):
            warnings.append(f"{shown(url)}: {outcome.message}")
    if len(index.children) > CHILDREN:
        warnings.append(f"the newest {CHILDREN} of the {len(index.children)} documents of its index are read")
    return replace(index, entries=tuple(entries), warnings=tuple(warnings))
