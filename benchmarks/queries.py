"""How long the documented queries take on a large database.

    python -m benchmarks.queries [thousands of articles] [URL of an empty database]

Generated: three years of articles of ten short paragraphs each, in ten languages, one paragraph in twenty with a hit, two articles in
five a copy; all days counted. The default is 20 thousand articles in a SQLite file of a temporary folder; 1000 makes the million of the
promise (about 4 GB).
"""

from __future__ import annotations

import re
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

from sqlalchemy import text

from monitor.domain import SourceKind
from monitor.pipeline.trends import write_findings
from monitor.store.counts import replace_counts
from monitor.store.database import Database, insert, upgrade
from monitor.store.schema import daily_coverage
from monitor.store.sources import replace_standing
from tests.archive import INSTRUMENTS, STORIES
from tests.builders import NOW, add_source, live_matcher

DOCUMENT = Path(__file__).parent.parent / "docs" / "sql.md"
LAST = date(2026, 11, 23)
DAYS, PARAGRAPHS, SOURCES, STEP = 1_095, 10, 400, 60
LANGUAGES = ("en", "zh", "de", "ja", "fr", "ru", "es", "ko", "it", "pt")
BATCH = 20_000
AREAS = (*STORIES, *INSTRUMENTS)
# In SQL, since ten million rows are many for Python. `chance` is a number below a million that looks thrown.
COUNT = "WITH RECURSIVE n (i) AS (SELECT CAST({first} AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < {last})"
PIECES = COUNT.format(first=f"(:start - 1) * {PARAGRAPHS} + 1", last=f":end * {PARAGRAPHS}")
CHANCE = "(n.i * 7919 + n.i / 31 * 104729 + n.i / 1009 * 1299709) % 1000000"
FILL = (
    f"""{COUNT.format(first=":start", last=":end")}
    INSERT INTO articles (id, url, source_id, title, language, day, first_seen_at, fingerprint, extractor, story_id)
    SELECT n.i, 'https://news.example/' || n.i, 1 + n.i % {SOURCES}, 'Headline ' || n.i, l.it, d.it, '2026-01-01 00:00:00.000000',
           'f' || n.i, 'b', CASE WHEN {CHANCE} < 400000 AND n.i > 50 THEN n.i - 1 - {CHANCE} % 49 ELSE n.i END
    FROM n JOIN some_languages l ON l.k = n.i % {SOURCES} % {len(LANGUAGES)} JOIN some_days d ON d.k = n.i * {DAYS} / (:number + 1)""",
    f"""{PIECES}
    INSERT INTO paragraphs (id, fingerprint, text)
    SELECT n.i, 'p' || n.i, 'Paragraph ' || n.i || ' {"of ordinary length, more or less so. " * 6}' FROM n""",
    f"""{PIECES}
    INSERT INTO article_paragraphs (article_id, version, position, paragraph_id)
    SELECT (n.i - 1) / {PARAGRAPHS} + 1, 1, (n.i - 1) % {PARAGRAPHS}, n.i FROM n""",
    f"""{PIECES}
    INSERT INTO hits (matcher_id, paragraph_id, area, probability, similarity, exemplar, mentions)
    SELECT CAST(:matcher AS BIGINT), n.i, a.it, 0.5 + {CHANCE} % 50 / 100.0, 0.5, 'A model sentence.', '[["word", 0, 4, false]]'
    FROM n JOIN some_areas a ON a.k = n.i / 3 % {len(AREAS)} WHERE {CHANCE} < 50000""",
)
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
    with database.writing() as connection:
        matcher = live_matcher(connection)
        kinds = list(SourceKind)
        for n in range(SOURCES):
            add_source(connection, f"Source {n}", kind=kinds[n % len(kinds)], language=LANGUAGES[n % len(LANGUAGES)])
        for name, kind, values in (
            ("some_days", "DATE", [str(LAST - timedelta(DAYS - 1 - n)) for n in range(DAYS)]),
            ("some_languages", "TEXT", LANGUAGES),
            ("some_areas", "TEXT", AREAS),
        ):
            connection.exec_driver_sql(f"CREATE TABLE {name} (k INTEGER PRIMARY KEY, it {kind})")
            connection.execute(text(f"INSERT INTO {name} VALUES (:k, :it)"), [{"k": k, "it": it} for k, it in enumerate(values)])
    for start in range(1, number + 1, BATCH):
        with database.writing() as connection:
            for statement in FILL:
                asked = {"start": start, "end": min(number, start + BATCH - 1), "number": number, "matcher": matcher}
                connection.execute(text(statement), {name: value for name, value in asked.items() if f":{name}" in statement})
    for ago in range(DAYS, -1, -STEP):
        with database.writing() as connection:
            replace_counts(connection, matcher, AREAS, LAST - timedelta(ago), LAST - timedelta(max(0, ago - STEP + 1)))
    with database.writing() as connection:
        covered = [{"day": LAST - timedelta(n), "due": SOURCES, "read": SOURCES - n % 100} for n in range(DAYS)]
        insert(connection, daily_coverage, covered)
        write_findings(connection, matcher, AREAS, LAST - timedelta(120), LAST)
        replace_standing(connection, now=NOW)
    analyse(database)


def analyse(database: Database) -> None:
    """What SQLite's `optimize` and PostgreSQL's autovacuum do in time."""
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE" if database.dialect == "sqlite" else "VACUUM ANALYZE")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20, sys.argv[2] if len(sys.argv) > 2 else None)
