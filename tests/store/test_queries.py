"""The documented queries run on both databases, find something, and give the numbers of the pages again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.report.queries import area_queries, site_queries
from monitor.store import counts, look, series
from monitor.store.database import Database
from tests.archive import Archive, fill
from tests.builders import NOW

DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "sql.md"
QUERIES = re.findall(r"\n([^\n]+)\n\n```sql\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)


def statements(text: str) -> list[str]:
    return [s.strip() for s in re.sub(r"--.*", "", text).split(";") if s.strip()]


@pytest.fixture(scope="module", params=("sqlite", "postgresql"))
def archive(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Database, Archive]]:
    for url in request.getfixturevalue("fresh_url")(request.param, tmp_path_factory.mktemp("queries")):
        database = Database(url)
        with database.writing() as connection:
            filled = fill(connection)
        yield database, filled
        database.close()


def run(database: Database, sql: str) -> list[dict[str, Any]]:
    with database.reading() as connection:
        return [dict(row._mapping) for row in connection.exec_driver_sql(sql)]


@pytest.mark.parametrize(("says", "sql"), QUERIES, ids=[says[:40] for says, _ in QUERIES])
def test_a_documented_query_runs_and_finds_something(archive: tuple[Database, Archive], says: str, sql: str) -> None:
    (statement,) = statements(sql)
    assert run(archive[0], statement)


def test_there_are_a_dozen() -> None:
    assert len(QUERIES) >= 12


def test_every_column_of_the_views_is_in_the_dictionary(archive: tuple[Database, Archive]) -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    for view in ("trend", "mention", "coverage"):
        section = text.split(f"**`{view}`**")[1].split("**`")[0]
        with archive[0].reading() as connection:
            columns = list(connection.exec_driver_sql(f"SELECT * FROM {view} LIMIT 1").keys())
        assert not [column for column in columns if f"`{column}`" not in section]


def test_the_queries_of_an_areas_page_give_its_numbers(archive: tuple[Database, Archive]) -> None:
    database, filled = archive
    key = "quantum-technology"
    line, week, sources, together, newest = statements(area_queries(key, filled.first, filled.last))
    with database.reading() as connection:
        stored = counts.load_counts(connection, filled.matcher, filled.first, filled.last, area=key)
        found = [f for f in counts.articles_found(connection, filled.matcher, filled.first, filled.last) if f.area == key]
    assert [(r["articles"], r["stories"], r["articles_seen"]) for r in run(database, line)] == [
        (c.articles, c.stories, c.articles_seen) for c in stored
    ]
    recent = [f for f in found if f.day >= filled.last - timedelta(6)]
    assert run(database, week) == [{"articles": len({f.article for f in recent}), "stories": len({f.story for f in recent})}]
    assert {r["source"]: r["articles"] for r in run(database, sources)} == {
        source: len({f.article for f in found if f.source == source}) for source in {f.source for f in found}
    }
    assert run(database, together)
    assert len(run(database, newest)) == 20


def test_the_queries_of_all_areas_run(archive: tuple[Database, Archive]) -> None:
    database, filled = archive
    shares, coverage = (run(database, sql) for sql in statements(site_queries(filled.first, filled.last)))
    assert len(shares) == 13
    assert len(coverage) == 70


def test_independent_reports_by_sql_are_those_that_bursts_are_found_in(archive: tuple[Database, Archive]) -> None:
    database, filled = archive
    (sql,) = [sql for says, sql in QUERIES if says.startswith("Independent reports")]
    with database.reading() as connection:
        reports = series.reports_found(connection, filled.matcher, filled.first, filled.last)
    by_day: dict[str, int] = {}
    for (area, _, day), number in reports.items():
        if area == "quantum-technology":
            by_day[str(day)] = by_day.get(str(day), 0) + number
    assert {str(r["day"]): r["reports"] for r in run(database, statements(sql)[0])} == by_day


def test_the_commands_read_the_same_views(archive: tuple[Database, Archive]) -> None:
    with archive[0].reading() as connection:
        rows = look.trends(connection, since=NOW.date() - timedelta(6), area="quantum-technology")
    assert len(rows) == 7
