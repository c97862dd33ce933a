"""Old texts and vectors go; hits, what they quote, counts and entries stay."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import func, select, text

from monitor.domain import Entry
from monitor.pipeline.parts import Parts
from monitor.pipeline.prune import prune
from monitor.settings import Settings
from monitor.store import articles as stored_articles
from monitor.store import counts, hits, retention
from monitor.store.database import Database
from monitor.store.schema import articles, daily_counts, embeddings, entries, paragraphs
from monitor.store.schema import hits as hit_table
from tests import builders
from tests.fakes import taxonomy

TODAY = builders.NOW.date()


def parts(database: Database, folder: Path, **retention: int) -> Parts:
    settings = Settings.model_validate({"home": folder, "window_days": 30, "retention": retention})
    never: Any = lambda: pytest.fail("no model is needed")  # noqa: E731
    return Parts(settings, database, taxonomy(), builders.VERSION, never, never, clock=lambda: builders.NOW)


@pytest.fixture
def archive(database: Database) -> Database:
    """Articles of 5, 50 and 500 days ago: one text each of its own, one with a hit, one that all three share."""
    with database.writing() as connection:
        source = builders.add_source(connection, "Example Times")
        matcher = builders.live_matcher(connection)
        encoder = hits.encoder_id(connection, "e:int8")
        for days in (5, 50, 500):
            texts = [f"Plain of {days}.", f"A 6G trial of {days}.", "Shared by all."]
            added = builders.add_article(connection, source, day=TODAY - timedelta(days=days), texts=texts)
            builders.add_hit(connection, matcher, added.paragraphs[1], "6g", words=["6G"])
            hits.write_vectors(connection, encoder, added.paragraphs, np.ones((3, 4), np.float32))
        entry = Entry("s", "k", "https://a.example/1", "t", None, "A summary.", "A content.")
        stored_articles.write_entries(connection, source, [entry], now=builders.NOW - timedelta(days=500))
        connection.execute(entries.update().values(state="read"))
        counts.replace_counts(connection, matcher, ["6g"], TODAY - timedelta(days=600), TODAY)
    return database


def number(database: Database, table: Any) -> int:
    with database.reading() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


def texts(database: Database) -> set[str]:
    with database.reading() as connection:
        return set(connection.scalars(select(paragraphs.c.text)))


HITS = {"A 6G trial of 5.", "A 6G trial of 50.", "A 6G trial of 500."}


@pytest.mark.parametrize(
    ("when", "kept", "texts_left", "vectors_left"),
    [
        ("nothing is set", {}, HITS | {"Plain of 5.", "Plain of 50.", "Plain of 500.", "Shared by all."}, 7),
        ("texts of a year", {"texts_days": 365}, HITS | {"Plain of 5.", "Plain of 50.", "Shared by all."}, 6),
        ("texts of ten days, the window is thirty", {"texts_days": 10}, HITS | {"Plain of 5.", "Shared by all."}, 5),
        ("texts of three days, the window is thirty", {"texts_days": 3}, HITS | {"Plain of 5.", "Shared by all."}, 5),
        ("vectors of a year", {"vectors_days": 365}, HITS | {"Plain of 5.", "Plain of 50.", "Plain of 500.", "Shared by all."}, 5),
        ("vectors of ten days, texts of a year", {"vectors_days": 10, "texts_days": 365}, HITS | {"Plain of 5.", "Plain of 50.", "Shared by all."}, 3),
    ],
)  # fmt: skip
def test_what_is_left(archive: Database, tmp_path: Path, when: str, kept: dict[str, int], texts_left: set[str], vectors_left: int) -> None:
    rows = {table.name: number(archive, table) for table in (hit_table, articles, daily_counts, entries)}
    made = parts(archive, tmp_path, **kept)
    expected = prune(made, dry_run=True)
    assert number(archive, paragraphs) == 7, "a dry run drops nothing"
    assert prune(made) == expected
    assert texts(archive) == texts_left
    assert number(archive, embeddings) == vectors_left
    assert {table.name: number(archive, table) for table in (hit_table, articles, daily_counts, entries)} == rows
    assert prune(made) == {"texts": 0, "vectors": 0}


def test_the_mentions_are_as_before(archive: Database, tmp_path: Path) -> None:
    def mentions() -> list[Any]:
        with archive.reading() as connection:
            return connection.execute(text("SELECT day, quote FROM mention ORDER BY day")).all()  # type: ignore[return-value]

    before = mentions()
    prune(parts(archive, tmp_path, texts_days=30, vectors_days=1))
    assert mentions() == before
    assert len(before) == 3


def test_an_entry_stays_as_a_tombstone(archive: Database, tmp_path: Path) -> None:
    prune(parts(archive, tmp_path, texts_days=365))
    with archive.writing() as connection:
        row = connection.execute(select(entries.c.summary, entries.c.content, entries.c.key)).one()
        assert tuple(row) == ("", None, "k")
        again = Entry("s", "k", "https://a.example/1", "t", None, "A summary.", "A content.")
        assert stored_articles.write_entries(connection, 1, [again], now=builders.NOW) == 0
        assert connection.scalar(select(entries.c.state)) == "read"


def test_sizes_name_every_table_largest_first(archive: Database) -> None:
    with archive.reading() as connection:
        found, _ = retention.sizes(connection)
        estimated = {t.name: retention._estimated(connection, t) for t in (paragraphs, embeddings)}
    by_name = {t.table: t for t in found}
    assert by_name.keys() - {"nearby"} == {*retention.metadata.tables, "words"}  # that is tested in test_near.py
    assert (by_name["paragraphs"].rows, by_name["articles"].rows, by_name["embeddings"].rows) == (7, 3, 7)
    assert [t.size for t in found] == sorted((t.size for t in found), reverse=True)
    assert by_name["paragraphs"].size > 0
    if archive.dialect == "sqlite":
        assert 7 * (8 + 8) <= estimated["embeddings"] <= 7 * (8 + 8 + 4), "four halves, two numbers and the row itself"
