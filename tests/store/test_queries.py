"""The documented queries run on both databases, find something, and give the numbers of the pages again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.pipeline import Parts
from monitor.pipeline.report import look as look_at_pages
from monitor.report import Site
from monitor.report.queries import area_queries, site_queries
from monitor.settings import Settings
from monitor.store import counts, look, series
from monitor.store.database import Database
from monitor.store.views import VIEWS
from monitor.taxonomy import load_taxonomy
from monitor.trends import wilson
from tests.archive import STORIES, Archive, fill
from tests.builders import NOW, VERSION

DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "sql.md"
QUERIES = re.findall(r"\n([^\n]+)\n\n```sql\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)

AREA_QUERIES = ("line", "week", "sources", "together", "movement", "bursts", "weekdays", "newest")


def statements(text: str) -> list[str]:
    return [s.strip() for s in re.sub(r"--.*", "", text).split(";") if s.strip()]


@pytest.fixture(scope="module", params=("sqlite", "postgresql"))
def archive(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Database, Archive]]:
    for url in request.getfixturevalue("fresh_url")(request.param, tmp_path_factory.mktemp("queries")):
        database = Database(url)
        with database.writing() as connection:
            filled = fill(connection, seed=6)
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
    for view in VIEWS:
        section = text.split(f"**`{view}`**")[1].split("**`")[0]
        with archive[0].reading() as connection:
            columns = list(connection.exec_driver_sql(f"SELECT * FROM {view} LIMIT 1").keys())
        assert not [column for column in columns if f"`{column}`" not in section]


def test_the_queries_of_an_areas_page_give_its_numbers(archive: tuple[Database, Archive]) -> None:
    database, filled = archive
    key = "quantum-technology"
    line, week, sources, together, movement, bursts, weekdays, newest = statements(area_queries(key, filled.first, filled.last))
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
    assert all(run(database, sql) for sql in (together, movement, bursts, weekdays))
    assert len(run(database, newest)) == 20


@pytest.fixture(scope="module")
def shown(archive: tuple[Database, Archive], tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The pages of the archive, of all its days."""
    database, filled = archive

    def never() -> Any:
        raise AssertionError("pages need no model")

    settings = Settings(home=tmp_path_factory.mktemp("shown"), window_days=(filled.last - filled.first).days)
    taxonomy = load_taxonomy()
    counted = replace(taxonomy, areas=tuple(area for area in taxonomy.areas if area.id in STORIES))
    return look_at_pages(Parts(settings, database, counted, VERSION, never, never, clock=lambda: NOW))


def test_every_number_of_an_areas_page_is_that_of_its_queries(archive: tuple[Database, Archive], shown: Site) -> None:
    database, filled = archive
    for page in shown.areas:
        sql = dict(zip(AREA_QUERIES, statements(area_queries(page.id, filled.first, filled.last)), strict=True))
        rows = {name: run(database, statement) for name, statement in sql.items()}
        assert [(str(r["day"]), r["articles"], r["stories"], r["articles_seen"]) for r in rows["line"]] == [
            (str(c.day), c.articles, c.stories, c.articles_seen) for c in page.line.counts
        ]
        assert (rows["week"][0]["articles"], rows["week"][0]["stories"]) == page.week
        assert {(r["source"], r["articles"], r["stories"]) for r in rows["sources"]} == {
            (p.value, p.articles, p.stories) for p in page.sources
        }
        for column, parts in (("language", page.languages), ("source_kind", page.kinds)):
            other = re.sub(r"\bsource\b", column, sql["sources"])
            assert {(r[column], r["articles"], r["stories"]) for r in run(database, other)} == {
                (p.value, p.articles, p.stories) for p in parts
            }
        assert [(r["named_with"], r["stories"], r["recent"]) for r in rows["together"]] == [
            (c.area, c.stories, c.recent) for c in page.companions
        ]
        (moved,) = rows["movement"]
        m = page.movement
        assert (moved["direction"], moved["reports"]) == (m.direction, m.articles)
        assert [moved[n] for n in ("expected", "ratio", "low", "high")] == pytest.approx([m.expected, m.ratio, m.low, m.high])
        assert [(str(r["day"]), r["reports"]) for r in rows["bursts"]] == [(str(b.day), b.articles) for b in page.line.bursts]
        assert [(r["expected"], r["surprise"]) for r in rows["bursts"]] == [(b.expected, b.surprise) for b in page.line.bursts]
        by_weekday: dict[int, list[int]] = {}
        for r in rows["weekdays"]:
            by_weekday.setdefault(date.fromisoformat(str(r["day"])).weekday(), []).append(r["articles"])
        assert [sum(by_weekday[n]) / len(by_weekday[n]) for n in range(7)] == pytest.approx(page.weekdays)
        week = rows["line"][-7:]
        share = wilson(sum(r["articles"] for r in week), sum(r["articles_seen"] for r in week))
        assert share is not None
        assert (share.share, share.low, share.high) == page.week_share
        (in_all,) = run(database, f"SELECT COUNT(DISTINCT story) AS n FROM mention WHERE area = '{page.id}' AND day >= '{filled.first}'")
        assert in_all["n"] == page.stories_in_all
        quotes = {
            (r["url"], r["quote"]): r["probability"]
            for r in run(database, f"SELECT url, quote, probability FROM mention WHERE area = '{page.id}'")
        }
        assert all(quotes[told.url, told.quote] == told.probability for told in page.stories)


def test_every_number_of_the_overview_and_of_the_coverage_is_that_of_its_queries(archive: tuple[Database, Archive], shown: Site) -> None:
    database, filled = archive
    shares, movement, bursts, reading = (run(database, sql) for sql in statements(site_queries(filled.first, filled.last)))
    assert {r["area"]: (r["articles"], pytest.approx(float(r["share"]))) for r in shares} == {
        a.id: (sum(c.articles for c in a.line.counts[-7:]), a.week_share and a.week_share[0]) for a in shown.areas
    }
    assert {(r["area"], r["direction"], r["reports"]) for r in movement} == {
        (a.id, a.movement.direction, a.movement.articles) for a in shown.areas
    }
    recent = shown.last - timedelta(28)
    assert {(str(r["day"]), r["area"], r["reports"]) for r in bursts} == {
        (str(b.day), a.id, b.articles) for a in shown.areas for b in a.line.bursts if b.day >= recent
    }
    known = {c.day: c for c in shown.coverage}
    assert [(str(r["day"]), r["articles"], bool(r["poor"]), r["sources_due"], r["sources_read"]) for r in reading] == [
        (str(day), number, day in shown.poor, known[day].due, known[day].read) for day, number in sorted(shown.seen.items())
    ]


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
