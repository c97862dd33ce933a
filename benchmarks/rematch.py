"""A changed taxonomy over a stored history with vectors: paragraphs a second and peak memory, beside a plain loop.

    python -m benchmarks.rematch [--paragraphs 20000] [--workers 2] [--json]

The history is made: texts of the labelled paragraphs of the shipped taxonomy, one in ten of them with an area, each with a number so that
it is stored once, and their vectors with a little noise; twelve paragraphs an article, 500 articles a day. A changed calibration looks at
all of it, is compared and goes live. The plain loop does the same by the paragraph on a sample: one SELECT, one decision, one INSERT each.
The aim is 1,000,000 paragraphs in five minutes, which is 3,333 a second.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import tempfile
import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

import numpy as np
from pydantic import SecretStr

from benchmarks.table import Row
from monitor import app
from monitor.app import kept_vectors
from monitor.domain import Paragraph
from monitor.evaluate.fit import training_files
from monitor.evaluate.gold import load_gold
from monitor.pipeline.parts import Parts
from monitor.pipeline.rematch import rematch
from monitor.settings import Settings
from monitor.store import hits
from monitor.store.database import Database, insert, upgrade
from monitor.store.schema import article_paragraphs, articles, embeddings, paragraphs

AT_ONCE = 20_000
A_DAY, AN_ARTICLE = 500, 12
LAST = date(2026, 11, 20)
SHARE_WITH_AREA = 0.1
NOISE = 0.02
SAMPLE = 300


def parts_in(folder: Path, workers: int) -> Parts:
    url = os.environ.get("BENCHMARK_DATABASE_URL") or f"sqlite:///{folder / 'history.db'}"
    upgrade(url)
    return app.build(Settings(home=folder, database_url=SecretStr(url), workers=workers))


def fill(parts: Parts, number: int) -> None:
    """A history of `number` paragraphs, matched by the shipped calibration."""
    gold = load_gold(training_files(parts.taxonomy.folder)[1], parts.taxonomy.facets)
    vectors = kept_vectors([p.text for p in gold], parts.encoder().name, parts.encoder().encode)
    with_area, without = ([row for row, p in enumerate(gold) if bool(p.labels) is wanted] for wanted in (True, False))
    chance, noise = random.Random(0), np.random.default_rng(0)
    with parts.database.writing() as connection:
        encoder = hits.encoder_id(connection, parts.version.encoder)
        hits.matcher_id(connection, parts.version, parts.taxonomy.body(), now=datetime.now(UTC))
    for start in range(0, number, AT_ONCE):
        ids = range(start, min(start + AT_ONCE, number))
        rows = [chance.choice(with_area if chance.random() < SHARE_WITH_AREA else without) for _ in ids]
        noisy = vectors[rows] + noise.normal(0, NOISE / vectors.shape[1] ** 0.5, (len(rows), vectors.shape[1])).astype(np.float32)
        packed = noisy.astype("<f2")
        firsts = [key for key in ids if key % AN_ARTICLE == 0]
        with parts.database.writing() as connection:
            insert(connection, articles, [_article(key // AN_ARTICLE + 1) for key in firsts])
            texts = [
                {"id": key + 1, "fingerprint": f"{key:064d}", "text": f"{gold[row].text} ({key})"}
                for key, row in zip(ids, rows, strict=True)
            ]
            insert(connection, paragraphs, texts)
            places = [
                {"article_id": key // AN_ARTICLE + 1, "version": 1, "position": key % AN_ARTICLE, "paragraph_id": key + 1} for key in ids
            ]
            insert(connection, article_paragraphs, places)
            stored = [{"paragraph_id": key + 1, "encoder_id": encoder, "vector": packed[key - start].tobytes()} for key in ids]
            insert(connection, embeddings, stored)


def _article(key: int) -> dict[str, Any]:
    day = LAST - timedelta(days=key // A_DAY)
    seen = datetime(day.year, day.month, day.day, 6, tzinfo=UTC)
    return {
        "id": key, "url": f"https://example.org/{key}", "source_id": 1, "title": f"Article {key}", "language": "en", "day": day,
        "first_seen_at": seen, "published_at": seen, "fingerprint": f"{key:064d}", "extractor": "benchmark", "story_id": key,
    }  # fmt: skip


def add_source(database: Database) -> None:
    from monitor.domain import Source
    from monitor.store.sources import add_sources

    with database.writing() as connection:
        add_sources(connection, [Source("https://example.org/feed")], now=datetime.now(UTC))


def changed(parts: Parts) -> Parts:
    """The same parts with a calibration that decides a little differently: what is measured does not depend on how."""
    matcher = parts.matcher()
    calibration = replace(matcher.calibration, threshold=0.6)
    again = app.build_matcher(parts.taxonomy, calibration, parts.encoder())
    return replace(parts, version=replace(parts.version, calibration=calibration.fingerprint), matcher=lambda: again)


def plain(parts: Parts) -> float:
    """Paragraphs a second by the paragraph: one SELECT, one decision, one INSERT each."""
    matcher = parts.matcher()
    with parts.database.reading() as connection:
        encoder = hits.encoder_id(connection, parts.version.encoder)
    began = time.perf_counter()
    for key in range(1, SAMPLE + 1):
        with parts.database.reading() as connection:
            paragraph: Paragraph = hits.load_paragraphs(connection, [key])[key]
            vector = hits.load_vectors(connection, encoder, [key])[key]
        found = matcher.match([paragraph], vector[None])
        with parts.database.writing() as connection:
            hits.write_hits(connection, 1, [key], found)
    return SAMPLE / (time.perf_counter() - began)


class Memory:
    """The highest sum of the memory of a process (this one unless named) and those it started, in MB, looked at four times a second.

    What they share is counted once (the proportional set size of Linux; elsewhere the resident one, which counts it in each).
    """

    def __init__(self, process: int | None = None) -> None:
        self._process = process

    def __enter__(self) -> Memory:
        import psutil

        self.peak, self._done, me = 0.0, Event(), psutil.Process(self._process)

        def watch() -> None:
            while not self._done.wait(0.25):
                try:
                    each = [p.memory_full_info() for p in [me, *me.children(recursive=True)]]
                except (psutil.NoSuchProcess, psutil.ZombieProcess, psutil.AccessDenied):
                    continue
                here = sum(getattr(info, "pss", info.rss) for info in each)
                self.peak = max(self.peak, here / 1e6)

        self._thread = Thread(target=watch)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()


def processor_seconds() -> float:
    """Of this process and of those it started that are done."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def measure(number: int, workers: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        parts = parts_in(Path(folder), workers)
        add_source(parts.database)
        fill(parts, number)
        naive = plain(parts)
        new = changed(parts)
        with Memory() as memory:
            began, used = time.perf_counter(), processor_seconds()
            done = rematch(new)
            seconds, used = time.perf_counter() - began, processor_seconds() - used
        assert (done.live, done.matched) == (True, number), done
        parts.database.close()
    return {
        "paragraphs": number, "workers": workers, "seconds": round(seconds, 1), "a_second": round(number / seconds),
        "processor_seconds": round(used, 1), "plain_a_second": round(naive), "ratio": round(number / seconds / naive, 1),
        "peak_memory_mb": round(memory.peak), "million_minutes": round(1e6 / number * seconds / 60, 1),
        "million_minutes_unshared": round(1e6 / number * used / workers / 60, 1),
    }  # fmt: skip


def rows(found: dict[str, Any]) -> list[Row]:
    """The lines of the table."""
    what = f"a changed taxonomy over {found['paragraphs']:,} paragraphs"
    ours, plain = found["a_second"], found["plain_a_second"]
    return [Row(what, "paragraphs a second", ours, plain, found["ratio"], found["peak_memory_mb"])]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--paragraphs", type=int, default=20_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    found = measure(chosen.paragraphs, chosen.workers)
    if chosen.json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        print(f"{name.replace('_', ' '):26}{value:>12,}")


if __name__ == "__main__":
    main()
