"""One request at once to one host, a pause between two, and what robots.txt says."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from protego import Protego

from monitor.domain import FailureKind, Fetched, FetchFailed, FetchOutcome, NotModified
from monitor.urls import shown

ROBOTS_DAY = 86_400.0  # seconds that an answer is kept (RFC 9309: at most a day)
ROBOTS_RETRY = 600.0  # seconds until robots.txt that could not be read is asked for again
ROBOTS_BYTES = 512_000  # that are read (RFC 9309: at least 500 KiB)
MAX_CRAWL_DELAY = 30.0  # seconds; some sites ask for hours, which no night has

Clock = Callable[[], float]


@dataclass(slots=True)
class _Host:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    ended: float | None = None
    crawl_delay: float = 0.0


def _nobody(_: str) -> bool:
    return False


class Turns:
    """Whose turn it is at each host. `exempt` hosts need no pause; `clock` gives seconds that only grow."""

    def __init__(
        self,
        delay: float,
        exempt: Callable[[str], bool] = _nobody,
        clock: Clock = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._delay, self._exempt, self._clock, self._sleep = delay, exempt, clock, sleep
        self._hosts: defaultdict[str, _Host] = defaultdict(_Host)

    @asynccontextmanager
    async def at(self, host: str) -> AsyncIterator[None]:
        """Waits for the turn: the last request to `host` has ended, and `delay` seconds have passed since."""
        turn = self._hosts[host.lower()]
        async with turn.lock:
            if turn.ended is not None and not self._exempt(host):
                pause = turn.ended + max(self._delay, turn.crawl_delay) - self._clock()
                if pause > 0:
                    await self._sleep(pause)
            try:
                yield
            finally:
                turn.ended = self._clock()

    def slow_down(self, host: str, seconds: float) -> None:
        """Keeps at least `seconds` between requests to `host`, up to `MAX_CRAWL_DELAY`."""
        self._hosts[host.lower()].crawl_delay = min(seconds, MAX_CRAWL_DELAY)


@dataclass(frozen=True, slots=True)
class _Known:
    rules: Protego | None  # None: everything is allowed
    failure: FetchFailed | None
    until: float


class Robots:
    """robots.txt of each site, asked once a day. `ask` fetches it; `agent` is the name that rules are looked up by."""

    def __init__(self, ask: Callable[[str], Awaitable[FetchOutcome]], agent: str, turns: Turns, clock: Clock = time.monotonic) -> None:
        self._ask, self._agent, self._turns, self._clock = ask, agent, turns, clock
        self._known: dict[str, _Known] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def refusal(self, origin: str, host: str, url: str) -> FetchFailed | None:
        """Why `url` may not be fetched now; None where it may. `origin` is scheme, host and port.

        A site without robots.txt (4xx) allows everything; one whose robots.txt cannot be had (5xx, no connection) allows nothing
        for now, and the failure is transient.
        """
        async with self._locks[origin]:
            known = self._known.get(origin)
            if known is None or known.until <= self._clock():
                known = self._known[origin] = self._understood(await self._ask(f"{origin}/robots.txt"), host)
        if known.failure is not None:
            return replace(known.failure, url=url)
        if known.rules is None or known.rules.can_fetch(url, self._agent):
            return None
        return FetchFailed(url, FailureKind.ROBOTS, f"robots.txt of {host} forbids it")

    def _understood(self, outcome: FetchOutcome, host: str) -> _Known:
        match outcome:
            case Fetched():
                rules = Protego.parse(outcome.body.decode("utf-8", "replace"))
                self._turns.slow_down(host, rules.crawl_delay(self._agent) or 0.0)
                return _Known(rules, None, self._clock() + ROBOTS_DAY)
            case FetchFailed() if _means_none(outcome):
                return _Known(None, None, self._clock() + ROBOTS_DAY)
            case FetchFailed():
                message = f"robots.txt of {shown(host)} could not be read, so nothing is asked for now: {outcome.message}"
                return _Known(None, replace(outcome, message=message), self._clock() + ROBOTS_RETRY)
            case NotModified():
                raise AssertionError("robots.txt is never asked for conditionally")


def _means_none(outcome: FetchFailed) -> bool:
    if outcome.kind is FailureKind.REDIRECTS:
        return True
    return outcome.status is not None and 400 <= outcome.status < 500 and outcome.status != 429
