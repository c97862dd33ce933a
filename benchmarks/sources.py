"""Reading sources against a plain loop of feedparser and trafilatura: articles a second, peak memory, requests; first run and second.

    python -m benchmarks.sources [--full] [--sources 50] [--entries 1000] [--rounds 3] [--json]

A server on this machine answers for every source under an address of its own (127.x.y.z) with feeds and pages of a usual size, at once:
what is measured is the reader, not the network, which the plain loop would wait for page by page. Both sides run as processes of their own,
by turns, each from an empty database and then once more with nothing new. Both store address, title, day and text; the plain loop leaves
out pages that it knows. Ours also asks by host, keeps versions, paragraphs and sketches, and detects the language.
That memory does not grow with the entries is shown by one more night of ours over a tenth of them. The limit: trafilatura alone over
such pages, on as many cores.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import cache
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from benchmarks.table import Row

if TYPE_CHECKING:
    from monitor.pipeline import Parts

PUBLISHED = datetime(2026, 11, 20, 6, tzinfo=UTC)
NOW = datetime(2026, 11, 21, 2, 30, tzinfo=UTC)
VOCABULARY = (
    "council harbour bridge market budget railway museum library theatre hospital factory traffic energy science teacher engineer minister "
    "announced opened delayed approved measured because during between without against another several yesterday according programme"
)
WORDS = VOCABULARY.split()
NAVIGATION = "".join(f'<li><a href="/section/{n}">Section number {n} of this paper</a></li>' for n in range(120))
PARAGRAPHS, PARAGRAPH_WORDS = 12, 60
SAMPLE = 200  # pages that the limit is taken from


# --- the server -----------------------------------------------------------------------------------------------------


def host(source: int) -> str:
    return f"127.1.{source // 200}.{source % 200 + 1}"


@cache
def feed(source: int, entries: int, port: int) -> bytes:
    items = "".join(
        f"<item><title>{words(source, number, 8)}</title><link>http://{host(source)}:{port}/{number}.html</link><guid>{source}-{number}</guid>"
        f"<pubDate>{format_datetime(PUBLISHED - timedelta(minutes=number))}</pubDate><description>A teaser.</description></item>"
        for number in range(entries)
    )
    return f'<rss version="2.0"><channel><title>Source {source}</title>{items}</channel></rss>'.encode()


def words(source: int, number: int, count: int) -> str:
    return " ".join(random.Random(source * 100_003 + number).choices(WORDS, k=count))


def page(source: int, number: int) -> bytes:
    """About 20 kB, of which a third is text."""
    text = words(source, number, PARAGRAPHS * PARAGRAPH_WORDS).split()
    pieces = [" ".join(text[start : start + PARAGRAPH_WORDS]) for start in range(0, len(text), PARAGRAPH_WORDS)]
    return html(words(source, number, 8), [f"{piece.capitalize()}." for piece in pieces])


def html(title: str, paragraphs: Sequence[str]) -> bytes:
    """A page with an article, and with what papers put around it."""
    body = "".join(f"<p>{escape(each)}</p>" for each in paragraphs)
    head = f'<title>{title}</title><meta property="article:published_time" content="{PUBLISHED.isoformat()}">'
    article = f"<article><h1>{title}</h1>{body}</article>"
    return f'<html lang="en"><head>{head}</head><body><nav><ul>{NAVIGATION}</ul></nav>{article}</body></html>'.encode()


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512

    def __init__(self, entries: int, page: Callable[[int, int], bytes]) -> None:
        super().__init__(("0.0.0.0", 0), Answer)
        self.entries, self.page = entries, page
        self.asked: Counter[str] = Counter()
        self.lock = Lock()


class Answer(BaseHTTPRequestHandler):
    """`/asked` tells what was asked since it was last asked, itself not counted."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True  # else a client that asks for one page after another waits 40 ms for each
    server: Server

    def do_GET(self) -> None:
        if self.path == "/asked":
            with self.server.lock:
                body, etag = json.dumps(self.server.asked).encode(), ""
                self.server.asked.clear()
        else:
            body, etag = self._document()
        known = bool(etag) and self.headers.get("If-None-Match") == etag
        self.send_response(304 if known else 200)
        self.send_header("Content-Type", "application/rss+xml" if self.path == "/feed" else "text/html; charset=utf-8")
        if etag:
            self.send_header("ETag", etag)
        self.send_header("Content-Length", "0" if known else str(len(body)))
        self.end_headers()
        self.wfile.write(b"" if known else body)

    def _document(self) -> tuple[bytes, str]:
        with self.server.lock:
            self.server.asked.update(requests=1, conditional=int("If-None-Match" in self.headers), feeds=int(self.path == "/feed"))
        x, y = self.headers["Host"].partition(":")[0].split(".")[2:]
        source = int(x) * 200 + int(y) - 1
        if self.path == "/feed":
            return feed(source, self.server.entries, self.server.server_port), f'"{source}"'
        return self.server.page(source, int(self.path[1:].partition(".")[0])), ""

    def log_message(self, format: str, *arguments: Any) -> None:
        pass


@contextmanager
def serving(entries: int, page: Callable[[int, int], bytes] = page) -> Iterator[int]:
    """The port of a server with `entries` in each feed, and a `page` for every source and number."""
    server = Server(entries, page)
    process = multiprocessing.get_context("fork").Process(target=server.serve_forever, daemon=True)
    process.start()
    server.socket.close()
    try:
        yield server.server_port
    finally:
        process.kill()
        process.join()


# --- the two sides, each in a process of its own --------------------------------------------------------------------


def due_parts(folder: Path, urls: list[str], night: int) -> Parts:
    """The parts of one night, an hour after the one before, with all sources due. The database must be there."""
    from pydantic import SecretStr

    from monitor import app
    from monitor.domain import Source
    from monitor.settings import FetchSettings, Settings
    from monitor.store import sources

    fetch = FetchSettings(delay=0, allow_networks=(ip_network("127.0.0.0/8"),), robots=False)
    settings = Settings(home=folder, database_url=SecretStr(database_url(folder)), fetch=fetch)
    parts = app.build(settings, clock=lambda: NOW + timedelta(hours=night))
    with parts.database.writing() as connection:
        sources.add_sources(connection, [Source(each) for each in urls], now=NOW)
        sources.ask_all_now(connection)
    return parts


def database_url(folder: Path) -> str:
    return f"sqlite:///{folder / 'monitor.db'}"


def ours(folder: Path, urls: list[str]) -> Callable[[int], int]:
    """Polls and reads as a night does. Returns what runs it and gives the number of articles stored."""
    from sqlalchemy import func, select

    from monitor.pipeline import poll, read
    from monitor.store.database import upgrade
    from monitor.store.schema import articles

    upgrade(database_url(folder))

    def night(number: int) -> int:
        parts = due_parts(folder, urls, number)
        poll(parts)
        read(parts)
        with parts.database.reading() as connection:
            return connection.scalar(select(func.count()).select_from(articles)) or 0

    return night


def plain(folder: Path, urls: list[str]) -> Callable[[int], int]:
    """Source by source, page by page."""
    import feedparser
    import httpx
    import trafilatura

    database = sqlite3.connect(folder / "plain.db")
    database.execute("CREATE TABLE articles (url TEXT PRIMARY KEY, title TEXT, day TEXT, text TEXT)")

    def night(_: int) -> int:
        with httpx.Client() as client:
            for url in urls:
                for entry in feedparser.parse(client.get(url).content).entries:
                    if database.execute("SELECT 1 FROM articles WHERE url = ?", (entry.link,)).fetchone():
                        continue
                    found = trafilatura.bare_extraction(client.get(entry.link).content, url=entry.link, with_metadata=True)
                    if found is not None:
                        row = (entry.link, found.title, found.date, found.text)
                        database.execute("INSERT OR IGNORE INTO articles VALUES (?, ?, ?, ?)", row)
                        database.commit()
        (number,) = database.execute("SELECT count(*) FROM articles").fetchone()
        return int(number)

    return night


SIDES = {"ours": ours, "plain": plain}


def measure(side: str, sources: int, port: int) -> None:
    """Two nights; prints a JSON document. Memory: the largest of this process, and of the largest process that it started."""
    import httpx

    urls = [f"http://{host(n)}:{port}/feed" for n in range(sources)]
    nights = []
    with tempfile.TemporaryDirectory() as folder:
        night = SIDES[side](Path(folder), urls)
        for number in range(2):
            began, used = time.perf_counter(), processor_seconds()
            articles = night(number)
            seconds, cpu = time.perf_counter() - began, processor_seconds() - used
            asked = httpx.get(f"http://{host(0)}:{port}/asked").json()
            nights.append(
                {
                    "seconds": seconds,
                    "cpu_seconds": cpu,
                    "articles": articles,
                    **{k: asked.get(k, 0) for k in ("requests", "feeds", "conditional")},
                }
            )
    kilobytes = {who: resource.getrusage(which).ru_maxrss for who, which in WHOSE.items()}
    print(json.dumps({"first": nights[0], "second": nights[1], "memory_mb": {who: round(kb / 1024) for who, kb in kilobytes.items()}}))


def processor_seconds() -> float:
    """Of this process and of those that it started and that have ended: on a busy machine the fairer measure."""
    return sum(used.ru_utime + used.ru_stime for used in map(resource.getrusage, WHOSE.values()))


WHOSE = {"itself": resource.RUSAGE_SELF, "largest_child": resource.RUSAGE_CHILDREN}


# --- the comparison -------------------------------------------------------------------------------------------------


def compare(sources: int, entries: int, rounds: int) -> dict[str, Any]:
    """Medians of the rounds by side, and their ratios."""
    measured: dict[str, list[dict[str, Any]]] = {side: [] for side in SIDES}
    with serving(entries // sources) as port:
        for number in range(rounds):
            for side in sorted(SIDES, reverse=number % 2 == 1):
                measured[side].append(_measured(side, sources, port))
    sides = {side: _medians(found) for side, found in measured.items()}
    ours, plain = sides["ours"], sides["plain"]
    ratios = {
        "ratio": ours["articles_a_second"] / plain["articles_a_second"],
        "ratio_second": plain["second"]["seconds"] / ours["second"]["seconds"],
        "ratio_cpu": ours["first"]["cpu_seconds"] / plain["first"]["cpu_seconds"],
    }
    with serving(max(1, entries // sources // 10)) as port:
        tenth = _measured("ours", sources, port)["memory_mb"]
    rounded = {name: round(ratio, 2) for name, ratio in ratios.items()}
    alone = trafilatura_alone()
    limit = {"pages_a_core_second": round(alone, 1), "reached": round(ours["articles_a_second"] / alone / (os.cpu_count() or 1), 2)}
    return {"sources": sources, "entries": entries, "rounds": rounds, **sides, **rounded, "memory_mb_of_a_tenth": tenth, "limit": limit}


def trafilatura_alone() -> float:
    """Pages a processor second."""
    import trafilatura

    pages = [page(source, 0) for source in range(SAMPLE)]
    began = time.process_time()
    for each in pages:
        trafilatura.bare_extraction(each, with_metadata=True)
    return SAMPLE / (time.process_time() - began)


def _measured(side: str, sources: int, port: int) -> dict[str, Any]:
    """Two nights of one side in a process of its own."""
    arguments = ["--side", side, "--sources", str(sources), "--port", str(port)]
    done = subprocess.run([sys.executable, "-m", "benchmarks.sources", *arguments], check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _medians(found: list[dict[str, Any]]) -> dict[str, Any]:
    merged: dict[str, Any] = {
        part: {key: round(statistics.median(one[part][key] for one in found), 2) for key in found[0][part]}
        for part in ("first", "second", "memory_mb")
    }
    return {"articles_a_second": round(merged["first"]["articles"] / merged["first"]["seconds"], 1), **merged}


def show(result: dict[str, Any]) -> None:
    print(f"{result['sources']} sources, {result['entries']} entries, medians of {result['rounds']} rounds")
    for side in SIDES:
        r, memory = result[side], result[side]["memory_mb"]
        first, second = r["first"], r["second"]
        print(
            f"{side:<6} {r['articles_a_second']:>7} articles a second, {first['articles']:.0f} articles, {first['requests']:.0f} requests"
        )
        print(
            f"       second run: {second['seconds']} s, {second['requests']:.0f} requests, {second['conditional']:.0f} of them conditional"
        )
        print(f"       processor seconds: first run {first['cpu_seconds']}, second {second['cpu_seconds']}")
        print(f"       peak memory: {memory['itself']} MB, largest process it started {memory['largest_child']} MB")
    times = f"{result['ratio']} times as fast for {result['ratio_cpu']} times the processor seconds"
    print(f"ours against plain: {times}; second run {result['ratio_second']} times as fast")
    limit = result["limit"]
    print(
        f"trafilatura alone: {limit['pages_a_core_second']} pages a core-second, of which ours reaches {limit['reached']:.0%} on all cores"
    )
    tenth = result["memory_mb_of_a_tenth"]
    print(f"peak memory over a tenth of the entries: {tenth['itself']} MB, largest process it started {tenth['largest_child']} MB")


def rows(found: dict[str, Any]) -> list[Row]:
    """The lines of the table."""
    ours, plain, what = found["ours"], found["plain"], f"{found['sources']} sources, {found['entries']:,} entries"
    memory, limit = ours["memory_mb"]["itself"], f"{found['limit']['reached']:.2f}"
    first = ours["articles_a_second"], plain["articles_a_second"], found["ratio"]
    again = ours["second"]["seconds"], plain["second"]["seconds"], found["ratio_second"]
    return [
        Row(f"reading, {what}", "articles a second", *first, memory, limit),
        Row("reading again, nothing new", "seconds", *again, memory),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sources", type=int, default=50)
    parser.add_argument("--entries", type=int, default=1_000)
    parser.add_argument("--full", action="store_true", help="500 sources and 10,000 entries, six minutes a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--side", choices=sorted(SIDES), help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.side:
        measure(chosen.side, chosen.sources, chosen.port)
        return
    sources, entries = (500, 10_000) if chosen.full else (chosen.sources, chosen.entries)
    result = compare(sources, entries, chosen.rounds)
    print(json.dumps(result, indent=2)) if chosen.json else show(result)


if __name__ == "__main__":
    main()
