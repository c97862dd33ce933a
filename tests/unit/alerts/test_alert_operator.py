"""What those who run it are told, and how often; and the heartbeat."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from alert_desk import Desk, stage, wish

from monitor.alerts.operator import Facts, SourceFact, beat, coverage_notes, findings, operator_message, source_notes
from monitor.domain import Coverage, Message, RunSummary
from monitor.errors import DatabaseError, DeliveryError
from monitor.store import outbox, runs

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
QUEUE: dict[str, Any] = {"queued": 0, "oldest_queued_seconds": None, "last_error": None, "held": 0, "refused": 0, "paused": []}
GOOD = Facts((SourceFact("Example Times", "ok", 10, 9),), QUEUE, 50 * 10**9, 100 * 10**9, NOW - timedelta(hours=9), NOW - timedelta(days=9))


def with_source(health: str, entries: int = 10, read: int = 9) -> Facts:
    return replace(GOOD, sources=(SourceFact("Example Times", health, entries, read),))


@pytest.mark.parametrize(
    ("case", "facts", "error", "said"),
    [
        ("all is well", GOOD, None, []),
        ("the run failed", GOOD, "DatabaseError: the disk is full", ["The run failed: DatabaseError: the disk is full"]),
        (
            "no good run",
            replace(GOOD, last_good_run_at=NOW - timedelta(hours=37)),
            None,
            ["No run has ended well since 21 Nov 2026, 23:00 UTC."],
        ),
        ("never a good run", replace(GOOD, last_good_run_at=None), None, ["No run has ended well since 14 Nov 2026, 12:00 UTC."]),
        ("no run yet", replace(GOOD, last_good_run_at=None, first_run_at=None), None, []),
        ("a small share is free", replace(GOOD, disk_free=4 * 10**9), None, ["The disk is filling: 4.0 of 100 GB are free."]),
        ("a source fails", with_source("failing, 3 in a row: 404"), None, ["Example Times: failing, 3 in a row: 404"]),
        ("a source is quiet", with_source("quiet: nothing new for 9 days"), None, ["Example Times: quiet: nothing new for 9 days"]),
        ("a source is empty", with_source("ok", 12, 0), None, ["Example Times: came out empty: none of its 12 entries gave an article"]),
        ("a warning is none", with_source("warning: odd dates"), None, []),
        ("the queue moves", replace(GOOD, queue={**QUEUE, "queued": 9, "oldest_queued_seconds": 600}), None, []),
        (
            "the queue stands",
            replace(GOOD, queue={**QUEUE, "queued": 9, "oldest_queued_seconds": 3 * 3600, "last_error": "no route"}),
            None,
            ["9 messages wait to be sent, the oldest for 3 hours (no route)."],
        ),
        (
            "a reader is refused",
            replace(GOOD, queue={**QUEUE, "paused": [{"recipient": "ana", "why": "refused: 550 no such user"}]}),
            None,
            ["ana is paused: refused: 550 no such user"],
        ),
        ("a reader who left", replace(GOOD, queue={**QUEUE, "paused": [{"recipient": "ana", "why": "paused by hand"}]}), None, []),
    ],
)
def test_findings(case: str, facts: Facts, error: str | None, said: list[str]) -> None:
    assert [f.says for f in findings(facts, error, now=NOW)] == said


def tell(
    facts: Facts, error: str | None = None, *, now: datetime = NOW, before: Message | None = None, hours: float = 24
) -> Message | None:
    found = findings(facts, error, now=now)
    return operator_message(found, "ops@example.org", zone="Asia/Tokyo", now=now, before=before, before_at=now - timedelta(hours=hours))


def test_the_same_trouble_is_told_again_after_a_week_only() -> None:
    first = tell(with_source("failing, 3 in a row: 404"))
    assert first is not None
    assert first.key == "operator-2026-11-23-health"
    assert first.subject == "areawatch: Example Times: failing, 3 in a row: 404"
    worse = with_source("failing, 4 in a row: timeout")
    assert tell(worse, before=first) is None
    assert tell(worse, before=first, hours=24 * 7) is not None
    assert tell(replace(worse, disk_free=1), before=first) is not None
    assert tell(GOOD) is None


def test_a_failed_run_is_told_each_day_and_past_a_health_message() -> None:
    failed = tell(GOOD, "no network\r\nBcc: x")
    assert failed is not None
    assert failed.key == "operator-2026-11-23-failed"
    assert tell(GOOD, "no network", before=failed) is not None
    late = tell(GOOD, "no network", now=NOW + timedelta(hours=4))
    assert late is not None
    assert late.key == "operator-2026-11-24-failed"  # in Tokyo it is tomorrow


def test_readers_are_told_of_what_is_missing() -> None:
    sources = [SourceFact(f"S{n}", "failing, 1 in a row: x" if n < 10 else "ok", 1, 1) for n in range(40)]
    coverage = [Coverage((NOW - timedelta(days=1)).date(), 40, 30), Coverage(NOW.date(), 40, 39)]
    assert source_notes(sources) == ("10 of 40 sources could not be read and are missing here: S0, S1, S2, S3, S4, S5, S6, S7 and 2 more.",)
    assert source_notes(sources[9:]) == ("1 of 31 sources could not be read and is missing here: S9.",)
    assert source_notes(sources[10:]) == ()
    assert coverage_notes(coverage) == ("On 22 Nov 2026 only 30 of 40 sources were read.",)


def good_run(desk: Desk) -> None:
    with desk.database.writing() as connection:
        run = runs.start_run(connection, now=desk.now)
        runs.finish_run(connection, run, RunSummary(), now=desk.now)


def test_the_operator_gets_one_message_a_day(desk: Desk) -> None:
    desk.set(operator="ops@example.org")
    good_run(desk)
    assert not stage.tell_operator(desk.parts)
    desk.add_source("Example Wire", failures=3, last_error="404", last_success_at=desk.now)
    for _ in range(3):
        stage.tell_operator(desk.parts)
        desk.later(hours=1)
    assert desk.told() == ["areawatch: Example Wire: failing, 3 in a row: 404"]
    for _ in range(3):
        stage.tell_operator(desk.parts, "ValueError: a defect")
    assert desk.told()[1:] == ["areawatch: 2 things need a look"]
    assert "The run failed: ValueError: a defect" in desk.sent[-1].text


def test_nobody_is_told_where_nobody_is_named(desk: Desk) -> None:
    assert not stage.tell_operator(desk.parts, "a defect")
    assert desk.sent == []


def test_a_refused_reader_reaches_the_operator(desk: Desk) -> None:
    desk.set(operator="ops@example.org")
    good_run(desk)
    desk.subscribe(wish())
    desk.refusals["ana@example.org"] = [DeliveryError("550 no such user", permanent=True)]
    desk.story("6g")
    desk.alert()
    stage.tell_operator(desk.parts)
    assert desk.told() == ["areawatch: ana is paused: refused: 550 no such user"]


def test_without_a_database_a_failure_is_sent_past_the_outbox(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.set(operator="ops@example.org")

    def broken(*_: object) -> None:
        raise DatabaseError("the disk is full")

    monkeypatch.setattr(outbox, "standing", broken)
    assert stage.tell_operator(desk.parts, "DatabaseError: the disk is full")["sent"] == 1
    assert desk.told() == ["areawatch: The run failed: DatabaseError: the disk is full"]


@contextmanager
def pulse(status: int) -> Iterator[tuple[str, list[str]]]:
    asked: list[str] = []

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/T0KEN", asked
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(("status", "good"), [(200, True), (404, False), (500, False)])
def test_the_heartbeat(status: int, good: bool, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with pulse(status) as (url, asked):
        assert beat(url) == good
    assert asked == ["/T0KEN"]
    assert "T0KEN" not in caplog.text
    said = [record.getMessage() for record in caplog.records if record.name.startswith("monitor")]
    assert said == ([] if good else [f"the heartbeat was answered with status {status}; check `heartbeat_url`"])


@pytest.mark.parametrize("url", ["", "http://127.0.0.1:1/T0KEN", "nope://T0KEN", "T0KEN", "http://\x00T0KEN", "http://T0KEN.invalid/"])
def test_a_heartbeat_that_fails_raises_nothing_and_shows_nothing(url: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    assert not beat(url, seconds=2)
    assert "T0KEN" not in caplog.text
    assert ("heartbeat_url" in caplog.text) == bool(url)
