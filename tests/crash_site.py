"""Twenty outlets on this machine, and nights over them that are killed: what the tests of crashes and of double starts run.

Every outlet is a host of its own (127.0.0.x), so that they are asked at once like the world's. Links are shared between outlets, some
stories run in three of them with small changes, one page an outlet is gone and one holds no article.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import random
import signal
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from ipaddress import ip_network
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from sqlalchemy import event, select

from monitor.alerts import demo_subscription
from monitor.domain import MatcherVersion, Source
from monitor.match import Calibration, Exemplars, Matcher, exemplar_sentences
from monitor.match.calibration import Head, Heads
from monitor.match.features import NAMES, WITHOUT_PROBE
from monitor.pipeline import Parts, run
from monitor.pipeline.run import Busy
from monitor.settings import FetchSettings, Settings
from monitor.store.database import Database
from monitor.store.schema import (
    alerted,
    article_paragraphs,
    articles,
    daily_counts,
    daily_coverage,
    entries,
    hits,
    outbox,
    paragraphs,
    sources,
)
from monitor.store.sources import add_sources
from tests.fakes import FakeEncoder, area, taxonomy

OUTLETS, PAGES = 20, 10
START = datetime(2026, 11, 20, 1, tzinfo=UTC)
# Longer than the lease of a message that a killed sender held.
BETWEEN_RUNS = timedelta(minutes=20)
VOCABULARY = (
    "harbour council winter bridge market farmers teacher river museum budget weather garden station railway concert library kitchen "
    "evening village morning orchard hospital printer journey festival painter mountain valley theatre chapel factory workers holiday "
    "letters windows history science pencil bicycle autumn traffic surface island captain cotton silver copper gravel timber lantern "
    "blanket saddle pasture "
)
WORDS = VOCABULARY.split()
AREAS = taxonomy(
    area("chips", "semiconductor", exemplars=["The foundry etches transistors on silicon wafers."]),
    area("space", "rocket", exemplars=["A launcher carried satellites to orbit."]),
)
# Log-odds: a strong alias 8, less 3: words alone decide.
HEAD = tuple({"strong": 8.0}.get(name, 0.0) for name in NAMES)
DIMENSIONS = 64
BUSY = 75  # exit status of a run that found another under way
FORK = multiprocessing.get_context("fork")


# --- the outlets ----------------------------------------------------------------------------------------------------


def pages(port: int) -> dict[tuple[str, str], tuple[str, str]]:
    """(host, path) → (content type, body)."""
    found: dict[tuple[str, str], tuple[str, str]] = {}
    listed: dict[int, list[tuple[str, str, datetime]]] = {}
    for outlet in range(OUTLETS):
        for number in range(PAGES):
            path, at = f"/{outlet}-{number}.html", START - timedelta(hours=7 * number + outlet / 3 + 2)
            title = f"{_text(f'title {outlet} {number}', 5)} {outlet}-{number}".capitalize()
            listed.setdefault(outlet, []).append((f"http://{_host(outlet)}:{port}{path}", title, at))
            if number == 8:
                continue  # gone
            body = "<p>Hello.</p>" if number == 9 else _article(outlet, number)
            page = f'<html lang="en"><head><title>{title}</title></head><body><article><h1>{title}</h1>{body}</article></body></html>'
            found[_host(outlet), path] = ("text/html; charset=utf-8", page)
    for outlet in range(OUTLETS):
        shared = listed[(outlet + 1) % OUTLETS][:2]
        found[_host(outlet), "/feed"] = ("application/rss+xml", _feed(outlet, listed[outlet] + shared))
    return found


def _host(outlet: int) -> str:
    return f"127.0.0.{outlet + 2}"


def _text(seed: str, words: int) -> str:
    return " ".join(random.Random(seed).choices(WORDS, k=words))


def _article(outlet: int, number: int) -> str:
    """Four paragraphs; the fourth article of an outlet is told by three outlets, each with an end of its own."""
    telling = f"story {outlet // 3}" if number == 4 else f"article {outlet} {number}"
    about = {0: "A new semiconductor plant.", 1: "The rocket was shown.", 4: "A semiconductor and a rocket."}.get(number, "")
    texts = [f"{_text(f'{telling} {n}', 45).capitalize()}." for n in range(3)]
    return "".join(f"<p>{text}</p>" for text in [f"{about} {texts[0]}", *texts[1:], f"{_text(f'end {outlet} {number}', 12)}."])


def _feed(outlet: int, listed: list[tuple[str, str, datetime]]) -> str:
    items = "".join(
        f"<item><title>{title}</title><link>{url}</link><guid>{url}</guid><pubDate>{format_datetime(at)}</pubDate></item>"
        for url, title, at in listed
    )
    return f'<rss version="2.0"><channel><title>Outlet {outlet}</title>{items}</channel></rss>'


class _Server(ThreadingHTTPServer):
    """Says nothing of those that were killed while it answered."""

    daemon_threads = True
    request_queue_size = 128
    found: Mapping[tuple[str, str], tuple[str, str]]

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        found = self.server.found.get((self.headers["Host"].partition(":")[0], self.path))  # type: ignore[attr-defined]
        kind, text = found or ("text/plain", "")
        etag = f'"{hashlib.sha256(text.encode()).hexdigest()[:16]}"'
        known = found is not None and self.headers.get("If-None-Match") == etag
        body = b"" if known else text.encode()
        self.send_response(304 if known else 200 if found else 404)
        self.send_header("ETag", etag)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        pass


@contextmanager
def outlets() -> Iterator[int]:
    """Serves them from a process of its own; yields the port."""
    server = _Server(("0.0.0.0", 0), _Answer)
    server.found = pages(server.server_port)
    process = multiprocessing.get_context("fork").Process(target=server.serve_forever, daemon=True)
    process.start()
    server.socket.close()
    try:
        yield server.server_port
    finally:
        process.kill()
        process.join()


# --- a night --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Moment:
    """Just before the `step`-th statement or commit of a stage."""

    stage: str
    step: int


class Nights:
    """Runs on one database, each in a process of its own and twenty minutes after the one before."""

    def __init__(self, home: Path, url: str, port: int) -> None:
        self.home, self.url, self.number = home, url, 0
        home.mkdir(parents=True, exist_ok=True)
        demo_subscription(home / "subscriptions.yaml")
        with self.database() as database, database.writing() as connection:
            add_sources(connection, [Source(f"http://{_host(n)}:{port}/feed") for n in range(OUTLETS)], now=START)

    @contextmanager
    def database(self) -> Iterator[Database]:
        opened = Database(self.url)
        yield opened
        opened.close()

    def start(self, kill_at: Moment | None = None, turned_away: Event | None = None) -> multiprocessing.process.BaseProcess:
        """A run that goes on by itself. Its exit status is 0, BUSY, or -SIGKILL when it was killed.

        One that is BUSY sets `turned_away`; one that is not waits for that in its first stage, a minute at most.
        """
        clock = START + self.number * BETWEEN_RUNS
        process = FORK.Process(target=_night, args=(self.home, self.url, clock, kill_at, turned_away))
        process.start()
        return process

    def run(self, kill_at: Moment | None = None) -> int:
        """A whole run, or its part before it was killed. Returns the exit status."""
        process = self.start(kill_at)
        process.join()
        self.number += 1
        assert process.exitcode is not None
        return process.exitcode

    def steps(self) -> dict[str, int]:
        """Statements and commits of the last run that ended, by stage."""
        rows = (line.split() for line in (self.home / "steps").read_text(encoding="utf-8").splitlines())
        return {stage: int(number) for stage, number in rows}


def _night(home: Path, url: str, now: datetime, kill_at: Moment | None, turned_away: Event | None) -> None:
    # Small enough that every stage has several transactions to die between.
    analyse = import_module("monitor.pipeline.analyse")
    analyse.PARAGRAPHS_AT_ONCE, analyse.ARTICLES_AT_ONCE = 120, 60  # type: ignore[attr-defined]
    parts = _parts(home, url, now)
    steps: Counter[str] = Counter()
    under_way = ""

    def step(*_: Any) -> None:
        steps[under_way] += 1
        if kill_at == Moment(under_way, steps[under_way]):
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(parts.database.engine, "before_cursor_execute", step)
    event.listen(parts.database.engine, "commit", step)

    def call(name: str, stage: Any) -> Mapping[str, int]:
        nonlocal under_way
        under_way = name
        if turned_away:
            turned_away.wait(60)
        return {} if name == "report" else stage(parts)  # the pages are files, each written whole

    try:
        run(parts, call)
    except Busy:
        if turned_away:
            turned_away.set()
        os._exit(BUSY)
    (home / "steps").write_text("".join(f"{stage} {number}\n" for stage, number in steps.items() if stage), encoding="utf-8")


def _parts(home: Path, url: str, now: datetime) -> Parts:
    encoder = FakeEncoder(DIMENSIONS)
    heads = Heads(Head(NAMES, HEAD, -3.0), Head(WITHOUT_PROBE, HEAD[: len(WITHOUT_PROBE)], -3.0))
    calibration = Calibration(encoder.name, "", (0.3, 0.1), (0.0,) * DIMENSIONS, {}, {"technology": heads}, 0.5)
    texts, columns = exemplar_sentences(AREAS)
    fetch = FetchSettings(delay=0, allow_networks=(ip_network("127.0.0.0/8"),), robots=False)
    settings = Settings(home=home, database_url=SecretStr(url), fetch=fetch, window_days=30)
    matcher = Matcher(AREAS, calibration, Exemplars(texts, encoder.encode(texts), columns))
    version = MatcherVersion("taxonomy", encoder.name, "calibration", "rules")
    return Parts(settings, Database(url), AREAS, version, lambda: encoder, lambda: matcher, clock=lambda: now)


# --- what came of it ------------------------------------------------------------------------------------------------


def outcome(database: Database) -> dict[str, Any]:
    """Everything that was stored, by natural keys: no ids, no times."""
    with database.reading() as connection:

        def rows(*columns: Any, of: Any = None) -> list[tuple[Any, ...]]:
            chosen = select(*columns) if of is None else select(*columns).select_from(of)
            return [tuple(row) for row in connection.execute(chosen)]

        a, e = articles.c, entries.c
        of_source = entries.join(sources).outerjoin(articles, articles.c.id == e.article_id)
        stories: dict[int, set[str]] = {}
        for story, url in rows(a.story_id, a.url):
            stories.setdefault(story, set()).add(url)
        told = rows(alerted.c.recipient, alerted.c.story, alerted.c.area)
        texts = article_paragraphs.join(articles).join(paragraphs)
        place = article_paragraphs.c
        d = daily_counts.c
        return {
            "entries": sorted(rows(sources.c.url, e.key, e.state, e.reason, e.attempts, a.url, of=of_source), key=str),
            "articles": sorted(rows(a.url, sources.c.url, a.version, a.day, a.fingerprint, of=articles.join(sources))),
            "paragraphs": sorted(rows(a.url, place.version, place.position, paragraphs.c.fingerprint, of=texts)),
            "stories": sorted(sorted(urls) for urls in stories.values()),
            "hits": sorted(rows(paragraphs.c.fingerprint, hits.c.area, hits.c.probability, of=hits.join(paragraphs))),
            "counts": sorted(rows(d.area, d.day, d.dimension, d.value, d.articles, d.stories, d.articles_seen)),
            "coverage": sorted(rows(daily_coverage.c.day, daily_coverage.c.due, daily_coverage.c.read)),
            "told": sorted((reader, sorted(stories[story]), area) for reader, story, area in told),
            "messages": sorted(rows(outbox.c.recipient, outbox.c.channel, outbox.c.state)),
        }
