"""What would be read from an address, and what is wrong with it: a poll that stores nothing."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime

from monitor import __version__
from monitor.domain import Feed, Fetched, FetchFailed, FetchOutcome
from monitor.errors import FeedError
from monitor.fetch import Client
from monitor.settings import FetchSettings
from monitor.sources import diagnose, discover_feeds, guess_feeds, read_feed


@dataclass(frozen=True, slots=True)
class Checked:
    """`feed` is None where the address is none; `candidates` are feeds that its page names or that answer at the usual places."""

    url: str
    feed: Feed | None
    says: tuple[str, ...]
    candidates: tuple[str, ...] = ()


def check_source(url: str, settings: FetchSettings, *, now: datetime) -> Checked:
    """Asks once (and a few usual places where a home page names no feed)."""
    return asyncio.run(_check(url, settings, now))


async def _check(url: str, settings: FetchSettings, now: datetime) -> Checked:
    async with Client(settings, version=__version__) as client:
        outcome = await client.fetch(url)
        feed, problem = _read(outcome, now)
        if feed is not None:
            return Checked(url, feed, diagnose(outcome, feed) or ("It reads well.",))
        declared = discover_feeds(outcome.body, url=outcome.final_url) if isinstance(outcome, Fetched) else ()
        if not declared and isinstance(outcome, Fetched):
            guesses = guess_feeds(outcome.final_url)
            answers = [_read(await client.fetch(guess), now)[0] for guess in guesses]
            declared = tuple(guess for guess, found in zip(guesses, answers, strict=True) if found is not None)
    hints = tuple(f"The page offers a feed: {candidate}" for candidate in declared)
    return Checked(url, None, (problem, *hints), declared)


def _read(outcome: FetchOutcome, now: datetime) -> tuple[Feed | None, str]:
    match outcome:
        case Fetched():
            try:
                url, charset = outcome.final_url, outcome.charset
                return read_feed(outcome.body, url=url, content_type=outcome.content_type, charset=charset, now=now), ""
            except FeedError as error:
                return None, str(error)
        case FetchFailed():
            return None, outcome.message
        case _:
            return None, "the server answered «not modified» to a request without validators"
