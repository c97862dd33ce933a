"""`monitor status` over a stored past: what it shows, and what `--strict` calls wrong."""

from __future__ import annotations

import json
from collections import namedtuple
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection
from typer.testing import CliRunner

from monitor.cli import app
from monitor.cli.status import wrong
from monitor.domain import Message, RunSummary
from monitor.errors import DatabaseError, MonitorError
from monitor.store import counts, outbox, runs
from monitor.store.database import Database, upgrade
from monitor.store.runs import Run
from monitor.store.schema import entries
from tests.builders import add_source, ask, live_matcher, write

Disk = namedtuple("Disk", ("total", "used", "free"))
NOW = datetime.now(UTC)
HOUR = timedelta(hours=1)
GB = 10**9
CALM = {"queued": 0, "oldest_queued_seconds": None, "last_error": None}


def done(hours: float) -> Run:
    return Run(1, NOW - (hours + 1) * HOUR, NOW - hours * HOUR, "done", {}, None)


def failed(hours: float) -> Run:
    return Run(2, NOW - (hours + 1) * HOUR, NOW - hours * HOUR, "failed", None, "the disk is full")


def running(hours: float) -> Run:
    return Run(3, NOW - hours * HOUR, None, "running", None, None)


@pytest.mark.parametrize(
    ("when", "latest", "queue", "filling", "says"),
    [
        ("all is well", [done(3)], CALM, None, None),
        ("nothing was ever run", [], CALM, None, "there was no run yet"),
        ("the last run failed", [failed(1), done(25)], CALM, None, "the last run failed: the disk is full"),
        ("one failed, the next was good", [done(1), failed(2)], CALM, None, None),
        ("the last good run is old", [done(27)], CALM, None, "no run has ended well since"),
        ("just not old", [done(25.9)], CALM, None, None),
        ("a run is under way after a failed one", [running(1), failed(2), done(25)], CALM, None, None),
        ("a run is under way, for too long", [running(30), done(60)], CALM, None, "no run has ended well since"),
        ("the first run is under way", [running(1)], CALM, None, None),
        ("the first run hangs", [running(30)], CALM, None, "no run has ended well since"),
        ("messages wait a little", [done(1)], {**CALM, "queued": 1, "oldest_queued_seconds": 600}, None, None),
        ("messages stand", [done(1)], {"queued": 2, "oldest_queued_seconds": 9000, "last_error": "refused"}, None, "the queue stands: 2 messages wait, the oldest for 2 hours: refused"),
        ("the disk is filling", [done(1)], CALM, "disk is filling: 0.5 of 100 GB are free", "the disk is filling: 0.5 of 100 GB are free"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_what_a_supervisor_is_told(when: str, latest: list[Run], queue: dict[str, object], filling: str | None, says: str | None) -> None:
    said = wrong(latest, queue, filling, now=NOW)
    assert len(said) == (says is not None), when
    assert said == [] or said[0].startswith(says or "")


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Database:
    """Of the configuration that commands of this test read, on a disk with room."""
    monkeypatch.setattr("shutil.disk_usage", lambda _: Disk(100 * GB, 50 * GB, 50 * GB))
    monkeypatch.setenv("MONITOR_HOME", str(tmp_path))
    monkeypatch.setenv("MONITOR_DATABASE_URL", f"sqlite:///{tmp_path / 'monitor.db'}")
    upgrade(f"sqlite:///{tmp_path / 'monitor.db'}")
    return Database(f"sqlite:///{tmp_path / 'monitor.db'}")


def fill(connection: Connection) -> None:
    well = {"last_success_at": NOW, "last_entry_at": NOW, "entries_a_day": 3.0}
    ill = {"failures": 2, "last_success_at": NOW}
    good = add_source(connection, "Good", **well)
    bad = add_source(connection, "Bad", **ill, last_error="timeout: too slow")
    add_source(connection, "Barred", **ill, last_error="robots: robots.txt of barred.example forbids it")
    rotten = add_source(connection, "Rotten", **well)
    add_source(connection, "Silent", **{**well, "last_entry_at": NOW - timedelta(days=30)})
    add_source(connection, "Mover", **well, moved_to="https://new.example/feed", moved_times=2)
    add_source(connection, "Odd\x1b[2J", **well, warning="is ill-formed XML")
    add_source(connection, "Gone by wish", active=False)
    ask(connection, NOW.date(), read=[good], failed=[bad])
    counts.replace_coverage(connection, NOW.date() - timedelta(days=7), NOW.date())
    live_matcher(connection)
    row = {"source_id": good, "version": "1", "first_seen_at": NOW}
    retried = {"state": "new", "attempts": 2, "reason": "error"}
    write(connection, entries, [{**row, "key": "a", "state": "new"}, {**row, "key": "c", "state": "read"}])
    write(connection, entries, [{**row, "key": "b", **retried}])
    write(connection, entries, [{**row, "key": key, "state": "empty", "reason": "paywall"} for key in "de"])
    days = [
        {**row, "source_id": rotten, "key": str(n), "published_at": NOW - timedelta(days=n), "state": "empty", "reason": "too-short"}
        for n in range(1, 7)
    ]
    write(connection, entries, [*days[:5], {**days[5], "state": "read", "reason": None}])
    write(connection, entries, [{**row, "key": "f", "state": "failed", "reason": "error"}])
    run = runs.start_run(connection, now=NOW - HOUR)
    runs.finish_run(connection, run, RunSummary(entries={"read": 1}, hits={"new": 0}, messages={"sent": 0}), now=NOW - HOUR / 2)


def test_everything_is_shown_to_scripts(database: Database) -> None:
    with database.writing() as connection:
        fill(connection)
    shown = CliRunner().invoke(app, ["status", "--json", "--strict"], catch_exceptions=False)
    found = json.loads(shown.stdout)
    assert (shown.exit_code, found["wrong"]) == (0, [])
    groups = {name: [s["title"] for s in found["sources"][name]] for name in ("blocked", "failing", "empty", "quiet", "moved", "warned")}
    assert groups == {
        "blocked": ["Barred"],
        "failing": ["Bad"],
        "empty": ["Rotten"],
        "quiet": ["Silent"],
        "moved": ["Mover"],
        "warned": ["Odd\x1b[2J"],
    }
    assert (found["sources"]["active"], found["sources"]["ok"]) == (7, 1)
    assert found["coverage"]["today"] == {"due": 2, "read": 1, "share": 0.5}
    e = found["entries"]
    assert (e["waiting"], e["retried"], e["read"], e["empty"], e["failed"]) == (2, 1, 2, {"too-short": 5, "paywall": 2}, {"error": 1})
    assert found["runs"][0]["state"] == "done"
    assert found["runs"][0]["seconds"] == 1800
    assert found["matcher"]["encoder"] == "encoder-1"
    assert found["schema"]
    assert found["disk"]["free"] > 0


def test_people_see_it_without_the_control_characters_of_feeds(database: Database) -> None:
    with database.writing() as connection:
        fill(connection)
    shown = CliRunner().invoke(app, ["status"], catch_exceptions=False).stdout
    assert "\x1b" not in shown
    for part in ("robots.txt of barred.example", "moves to https://new.example/feed", "2 paywall", "50% (1 of 2)", "quiet"):
        assert part in shown


def test_strict_fails_where_something_is_wrong_and_without_it_does_not(database: Database) -> None:
    with database.writing() as connection:
        fill(connection)
        message = Message("k", "r", "email", "a@example.org", "s", "t", "")
        outbox.queue(connection, message, now=NOW - 3 * HOUR)
    assert CliRunner().invoke(app, ["status"]).exit_code == 0
    strict = CliRunner().invoke(app, ["status", "--strict"])
    assert strict.exit_code == 1
    assert isinstance(strict.exception, MonitorError)
    assert "the queue stands: 1 message waits" in str(strict.exception)


def test_strict_fails_in_one_line_when_the_disk_is_filling(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    with database.writing() as connection:
        fill(connection)
    monkeypatch.setattr("shutil.disk_usage", lambda _: Disk(100 * GB, 96 * GB, 4 * GB))
    assert CliRunner().invoke(app, ["status"]).exit_code == 0
    strict = CliRunner().invoke(app, ["status", "--strict"])
    assert (strict.exit_code, str(strict.exception)) == (1, "the disk is filling: 4.0 of 100 GB are free")


def test_an_empty_database_is_no_error_but_strictly_one(database: Database) -> None:
    assert CliRunner().invoke(app, ["status"], catch_exceptions=False).exit_code == 0
    assert CliRunner().invoke(app, ["status", "--strict"]).exit_code == 1


def test_a_database_without_tables_is_said_to_be_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONITOR_DATABASE_URL", f"sqlite:///{tmp_path / 'none.db'}")
    result = CliRunner().invoke(app, ["status"])
    assert isinstance(result.exception, DatabaseError)
    assert "monitor db upgrade" in str(result.exception)
