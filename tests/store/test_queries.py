"""The documented queries run on both databases and find something; `test_numbers.py` holds the pages against such queries."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.store import look, series
from monitor.store.database import Database
from monitor.store.views import VIEWS
from tests.archive import Archive, run
from tests.builders import NOW

DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "sql.md"
QUERIES = re.findall(r"\n([^\n]+)\n\n```sql\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)


def statements(text: str) -> list[str]:
    return [s.strip() for s in re.sub(r"--.*", "", text).split(";") if s.strip()]


@pytest.mark.parametrize(("says", "sql"), QUERIES, ids=[says[:40] for says, _ in QUERIES])
def test_a_documented_query_runs_and_finds_something(archive: tuple[Database, Archive], says: str, sql: str) -> None:
    (statement,) = statements(sql)
    assert run(archive[0], statement)


def test_there_are_a_dozen() -> None:
    assert len(QUERIES) >= 12


def test_every_column_of_the_views_is_in_the_dictionary(archive: tuple[Database, Archive]) -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    for view in VIEWS:
        section = text.split(f"**`{view}`**")[1].split("**`")[0]
        with archive[0].reading() as connection:
            columns = list(connection.exec_driver_sql(f"SELECT * FROM {view} LIMIT 1").keys())
        assert not [column for column in columns if f"`{column}`" not in section]


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
