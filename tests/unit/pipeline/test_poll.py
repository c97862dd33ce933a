"""Polling and checking sources over real HTTP: moves, indexes, feeds behind home pages; and that texts are not kept twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from monitor.domain import MatcherVersion, Source
from monitor.pipeline import Parts
from monitor.pipeline.check import check_source
from monitor.pipeline.poll import CHILDREN, poll
from monitor.pipeline.read import read
from monitor.settings import FetchSettings, Settings
from monitor.store import sources
from monitor.store.database import Database, upgrade
from monitor.store.schema import entries
from monitor.store.schema import sources as table
from tests.fakes import FakeEncoder, area, taxonomy

NOW = datetime(2026, 11, 23, 2, 30, tzinfo=UTC)
FETCH = FetchSettings(delay=0, allow_networks=(ip_network("127.0.0.0/8"),), robots=False)
TEXT = "The council met on Monday and spoke of the harbour, the bridge and the market until late in the evening of the day. " * 12


class Site:
    """`routes`: path → (status, headers, body). `asked` is what arrived."""

    def __init__(self) -> None:
        site = self
        self.routes: dict[str, tuple[int, dict[str, str], str]] = {}
        self.asked: list[tuple[str, str | None]] = []

        class Answer(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                site.asked.append((self.path, self.headers.get("If-None-Match")))
                status, headers, body = site.routes.get(self.path, (404, {}, "no such page"))
                known = "ETag" in headers and self.headers.get("If-None-Match") == headers["ETag"]
                whole = b"" if known else body.encode()
                self.send_response(304 if known else status)
                for name, value in {"Content-Length": str(len(whole)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(whole)

            def log_message(self, format: str, *arguments: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server.server_port}{path}"

    def serve(self, path: str, body: str, *, status: int = 200, kind: str = "application/xml", **headers: str) -> None:
        self.routes[path] = (status, {"Content-Type": kind, **headers}, body)


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.server.shutdown()
    site.server.server_close()


class Desk:
    """A database with one source, and polls of it an hour apart."""

    def __init__(self, home: Path, source: str) -> None:
        url = f"sqlite:///{home / 'monitor.db'}"
        upgrade(url)
        self.now = NOW
        settings = Settings(home=home, database_url=SecretStr(url), fetch=FETCH)
        areas = taxonomy(area("chips", "semiconductor"))
        version = MatcherVersion("t", "e", "c", "r")
        self.parts = Parts(settings, Database(url), areas, version, FakeEncoder, lambda: None, clock=lambda: self.now)  # type: ignore[arg-type,return-value]
        with self.parts.database.writing() as connection:
            sources.add_sources(connection, [Source(source)], now=NOW)

    def poll(self) -> dict[str, int]:
        with self.parts.database.writing() as connection:
            sources.ask_all_now(connection)
        done = poll(self.parts)
        self.now += timedelta(hours=1)
        return dict(done)

    def rows(self, *columns: Any) -> list[Any]:
        with self.parts.database.reading() as connection:
            return list(connection.execute(select(*columns)))


def rss(*keys: str, text: str = "") -> str:
    items = "".join(
        f"<item><title>Headline {key}</title><link>http://127.0.0.1:1/{key}</link><guid>{key}</guid><description><![CDATA[{text}]]></description></item>"
        for key in keys
    )
    return f'<rss version="2.0"><channel><title>News</title>{items}</channel></rss>'


def test_a_source_that_moved_for_good_three_times_has_its_new_address_and_no_entry_twice(site: Site, tmp_path: Path) -> None:
    site.serve("/old", "", status=301, Location="/new")
    site.serve("/new", rss("a", "b"), ETag='"1"')
    desk = Desk(tmp_path, site.url("/old"))
    for times in (1, 2):
        desk.poll()
        assert desk.rows(table.c.url, table.c.moved_times) == [(site.url("/old"), times)]
        site.serve("/new", rss("a", "b", str(times)), ETag=f'"{times + 1}"')
    desk.poll()
    assert desk.rows(table.c.url, table.c.moved_times) == [(site.url("/new"), 0)]
    site.asked.clear()
    assert desk.poll()["not_modified"] == 1
    assert site.asked == [("/new", '"3"')]
    assert len(desk.rows(entries.c.id)) == 4


def test_an_index_of_sitemaps_is_read_newest_first_and_asked_for_whole_again(site: Site, tmp_path: Path) -> None:
    days = [f"2026-11-{day:02}" for day in range(1, CHILDREN + 3)]
    children = "".join(f"<sitemap><loc>{site.url(f'/{day}.xml')}</loc><lastmod>{day}</lastmod></sitemap>" for day in days)
    site.serve("/index.xml", f'<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{children}</sitemapindex>', ETag='"same"')
    for day in days[:-1]:  # the newest cannot be had
        site.serve(f"/{day}.xml", sitemap(site.url(f"/{day}.html")))
    desk = Desk(tmp_path, site.url("/index.xml"))
    assert desk.poll()["new"] == CHILDREN - 1
    [(warning,)] = desk.rows(table.c.warning)
    assert f"the newest {CHILDREN} of the {CHILDREN + 2} documents" in warning
    assert f"/{days[-1]}.xml" in warning
    assert not {f"/{day}.xml" for day in days[:2]} & {path for path, _ in site.asked}, "the oldest are left"
    site.serve(f"/{days[-1]}.xml", sitemap(site.url("/late.html")))
    assert desk.poll()["new"] == 1, "the index is the same, a document of it is not"


def sitemap(*urls: str) -> str:
    found = "".join(f"<url><loc>{url}</loc></url>" for url in urls)
    return f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{found}</urlset>'


HOME = '<html><head><link rel="alternate" type="application/rss+xml" href="/feed"></head><body>Welcome.</body></html>'
PLAIN = "<html><body>Welcome to a page that names no feed.</body></html>"


@pytest.mark.parametrize(
    ("case", "routes", "reads", "candidates", "says"),
    [
        ("a feed", {"/": rss("a")}, True, [], "ETag"),
        ("a home page that names its feed", {"/": HOME, "/feed": rss("a")}, False, ["/feed"], "The page offers a feed"),
        (
            "one that does not, but has one at a usual place",
            {"/": PLAIN, "/rss.xml": rss("a")},
            False,
            ["/rss.xml"],
            "The page offers a feed",
        ),
        ("a page without any", {"/": PLAIN}, False, [], ""),
        ("nothing", {}, False, [], "404"),
    ],
)
def test_a_check_says_what_would_be_read(
    site: Site, case: str, routes: dict[str, str], reads: bool, candidates: list[str], says: str
) -> None:
    for path, body in routes.items():
        site.serve(path, body, kind="application/rss+xml" if body.startswith("<rss") else "text/html")
    found = check_source(site.url("/"), FETCH, now=NOW)
    assert (found.feed is not None) == reads
    assert list(found.candidates) == [site.url(path) for path in candidates]
    assert found.says
    assert any(says in sentence for sentence in found.says), found.says


def test_what_an_entry_carried_is_not_kept_beside_its_paragraphs(site: Site, tmp_path: Path) -> None:
    site.serve(
        "/feed",
        rss("a", text=f"<p>{TEXT}</p>")
        .replace("description", "content:encoded")
        .replace("<rss ", '<rss xmlns:content="http://purl.org/rss/1.0/modules/content/" '),
    )
    desk = Desk(tmp_path, site.url("/feed"))
    desk.poll()
    assert [bool(content) for (content,) in desk.rows(entries.c.content)] == [True]
    assert read(desk.parts)["read"] == 1
    assert desk.rows(entries.c.state, entries.c.content) == [("read", None)]
