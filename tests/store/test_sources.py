"""Sources: what their health says, and a change of address."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from monitor.store import sources
from monitor.store.database import Database
from monitor.store.schema import entries
from monitor.store.schema import sources as table
from tests.builders import add_source, write

NOW = datetime(2026, 11, 23, 2, 30, tzinfo=UTC)
WELL = {"last_success_at": NOW, "last_entry_at": NOW, "entries_a_day": 3.0}
STATES = {"r": "read", "e": "empty", "f": "failed", "n": "new"}


@pytest.mark.parametrize(
    ("case", "newest_first", "says"),
    [
        ("all are read", "rrrrrr", "ok"),
        ("five in a row are empty, earlier ones were read", "eeeeer", "came out empty: the newest 5 entries"),
        ("pages that could not be had count too", "efefeerr", "came out empty: the newest 6 entries"),
        ("four in a row", "eeeerr", "ok"),
        ("five, but not in a row", "eereeerr", "ok"),
        ("those that wait are not judged", "neneneneer", "came out empty: the newest 5 entries"),
        ("none was ever read: that is no change", "eeeeeee", "ok"),
    ],
)
def test_a_source_whose_pages_suddenly_come_out_empty_is_seen(database: Database, case: str, newest_first: str, says: str) -> None:
    with database.writing() as connection:
        source = add_source(connection, "News", **WELL)
        row = {"source_id": source, "version": "1", "first_seen_at": NOW}
        for day, state in enumerate(newest_first):
            write(connection, entries, [{**row, "key": str(day), "state": STATES[state], "published_at": NOW - timedelta(days=day + 1)}])
        [found] = sources.source_health(connection)
    assert sources.health(found, now=NOW).startswith(says), case


def test_entries_seen_at_once_and_without_dates_are_not_taken_for_a_row(database: Database) -> None:
    with database.writing() as connection:
        row = {"source_id": add_source(connection, "News", **WELL), "version": "1", "first_seen_at": NOW}
        write(connection, entries, [{**row, "key": "r", "state": "read", "published_at": None}])
        write(connection, entries, [{**row, "key": str(n), "state": "empty", "published_at": NOW + timedelta(days=n)} for n in range(9)])
        [found] = sources.source_health(connection)
    assert sources.health(found, now=NOW) == "ok"


def test_one_that_moved_to_where_another_is_makes_room_for_it(database: Database) -> None:
    with database.writing() as connection:
        old = add_source(connection, "Old", url="https://old.example/feed", **WELL)
        add_source(connection, "New", url="https://new.example/feed", **WELL)
        assert not sources.change_address(connection, old, "https://new.example/feed")
        rows = {r.title: r for r in connection.execute(select(table))}
    assert (rows["Old"].active, rows["New"].active) == (False, True)
    assert "new.example" in rows["Old"].warning
