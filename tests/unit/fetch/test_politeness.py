"""One request at once to a host, a pause between two, and robots.txt."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest
from faulty_server import Request, answer, client, quick, respond, serving

from monitor.domain import FailureKind, Fetched, FetchFailed, FetchOutcome, Validators
from monitor.fetch import Client
from monitor.fetch.connections import CheckedBackend
from monitor.fetch.politeness import MAX_CRAWL_DELAY, ROBOTS_DAY, ROBOTS_RETRY, Robots, Turns

pytestmark = pytest.mark.anyio


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


async def test_the_pause_is_measured_from_the_end_of_the_last() -> None:
    clock = Clock()
    turns = Turns(1.0, clock=clock, sleep=clock.sleep)
    begun: list[float] = []
    for _ in range(3):
        async with turns.at("E.org"):
            begun.append(clock.now)
            clock.now += 10
    async with turns.at("other.org"):
        begun.append(clock.now)
    assert begun == [0, 11, 22, 32]


async def test_a_crawl_delay_is_kept_up_to_a_bound() -> None:
    clock = Clock()
    turns = Turns(1.0, clock=clock, sleep=clock.sleep)
    turns.slow_down("e.org", 86_400)
    for _ in range(2):
        async with turns.at("e.org"):
            pass
    assert clock.now == MAX_CRAWL_DELAY


async def test_never_two_requests_at_once_to_one_host_but_many_to_many() -> None:
    async def slow(_: Request, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.05)
        await answer(writer, b"x")

    async with serving({"/": slow}) as one, serving({"/": slow}, host="127.0.0.2") as other, client() as http:
        await asyncio.gather(*(http.fetch(one.url()) for _ in range(4)), *(http.fetch(other.url("/", "127.0.0.2")) for _ in range(4)))
        assert (one.busy, other.busy) == (1, 1)
        assert abs(one.requests[0].started - other.requests[0].started) < 0.05, "the hosts do not wait for each other"
        await asyncio.gather(*(http.fetch(one.url(), politely=False) for _ in range(4)))
        assert one.busy > 1


async def test_the_delay_holds_on_the_wire(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CheckedBackend, "is_in_allowed_network", lambda *_: False)  # as for a public host

    async def resolve(_: str, __: int) -> list[str]:
        return ["127.0.0.1"]

    async with serving({"/": respond(b"x")}) as server:
        async with Client(quick(delay=0.2), version="1", resolve=resolve, proxies={}) as http:
            await asyncio.gather(*(http.fetch(server.url("/", "polite.example")) for _ in range(3)))
        gaps = [later.started - ended for later, ended in zip(server.requests[1:], server.ended, strict=False)]
    assert min(gaps) >= 0.19


async def test_allowed_networks_need_no_pause() -> None:
    async with serving({"/": respond(b"x")}) as server, client(delay=30.0) as http:
        async with asyncio.timeout(5):
            await asyncio.gather(*(http.fetch(server.url("/", host)) for host in ("127.0.0.1", "127.0.0.1", "localhost", "localhost")))
    assert len(server.requests) == 4


async def test_concurrency_is_bounded() -> None:
    async def slow(_: Request, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.02)
        await answer(writer, b"x")

    async with serving({"/": slow}) as server, client(concurrency=2) as http:
        await asyncio.gather(*(http.fetch(server.url(), politely=False) for _ in range(10)))
    assert server.busy == 2


async def test_waiting_for_a_turn_does_not_count_for_the_deadline() -> None:
    async def slow(_: Request, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.2)
        await answer(writer, b"x")

    async with serving({"/": slow}) as server, client(deadline=0.5) as http:
        outcomes = await asyncio.gather(*(http.fetch(server.url()) for _ in range(5)))
    assert all(isinstance(outcome, Fetched) for outcome in outcomes)


# --- robots.txt ------------------------------------------------------------------------------------------------------------


async def test_robots_is_asked_for_pages_once_a_site() -> None:
    robots = respond("User-agent: *\nDisallow: /private\n\nUser-agent: areawatch\nDisallow: /ours\n")
    async with (
        serving({"/robots.txt": robots, "/a": respond(b"a"), "/private": respond(b"p"), "/ours": respond(b"o")}) as server,
        client() as http,
    ):
        feed = await http.fetch(server.url("/ours"))
        pages = [await http.fetch(server.url(path), page=True) for path in ("/a", "/private", "/ours")]
    assert isinstance(feed, Fetched), "a feed is made to be asked for"
    assert [isinstance(page, Fetched) for page in pages] == [True, True, False], "the group of our name counts, not that for all"
    refused = pages[2]
    assert isinstance(refused, FetchFailed)
    assert (refused.kind, refused.transient, refused.message) == (FailureKind.ROBOTS, False, "robots.txt of 127.0.0.1 forbids it")
    assert server.paths() == ["/ours", "/robots.txt", "/a", "/private"]


@pytest.mark.parametrize("status", ["404 Not Found", "403 Forbidden", "401 Unauthorized", "410 Gone"])
async def test_no_robots_allows_everything(status: str) -> None:
    async with serving({"/robots.txt": respond("x", status), "/a": respond(b"a")}) as server, client() as http:
        assert isinstance(await http.fetch(server.url("/a"), page=True), Fetched)


@pytest.mark.parametrize(
    ("status", "kind"), [("500 Oops", FailureKind.SERVER), ("503 Busy", FailureKind.SERVER), ("429 Slow", FailureKind.BLOCKED)]
)
async def test_robots_that_cannot_be_had_allow_nothing_for_now(status: str, kind: FailureKind) -> None:
    async with serving({"/robots.txt": respond("x", status, retry_after="60"), "/a": respond(b"a")}) as server, client() as http:
        outcomes = [await http.fetch(server.url("/a"), page=True) for _ in range(2)]
    first = outcomes[0]
    assert isinstance(first, FetchFailed)
    assert (first.kind, first.transient, first.retry_after, first.url) == (kind, True, 60, server.url("/a"))
    assert "robots.txt" in first.message
    assert server.paths() == ["/robots.txt"]


async def test_robots_of_a_redirects_target_counts_too() -> None:
    async with serving({"/robots.txt": respond("User-agent: *\nDisallow: /"), "/b": respond(b"b")}, host="127.0.0.2") as other:
        there = respond(status="302 Found", location=other.url("/b", "127.0.0.2"))
        async with serving({"/a": there}) as server, client() as http:
            outcome = await http.fetch(server.url("/a"), page=True)
    assert isinstance(outcome, FetchFailed)
    assert outcome.kind is FailureKind.ROBOTS
    assert other.paths() == ["/robots.txt"]


async def test_robots_may_redirect_be_huge_and_be_a_page() -> None:
    big = "User-agent: *\nDisallow: /no\n" + "#" * 3_000_000
    routes = {"/robots.txt": respond(status="301 Moved", location="/r"), "/r": respond(big), "/no": respond(b"n"), "/yes": respond(b"y")}
    async with serving(routes) as server, client() as http:
        assert isinstance(await http.fetch(server.url("/no"), page=True), FetchFailed)
        assert isinstance(await http.fetch(server.url("/yes"), page=True), Fetched)
    async with serving({"/robots.txt": respond("<html>not found</html>"), "/yes": respond(b"y")}) as server, client() as http:
        assert isinstance(await http.fetch(server.url("/yes"), page=True), Fetched)


async def test_robots_can_be_switched_off() -> None:
    async with serving({"/robots.txt": respond("User-agent: *\nDisallow: /"), "/a": respond(b"a")}) as server, client(robots=False) as http:
        assert isinstance(await http.fetch(server.url("/a"), page=True), Fetched)


async def test_robots_is_asked_again_after_a_day_or_after_a_failure_sooner() -> None:
    clock = Clock()
    asked: list[str] = []
    answers: list[FetchOutcome] = [
        FetchFailed("u", FailureKind.TIMEOUT, "slow"),
        Fetched("u", "u", 200, b"User-agent: *\nCrawl-delay: 7\nDisallow: /x", "text/plain", None, Validators(), None, None, 1, 0.1),
        FetchFailed("u", FailureKind.GONE, "gone", 404),
    ]

    async def ask(url: str) -> FetchOutcome:
        asked.append(url)
        return answers[len(asked) - 1]

    turns = Turns(1.0, clock=clock, sleep=clock.sleep)
    robots = Robots(ask, "areawatch", turns, clock)

    async def refused() -> bool:
        return await robots.refusal("https://e.org", "e.org", "https://e.org/x") is not None

    assert await refused()
    clock.now += ROBOTS_RETRY - 1
    assert await refused()
    assert len(asked) == 1
    clock.now += 2
    assert await refused()
    clock.now += ROBOTS_DAY - 1
    assert await refused()
    assert asked == ["https://e.org/robots.txt"] * 2
    clock.now += 2
    assert not await refused()
    begun: list[float] = []
    for _ in range(2):
        async with turns.at("e.org"):
            begun.append(clock.now)
    assert begun[1] - begun[0] == 7, "the crawl delay"
