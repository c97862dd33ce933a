"""How long the documented queries take on a large database.

    python -m benchmarks.queries [thousands of articles] [URL of an empty database]

Generated: three years of articles of ten short paragraphs each, one paragraph in twenty with a hit, two articles in five a copy; all days
counted. The default is 100 thousand articles in a SQLite file of a temporary folder; 1000 makes the million of the promise.
"""

from __future__ import annotations

import re
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Table

from monitor.domain import SourceKind
from monitor.store.counts import replace_counts
from monitor.store.database import Database, insert, upgrade
from monitor.store.schema import article_paragraphs, articles, daily_coverage, hits, paragraphs
from tests.archive import STORIES
from tests.builders import add_source, live_matcher

DOCUMENT = Path(__file__).parent.parent / "docs" / "sql.md"
LAST = date(2026, 11, 23)
DAYS, PARAGRAPHS, SOURCES, STEP = 1_095, 10, 400, 60
LANGUAGES = ("en", "zh", "de", "ja", "fr", "ru", "es", "ko", "it", "pt")
BATCH = 10_000
REPEATS = 3


def main(thousands: int, url: str | None) -> None:
    with tempfile.TemporaryDirectory() as folder:
        address = url or f"sqlite:///{folder}/monitor.db"
        upgrade(address)
        database = Database(address)
        began = time.perf_counter()
        generate(database, thousands * 1_000)
        print(f"{thousands} thousand articles on {database.dialect} in {time.perf_counter() - began:.0f} s")
        for says, sql in re.findall(r"\n([^\n]+)\n\n```sql\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL):
            print(f"{timed(database, sql) * 1_000:8.1f} ms  {says[:90]}")
        database.close()


def timed(database: Database, sql: str) -> float:
    """The best of some runs, in seconds."""
    best = float("inf")
    for _ in range(REPEATS):
        with database.reading() as connection:
            began = time.perf_counter()
            connection.exec_driver_sql(sql.replace("%", "%%") if database.dialect == "postgresql" else sql).fetchall()
            best = min(best, time.perf_counter() - began)
    return best


def generate(database: Database, number: int) -> None:
    """Fills an upgraded, empty database."""
    rng = np.random.default_rng(1)
    with database.writing() as connection:
        matcher = live_matcher(connection)
        kinds = list(SourceKind)
        sources = [
            add_source(connection, f"Source {n}", kind=kinds[n % len(kinds)], language=LANGUAGES[n % len(LANGUAGES)])
            for n in range(SOURCES)
        ]
    for start in range(0, number, BATCH):
        with database.writing() as connection:
            for table, rows in batch(rng, start, min(number, start + BATCH), number, sources, matcher):
                insert(connection, table, rows)
    for ago in range(DAYS, -1, -STEP):
        with database.writing() as connection:
            replace_counts(connection, matcher, list(STORIES), LAST - timedelta(ago), LAST - timedelta(max(0, ago - STEP + 1)))
    with database.writing() as connection:
        covered = [{"day": LAST - timedelta(n), "due": SOURCES, "read": SOURCES - n % 100} for n in range(DAYS)]
        insert(connection, daily_coverage, covered)
    analyse(database)


def batch(
    rng: np.random.Generator, start: int, end: int, number: int, sources: list[int], matcher: int
) -> Iterator[tuple[Table, list[dict[str, Any]]]]:
    """Articles `start` to `end` in the order of their days, with their paragraphs and hits. Ids count from 1."""
    ids = range(start + 1, end + 1)
    story = {n: n - int(rng.integers(1, 50)) if rng.random() < 0.4 and n > 50 else n for n in ids}
    yield (
        articles,
        [
            {
                "id": n, "url": f"https://news.example/{n}", "source_id": sources[n % SOURCES], "title": f"Headline {n}",
                "language": LANGUAGES[n % len(LANGUAGES)],
                "published_at": None, "day": LAST - timedelta(DAYS - 1 - n * DAYS // (number + 1)),
                "first_seen_at": datetime(2026, 1, 1, tzinfo=UTC), "fingerprint": str(n), "extractor": "b", "story_id": story[n],
            }
            for n in ids
        ],
    )  # fmt: skip
    pieces = range(start * PARAGRAPHS + 1, end * PARAGRAPHS + 1)
    yield (
        paragraphs,
        [{"id": p, "fingerprint": f"{p:x}", "text": f"Paragraph {p} of ordinary length, more or less so. " * 4} for p in pieces],
    )
    places = [{"article_id": (p - 1) // PARAGRAPHS + 1, "version": 1, "position": (p - 1) % PARAGRAPHS, "paragraph_id": p} for p in pieces]
    yield article_paragraphs, places
    areas = rng.choice(list(STORIES), len(pieces))
    lucky = rng.random(len(pieces)) < 0.05
    facts = {
        "matcher_id": matcher,
        "probability": 0.9,
        "similarity": 0.5,
        "exemplar": "A model sentence.",
        "mentions": [["word", 0, 4, False]],
    }
    yield hits, [{**facts, "paragraph_id": p, "area": str(a)} for p, a, hit in zip(pieces, areas, lucky, strict=True) if hit]


def analyse(database: Database) -> None:
    """What SQLite's `optimize` and PostgreSQL's autovacuum do in time."""
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE" if database.dialect == "sqlite" else "VACUUM ANALYZE")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100, sys.argv[2] if len(sys.argv) > 2 else None)
