"""`monitor export`: what is written can be read again, whatever was stored."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import typer
from pyarrow import parquet
from typer.testing import CliRunner, Result

from monitor.cli import export
from monitor.errors import InputError, TaxonomyError
from monitor.store.counts import replace_counts, replace_coverage
from monitor.store.database import Database, upgrade
from monitor.store.export import VIEWS
from monitor.store.schema import taxonomies
from tests.archive import add_entries, fill
from tests.builders import NOW, add_article, add_hit, add_source, ask, live_matcher

FORMULA = '=HYPERLINK("https://evil.example","click")'
LAST = NOW.date()
Run = Callable[..., Result]


@pytest.fixture
def database(tmp_path: Path) -> Database:
    upgrade(f"sqlite:///{tmp_path / 'monitor.db'}")
    return Database(f"sqlite:///{tmp_path / 'monitor.db'}")


@pytest.fixture
def run(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MONITOR_DATABASE_URL", "sqlite:///monitor.db")
    app = typer.Typer()
    app.callback()(lambda: None)
    export.register(app)
    return lambda *words: CliRunner().invoke(app, ["export", *map(str, words)], catch_exceptions=False)


@pytest.fixture
def stored(database: Database) -> Database:
    with database.writing() as connection:
        source = add_source(connection, FORMULA)
        article = add_article(
            connection, source, day=LAST, title="Zeile eins\nZeile zwei", texts=['量子 "computer", say\r\nthey'], language="de"
        )
        add_hit(connection, live_matcher(connection), article.paragraphs[0], "quantum-technology", words=["量子"], probability=0.75)
        ask(connection, LAST, read=[source])
        replace_counts(connection, live_matcher(connection), ["quantum-technology"], LAST - timedelta(1), LAST)
        replace_coverage(connection, LAST, LAST)
    return database


def test_mentions_as_csv_are_read_again_and_run_in_no_spreadsheet(run: Run, stored: Database, tmp_path: Path) -> None:
    run("mention", "--csv", tmp_path / "m.csv")
    (row,) = csv.DictReader(io.StringIO((tmp_path / "m.csv").read_bytes().decode(), newline=""))
    assert row["source"] == "'" + FORMULA
    assert row["quote"] == '量子 "computer", say\r\nthey'
    assert json.loads(row["mentions"]) == [["量子", 0, 2, False]]
    assert (row["day"], row["probability"], row["first_seen_at"]) == (str(LAST), "0.75", f"{LAST}T12:00:00+00:00")


def test_mentions_as_json_keep_what_was_stored(run: Run, stored: Database) -> None:
    (row,) = json.loads(run("mention", "--json", "-").stdout)
    assert (row["source"], row["title"], row["mentions"]) == (FORMULA, "Zeile eins\nZeile zwei", [["量子", 0, 2, False]])
    assert list(row) == list(VIEWS["mention"].c.keys())


def test_parquet_has_types(run: Run, stored: Database, tmp_path: Path) -> None:
    said = run("mention", "--parquet", tmp_path / "m.parquet")
    assert "1 row of mention is in" in said.output
    (row,) = parquet.read_table(tmp_path / "m.parquet").to_pylist()
    assert (row["day"], row["probability"]) == (LAST, 0.75)
    assert row["first_seen_at"].isoformat() == f"{LAST}T12:00:00+00:00"
    (first, last) = parquet.read_table(_written(run, tmp_path, "trend"), filters=[("dimension", "=", "all")]).to_pylist()
    assert (first["share"], last["share"], last["coverage"]) == (None, 1.0, 1.0)


def _written(run: Run, folder: Path, view: str) -> Path:
    run(view, "--parquet", folder / f"{view}.parquet")
    return folder / f"{view}.parquet"


def test_a_view_can_be_narrowed(run: Run, database: Database) -> None:
    with database.writing() as connection:
        fill(connection, days=20)
    rows = json.loads(run("trend", "--json", "-", "--area", "6g", "--since", LAST - timedelta(5), "--until", LAST - timedelta(3)).stdout)
    assert {(r["area"], r["day"]) for r in rows} == {("6g", str(LAST - timedelta(n))) for n in (3, 4, 5)}
    assert len(json.loads(run("coverage", "--json", "-", "--since", LAST).stdout)) == 1


def test_sources_have_no_days_and_are_all_written(run: Run, database: Database, tmp_path: Path) -> None:
    with database.writing() as connection:
        archive = fill(connection, days=5)
        add_entries(connection, archive)
    rows = json.loads(run("source", "--json", "-", "--since", LAST, "--area", "6g").stdout)
    assert [row["source"] for row in rows] == sorted(row["source"] for row in rows)
    assert len(rows) == len(archive.sources)
    found = {row["source"]: row for row in parquet.read_table(_written(run, tmp_path, "source")).to_pylist()}
    assert (found["Wafer & Wire"]["active"], found["Wafer & Wire"]["entries"], found["Wafer & Wire"]["failed"]) == (True, 12, 2)
    assert found["Wafer & Wire"]["health"].startswith("came out empty: the newest 8 entries")


def test_an_empty_view_is_a_whole_file(run: Run, tmp_path: Path) -> None:
    assert json.loads(run("trend", "--json", "-").stdout) == []
    assert run("coverage", "--csv", "-").stdout == "day,sources_due,sources_read,coverage\n"
    run("mention", "--parquet", tmp_path / "empty.parquet")
    assert parquet.read_table(tmp_path / "empty.parquet").num_rows == 0


@pytest.mark.parametrize(
    ("when", "words", "says"),
    [
        ("an unknown view", ("secrets", "--csv", "-"), "there is no view 'secrets'; choose trend, mention, coverage, reading, burst"),
        ("no file", ("trend",), "name one file"),
        ("two files", ("trend", "--csv", "-", "--json", "-"), "name one file"),
        (
            "reversed days",
            ("trend", "--csv", "-", "--since", "2026-11-02", "--until", "2026-11-01"),
            "--since 2026-11-02 lies after --until 2026-11-01",
        ),
        ("days to come", ("trend", "--csv", "-", "--since", "2999-01-01"), "lies after today"),
        ("no day", ("trend", "--csv", "-", "--since", "soon"), "'soon' is no day"),
        ("a folder that is not there", ("trend", "--csv", "/nowhere/at/all.csv"), "/nowhere/at/all.csv: cannot be written: No such file"),
    ],
)
def test_what_cannot_be_done_is_said(run: Run, when: str, words: tuple[str, ...], says: str) -> None:
    with pytest.raises(InputError, match=says.replace("(", r"\(")):
        run(*words)


def test_an_area_that_never_was_and_one_that_is_no_more(run: Run, database: Database) -> None:
    with pytest.raises(TaxonomyError, match="there is no area 'telepathy'"):
        run("trend", "--csv", "-", "--area", "telepathy")
    with database.writing() as connection:
        row = {"fingerprint": "old", "body": {"areas": [{"id": "telepathy"}]}, "first_used_at": NOW}
        connection.execute(taxonomies.insert(), row)
    with pytest.raises(TaxonomyError, match="is not in the taxonomy any more; the last version with it was taken into use on 2026-11-23"):
        run("trend", "--csv", "-", "--area", "telepathy")


def test_a_file_is_whole_or_as_it_was(run: Run, stored: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "m.csv"
    file.write_text("old")

    def broken(*_: object, **__: object) -> None:
        yield dict.fromkeys(VIEWS["mention"].c.keys())
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(export, "view_rows", broken)
    with pytest.raises(InputError, match="No space left on device"):
        run("mention", "--json", file)
    assert file.read_text() == "old"
    assert not list(tmp_path.glob(".m.csv*"))
