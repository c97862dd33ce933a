"""A night over sources and pages with every fault: it ends, nothing good is lost, each bad thing is one row with a reason."""

from __future__ import annotations

import asyncio
import gzip
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from threading import Thread
from typing import Any

from pydantic import SecretStr
from sqlalchemy import select

from monitor.domain import MatcherVersion, Source
from monitor.pipeline import Parts, poll, read
from monitor.settings import Settings
from monitor.store import sources
from monitor.store.database import Database, upgrade
from monitor.store.schema import articles, entries, fetches
from monitor.store.schema import sources as table
from tests.fakes import FakeEncoder, area, taxonomy
from tests.unit.fetch.faulty_server import Request, Route, Server, answer, quick, respond, serving

NOW = datetime(2026, 11, 23, 2, 30, tzinfo=UTC)
SENTENCE = "The council of {place} met on Monday and spoke of the harbour, the bridge and the market until late in the evening. "


@contextmanager
def at_work(routes: dict[str, Route]) -> Iterator[Server]:
    """The faulty server, in a thread of its own."""
    up: Future[Server] = Future()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        async with serving(routes) as server:
            up.set_result(server)
            await asyncio.Event().wait()

    thread = Thread(target=lambda: loop.run_until_complete(loop.create_task(serve())) if not loop.is_closed() else None, daemon=True)
    thread.start()
    yield up.result(timeout=10)


def page(place: str, body: str | None = None) -> Route:
    text = SENTENCE.format(place=place) * 8 if body is None else body
    return respond(
        f"<html><head><title>{place}</title></head><body><article><h1>{place}</h1><p>{text}</p></article></body></html>",
        content_type="text/html",
    )


def feed(*paths: str, ages: tuple[int, ...] = ()) -> str:
    """`ages` in days."""
    dates = [f"<pubDate>{format_datetime(NOW - timedelta(days=age))}</pubDate>" for age in ages] or [""] * len(paths)
    items = "".join(f"<item><title>About {p}</title><link>{p}</link><guid>{p}</guid>{d}</item>" for p, d in zip(paths, dates, strict=True))
    return f'<rss version="2.0"><channel><title>News</title>{items}</channel></rss>'


async def drip(_: Request, writer: Any) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while True:
        writer.write(b"<")
        await writer.drain()
        await asyncio.sleep(0.2)


async def silent(_: Request, writer: Any) -> None:
    await asyncio.sleep(60)


async def cut_off(_: Request, writer: Any) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n<rss>")
    await writer.drain()
    writer.close()


async def nonsense(_: Request, writer: Any) -> None:
    writer.write(b"\x00\xff nonsense\r\n\r\n")
    await writer.drain()
    writer.close()


async def unasked(_: Request, writer: Any) -> None:
    await answer(writer, status="304 Not Modified")


def bomb(size: int = 50_000_000) -> Route:
    return respond(gzip.compress(bytes(size)), content_encoding="gzip")


ENTITIES = '<!DOCTYPE rss [<!ENTITY a "haha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]><rss><channel><title>&c;</title></channel></rss>'

# path → (route, what its row says, beginning)
BAD_SOURCES: dict[str, tuple[Route, str]] = {
    "/gone": (respond("gone", "410 Gone"), "gone: "),
    "/missing": (respond("no", "404 Not Found"), "gone: "),
    "/forbidden": (respond("no", "403 Forbidden"), "blocked: "),
    "/busy": (respond("slow down", "429 Too Many Requests", retry_after="7200"), "blocked: "),
    "/broken": (respond("oops", "500 Internal Server Error"), "server-error: "),
    "/html": (respond("<html><body>Welcome</body></html>"), "unreadable: "),
    "/empty": (respond(""), "unreadable: "),
    "/entities": (respond(ENTITIES), "unreadable: "),
    "/pdf": (respond(b"%PDF-1.4 nothing"), "unreadable: "),
    "/drip": (drip, "timeout: "),
    "/silent": (silent, "timeout: "),
    "/cut": (cut_off, "connection: "),
    "/nonsense": (nonsense, "connection: "),
    "/bomb": (bomb(), "too-large: "),
    "/damaged": (respond(b"\x1f\x8b\x08\x00damaged", content_encoding="gzip"), "decoding: "),
    "/circle": (respond(status="302 Found", location="/circle"), "redirects: "),
    "/inside": (respond(status="302 Found", location="http://10.0.0.1/feed"), "forbidden-address: "),
    "/metadata": (respond(status="302 Found", location="http://169.254.169.254/latest"), "forbidden-address: "),
    "/file": (respond(status="302 Found", location="file:///etc/passwd"), "bad-url: "),
    "/unasked": (unasked, "server-error: "),
}  # fmt: skip
# path → (route, state, reason)
PAGES: dict[str, tuple[Route, str, str | None]] = {
    "/a.html": (page("Delft"), "read", None),
    "/b.html": (page("Hefei"), "read", None),
    "/c.html": (page("Grenoble"), "read", None),
    "/bomb.html": (bomb(), "empty", "error"),
    "/gone.html": (respond("no", "410 Gone"), "empty", "gone"),
    "/blocked.html": (respond("no", "403 Forbidden"), "empty", "blocked"),
    "/down.html": (respond("no", "503 Service Unavailable"), "new", "error"),
    "/drip.html": (drip, "new", "error"),
    "/short.html": (page("Albany", "Hello."), "empty", "too-short"),
    "/picture.png": (respond(b"\x89PNG\r\n" + bytes(100), content_type="image/png"), "empty", "not-an-article"),
    "/inside.html": (respond(status="302 Found", location="http://192.168.1.1/"), "empty", "error"),
    "/nothing.html": (respond("", content_type="text/html"), "new", "error"),
}  # fmt: skip


def parts(home: Path, now: datetime = NOW, **changes: Any) -> Parts:
    url = f"sqlite:///{home / 'monitor.db'}"
    upgrade(url)
    known, encoder = taxonomy(area("a", "anything")), FakeEncoder()
    settings = Settings(home=home, database_url=SecretStr(url), fetch=quick(robots=False, max_bytes=5_000_000, **changes))
    version = MatcherVersion("t", encoder.name, "c", "r")
    return Parts(settings, Database(url), known, version, lambda: encoder, lambda: None, clock=lambda: now)  # type: ignore[arg-type,return-value]


def rows(desk: Parts, *columns: Any) -> list[Any]:
    with desk.database.reading() as connection:
        return list(connection.execute(select(*columns)))


def test_a_night_over_every_fault_ends_with_all_that_is_good(tmp_path: Path) -> None:
    routes = {path: route for path, (route, _) in BAD_SOURCES.items()} | {path: route for path, (route, *_) in PAGES.items()}
    routes["/feed"] = respond(feed(*PAGES), etag='"1"')
    routes["/ill-formed"] = respond(feed("/a.html").replace("About", "About & <b>"))
    desk = parts(tmp_path)
    with at_work(routes) as server:
        urls = [server.url(path) for path in ("/feed", "/ill-formed", *BAD_SOURCES)]
        elsewhere = ["http://nobody.invalid/feed", "http://10.0.0.1/feed", "http://[::ffff:127.0.0.1]:1/feed", "http://localhost:1/feed"]
        with desk.database.writing() as connection:
            sources.add_sources(connection, [Source(url) for url in (*urls, *elsewhere)], now=NOW)
        started = time.monotonic()
        polled = poll(desk)
        done = read(desk)
        assert time.monotonic() - started < 120
    assert (polled["due"], polled["ok"], polled["failed"]) == (len(urls) + 4, 2, len(BAD_SOURCES) + 4)
    said = {url.removeprefix(server.url("")): error for url, error in rows(desk, table.c.url, table.c.last_error)}
    assert {path: (said["/" + path.strip("/")] or "").partition(": ")[0] + ": " for path in BAD_SOURCES} == {
        path: says for path, (_, says) in BAD_SOURCES.items()
    }
    assert len(rows(desk, fetches.c.id)) == len(urls) + 4, "one row a request to a source"
    assert all(message for outcome, message in rows(desk, fetches.c.outcome, fetches.c.message) if outcome == "failed")
    states = {key: (state, reason) for key, state, reason in rows(desk, entries.c.key, entries.c.state, entries.c.reason)}
    assert states == {path: (state, reason) for path, (_, state, reason) in PAGES.items()} | {"/a.html": ("read", None)}
    assert sorted(url.removeprefix(server.url("")) for (url,) in rows(desk, articles.c.url)) == ["/a.html", "/b.html", "/c.html"]
    assert (done["read"], done["retry"]) == (4, 3)
    retried = {key: at for key, at, state in rows(desk, entries.c.key, entries.c.retry_at, entries.c.state) if state == "new"}
    assert all(at > NOW for at in retried.values())


def test_after_a_week_without_a_night_the_oldest_is_read_first_and_a_page_that_two_link_once(tmp_path: Path) -> None:
    paths = [f"/{n}.html" for n in range(40)]
    routes: dict[str, Route] = {path: page(f"Place {path[1:-5]}") for path in paths}
    # two feeds of one host, newest first as feeds are, with ten pages in common and under two spellings
    routes["/one"] = respond(feed(*paths[:25], ages=tuple(range(25))))
    routes["/two"] = respond(feed(*(f"{path}?utm_source=two" for path in paths[15:]), ages=tuple(range(15, 40))))
    desk = parts(tmp_path)
    with at_work(routes) as server:
        with desk.database.writing() as connection:
            sources.add_sources(connection, [Source(server.url(path)) for path in ("/one", "/two")], now=NOW)
        assert poll(desk)["new"] == 50
        assert read(desk) == {"read": 50, "empty": 0, "failed": 0, "retry": 0}
        asked = [request.path.partition("?")[0] for request in server.requests if ".html" in request.path]
    assert asked == paths[::-1]
    assert server.busy <= 2, "two feeds at once where a network of one's own allows it, pages never"
    assert len(rows(desk, articles.c.id)) == 40


def test_what_the_database_refuses_costs_itself_alone(tmp_path: Path) -> None:
    routes = {f"/{n}.html": page(f"Place {n}") for n in range(5)}
    routes["/feed"] = respond(feed(*routes))
    desk = parts(tmp_path)
    with desk.database.writing() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER refuse BEFORE INSERT ON articles WHEN new.title = 'Place 3' BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
    with at_work(routes) as server:
        with desk.database.writing() as connection:
            sources.add_sources(connection, [Source(server.url("/feed"))], now=NOW)
        poll(desk)
        assert read(desk) == {"read": 4, "empty": 1, "failed": 0, "retry": 0}
    [(reason, error)] = [row[1:] for row in rows(desk, entries.c.state, entries.c.reason, entries.c.last_error) if row[0] == "empty"]
    assert reason == "error"
    assert "database" in error
