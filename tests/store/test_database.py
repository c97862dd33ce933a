"""Upgrades, transactions, the run lock, and the one line a person gets when the database cannot be used."""

from __future__ import annotations

import subprocess
import sys
import threading
from datetime import datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import select

from monitor.domain import RunSummary
from monitor.errors import DatabaseError
from monitor.store import near, runs
from monitor.store.database import Database, check_revision, insert_columns, upgrade
from monitor.store.hits import encoder_id
from monitor.store.schema import embeddings, metadata, sources
from monitor.store.views import VIEWS
from tests.builders import NOW, add_paragraphs, add_source


def test_the_migrations_make_the_tables_of_the_schema(database: Database) -> None:
    with database.reading() as connection:
        # The index of words is another thing on each database, and vectors once more are on one alone; both have tests of their own.
        other = ("words", near.TABLE)
        ours = {"compare_type": False, "include_name": lambda name, kind, _: kind != "table" or not str(name).startswith(other)}
        context = MigrationContext.configure(connection, opts=ours)
        assert compare_metadata(context, metadata) == []
        for view in VIEWS:
            connection.exec_driver_sql(f"SELECT * FROM {view}").fetchall()


def test_an_empty_database_says_what_to_do(empty_database_url: str) -> None:
    with pytest.raises(DatabaseError, match="run `monitor db upgrade`"):
        check_revision(Database(empty_database_url))


def test_upgrading_twice_changes_nothing(empty_database_url: str) -> None:
    before, after = upgrade(empty_database_url)
    assert before is None
    assert upgrade(empty_database_url) == (after, after)


def test_several_upgrades_at_once_all_succeed(empty_database_url: str) -> None:
    code = f"from monitor.store.database import upgrade; print(upgrade({empty_database_url!r})[1])"
    running = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert len({p.communicate()[0].strip() for p in running} - {""}) == 1
    assert [p.returncode for p in running] == [0, 0, 0]


def test_a_newer_schema_is_refused_and_left_alone(database: Database) -> None:
    with database.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    for use in (lambda: check_revision(database), lambda: upgrade(database.engine.url.render_as_string(hide_password=False))):
        with pytest.raises(DatabaseError, match="newer than this version"):
            use()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("postgresql://nobody@127.0.0.1:1/none", "cannot be used"),
        ("sqlite:////proc/none/monitor.db", "cannot be made"),
        ("nonsense", "database_url"),
        ("oracle+none://x", "database_url"),
    ],
)
def test_what_cannot_be_used_is_one_line_with_the_cure(url: str, says: str) -> None:
    with pytest.raises(DatabaseError, match=says) as caught, Database(url).reading():
        pass
    assert "\n" not in str(caught.value)


def test_a_password_is_never_shown() -> None:
    with pytest.raises(DatabaseError) as caught, Database("postgresql://me:secret@127.0.0.1:1/none").reading():
        pass
    assert "secret" not in str(caught.value)


def test_a_full_disk_is_one_line_and_what_was_stored_stays(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'monitor.db'}"
    upgrade(url)
    database = Database(url)
    with database.writing() as connection:
        add_source(connection, "Kept")
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()

    def fill() -> None:
        with database.writing() as connection:
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
            for number in range(2_000):
                add_source(connection, f"Source {number} with a long name to fill a page {'x' * 200}")

    with pytest.raises(DatabaseError, match="disk is full"):
        fill()
    with database.reading() as connection:
        assert connection.execute(select(sources.c.title)).scalars().all() == ["Kept"]


def test_writers_that_read_first_lose_nothing(database: Database) -> None:
    with database.writing() as connection:
        add_source(connection, "Counter")

    def add_one() -> None:
        for _ in range(20):
            with database.writing() as connection:
                row = connection.execute(select(sources.c.id, sources.c.failures).with_for_update()).one()
                connection.execute(sources.update().where(sources.c.id == row.id).values(failures=row.failures + 1))

    threads = [threading.Thread(target=add_one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.reading() as connection:
        assert connection.execute(select(sources.c.failures)).scalar_one() == 80


def test_columns_are_written_as_rows_would_be_and_what_is_there_is_left(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.store.database.CHUNK", 3)
    with database.writing() as connection:
        ids = add_paragraphs(connection, [f"text {n}" for n in range(8)])
        encoder = encoder_id(connection, "e")
        keys = ["paragraph_id", "encoder_id"]

        def write(which: list[int], vectors: list[bytes]) -> None:
            insert_columns(
                connection, embeddings, {"paragraph_id": which, "encoder_id": [encoder] * len(which), "vector": vectors}, keys=keys
            )

        write(ids[:2], [b"\x00\xff\\", b""])
        write([*ids, ids[7]], [bytes([n]) for n in range(9)])
        write([], [])
        found = connection.execute(select(embeddings.c.paragraph_id, embeddings.c.vector).order_by(embeddings.c.paragraph_id)).all()
    assert [(key, bytes(vector)) for key, vector in found] == list(
        zip(ids, [b"\x00\xff\\", b"", *(bytes([n]) for n in range(2, 8))], strict=True)
    )


def test_one_run_at_a_time(database: Database) -> None:
    with runs.run_lock(database) as first:
        assert first
        with runs.run_lock(Database(database.engine.url.render_as_string(hide_password=False))) as second:
            assert not second
    with runs.run_lock(database) as again:
        assert again


def test_a_run_that_never_ended_is_closed_as_failed(database: Database) -> None:
    with database.writing() as connection:
        runs.start_run(connection, now=NOW)
        second = runs.start_run(connection, now=NOW)
        runs.finish_run(connection, second, RunSummary(hits={"new": 3}), now=NOW)
        [last, lost] = runs.latest_runs(connection)
    assert (lost.state, lost.error) == ("failed", "it was stopped before it ended")
    assert last.state == "done"
    assert last.summary is not None
    assert last.summary["hits"] == {"new": 3}


def test_a_time_without_a_zone_is_refused_and_others_come_back_in_utc(database: Database) -> None:
    with pytest.raises(Exception, match="no time zone"), database.writing() as connection:
        runs.start_run(connection, now=datetime(2026, 1, 1))
    with database.writing() as connection:
        runs.start_run(connection, now=NOW)
        assert runs.latest_runs(connection)[0].started_at == NOW
