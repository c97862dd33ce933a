"""Bursts and first mentions in the digests, from what the other stages stored, on both databases: each told once, to those who want it."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from alert_desk import Desk, stage, wish
from sqlalchemy import func, select, update

from monitor.store.counts import replace_counts
from monitor.store.database import Database
from monitor.store.schema import announced, daily_coverage
from monitor.taxonomy import Taxonomy
from tests.archive import NEW_ACTOR, STORIES, Archive, fill
from tests.store.conftest import *  # noqa: F403  # a database on SQLite and on PostgreSQL

QUANTUM = "quantum-technology"
BURST = re.compile(r"([\w\s-]+): \d+ stories on (\d+ \w+ \d+), where [\d.]+ were\s+expected")
FIRST = re.compile(r"“([^”]+)” is\s+new\s+beside\s+([\w\s]+): in \d+\s+stories")


@pytest.fixture
def archive(database: Database) -> Archive:
    """Ten weeks; quantum technology bursts in the last three days, with a firm that nobody wrote of before."""
    with database.writing() as connection:
        return fill(connection, seed=6)


@pytest.fixture
def newsdesk(tmp_path: Path, taxonomy: Taxonomy, database: Database, archive: Archive, monkeypatch: pytest.MonkeyPatch) -> Desk:
    found = Desk(tmp_path, taxonomy, database)
    monkeypatch.setattr(stage, "open_channels", found.channels)
    return found


def bursts(text: str) -> set[tuple[str, str]]:
    return {(" ".join(area.split()), day) for area, day in BURST.findall(text)}


def firsts(text: str) -> set[tuple[str, str]]:
    return {(" ".join(term.split()), " ".join(area.split())) for term, area in FIRST.findall(text)}


def another_day(desk: Desk, archive: Archive, *, stories: int = 1) -> None:
    """Stories of quantum technology come, and the counts are brought up to date."""
    desk.later(days=1)
    for number in range(stories):
        source = archive.sources[number % len(archive.sources)]
        desk.story(QUANTUM, title=f"Story {number} of the day", source=source)
        # As much ordinary news: a day with less than half of its usual news counts as poorly covered.
        desk.story(title=f"Bridge vote {number}", source=source)
    with desk.database.writing() as connection:
        replace_counts(connection, desk.matcher, list(STORIES), archive.first, desk.now.date())


def test_each_is_told_once_to_those_who_asked_for_its_area(newsdesk: Desk, archive: Archive) -> None:
    areas = {"quantum": [QUANTUM], "space": ["aerospace", "advanced-chips"]}
    newsdesk.subscribe(*(wish(name, areas=mine, reach_back_days=14) for name, mine in areas.items()))
    assert newsdesk.alert()["sent"] == 2
    to_quantum, to_space = sorted(newsdesk.sent, key=lambda m: m.recipient)
    days = {f"{day.day} {day:%b %Y}" for day in archive.burst_days[QUANTUM]}
    told = bursts(to_quantum.text)
    assert told
    assert told <= {("Quantum technology", day) for day in days}
    assert (NEW_ACTOR, "Quantum technology") in firsts(to_quantum.text)
    assert {area for _, area in firsts(to_quantum.text)} == {"Quantum technology"}
    for part in (to_quantum.text, to_quantum.html):
        assert 0 < part.index("were expected") < part.index("is new beside") < part.index("Why: ")
    assert not {"Quantum technology"} & {area for area, _ in (*bursts(to_space.text), *((a, t) for t, a in firsts(to_space.text)))}
    seen, named = told, firsts(to_quantum.text)
    for stories in (1, 40, 1, 1):
        another_day(newsdesk, archive, stories=stories)
        newsdesk.sent.clear()
        assert newsdesk.alert()["sent"] == 1
        [message] = newsdesk.sent
        assert bursts(message.text) == ({("Quantum technology", f"{newsdesk.now.day} {newsdesk.now:%b %Y}")} if stories > 1 else set())
        assert not bursts(message.text) & seen
        assert not firsts(message.text) & named
        seen, named = seen | bursts(message.text), named | firsts(message.text)


def test_what_was_rising_is_told_after_a_crash_and_not_twice(newsdesk: Desk, archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    from monitor.store import outbox

    newsdesk.subscribe(wish(areas=[QUANTUM], reach_back_days=14))
    tell = outbox.tell

    def broken(*arguments: object, **keys: object) -> bool:
        assert tell(*arguments, **keys)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    monkeypatch.setattr(outbox, "tell", broken)
    with pytest.raises(KeyboardInterrupt):
        newsdesk.alert()
    with newsdesk.database.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(announced)) == 0
    monkeypatch.setattr(outbox, "tell", tell)
    newsdesk.alert()
    [message] = newsdesk.sent
    assert bursts(message.text)
    with newsdesk.database.reading() as connection:
        stored = connection.execute(select(announced.c.recipient, announced.c.area, announced.c.what, announced.c.message)).all()
    assert len(stored) == len(bursts(message.text)) + len(firsts(message.text))
    assert {(row.recipient, row.area) for row in stored} == {("ana", QUANTUM)}
    assert all(message.key.startswith(row.message) for row in stored)


def test_a_weekly_reader_is_told_of_the_week_once(newsdesk: Desk, archive: Archive) -> None:
    newsdesk.subscribe(wish(areas=[QUANTUM], when="weekly on monday at 07:00", reach_back_days=14))
    assert newsdesk.alert() == {}
    newsdesk.later(hours=5)
    assert newsdesk.alert()["sent"] == 1
    assert bursts(newsdesk.sent[0].text)
    for stories in (1, 40, 1, 1, 1, 1, 1):
        another_day(newsdesk, archive, stories=stories)
    assert newsdesk.alert()["sent"] == 1
    assert bursts(newsdesk.sent[1].text) == {("Quantum technology", "25 Nov 2026")}


def test_days_that_were_poorly_covered_bring_none_and_are_named(newsdesk: Desk, archive: Archive) -> None:
    with newsdesk.database.writing() as connection:
        late = daily_coverage.c.day > archive.last - timedelta(days=7)
        connection.execute(update(daily_coverage).where(late).values(read=3))
    newsdesk.subscribe(wish(areas=[QUANTUM], reach_back_days=2), wish("late", areas=[QUANTUM], reach_back_days=5))
    newsdesk.alert()
    for message, days in zip(newsdesk.sent, (3, 6), strict=True):
        assert "RISING" not in message.text
        assert not bursts(message.text) | firsts(message.text)
        assert message.text.count("only 3 of 11 sources were read") == days


def test_it_is_worked_out_once_a_run_and_not_at_all_on_a_quiet_one(
    newsdesk: Desk, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    said = stage.said_besides
    monkeypatch.setattr(stage, "said_besides", lambda parts, found: asked.append(1) or said(parts, found))
    newsdesk.subscribe(*(wish(f"r{n}", areas=[QUANTUM], reach_back_days=14) for n in range(5)))
    assert newsdesk.alert()["queued"] == 5
    assert newsdesk.alert() == {"due": 5}
    assert asked == [1]


def test_a_young_history_knows_no_first_mention(desk: Desk) -> None:
    desk.subscribe(wish(areas=["6g"]))
    for number in range(3):
        desk.story("6g", text=f"The tower of Halden Labs carries 6G, number {number}.")
    with desk.database.writing() as connection:
        replace_counts(connection, desk.matcher, ["6g"], desk.now.date() - timedelta(days=90), desk.now.date())
    desk.alert()
    assert "RISING" not in desk.sent[0].text
