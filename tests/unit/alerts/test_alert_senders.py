"""Several real processes that tell and send at once, on both databases, to a real mail server: nobody gets anything twice."""

from __future__ import annotations

import json
import multiprocessing
import time
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from alert_desk import Desk, wish
from mail_server import MailServer
from sender_process import tell_and_send
from sqlalchemy import func, select

from monitor.store import outbox
from monitor.store.database import Database
from monitor.store.outbox import LEASE
from monitor.store.schema import alerted
from monitor.taxonomy import Taxonomy
from tests.store.conftest import *  # noqa: F403  # a database on SQLite and on PostgreSQL

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
PROCESSES, READERS = 4, 30
SECONDS = 180


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer(security="none") as running:
        yield running


@pytest.fixture
def newsdesk(tmp_path: Path, taxonomy: Taxonomy, database: Database) -> Desk:
    """Thirty readers and a story."""
    found = Desk(tmp_path, taxonomy, database)
    found.subscribe(*(wish(f"reader{n}") for n in range(READERS)))
    found.story("6g")
    return found


class Office:
    """Processes on one database."""

    def __init__(self, home: Path, url: str, port: int) -> None:
        self.home, self.url, self.port, self.number = home, url, port, 0
        self.context = multiprocessing.get_context("fork")

    def start(self, number: int, now: datetime) -> list[Any]:
        """They begin at the same moment."""
        begin = self.context.Barrier(number)
        files = [self.home / f"counters-{self.number + n}.json" for n in range(number)]
        self.number += number
        made = [
            self.context.Process(target=tell_and_send, args=(self.url, self.home, self.port, now, begin, file), daemon=True)
            for file in files
        ]
        for process in made:
            process.start()
        return made

    def run(self, number: int, now: datetime) -> Counter[str]:
        """All the way; their counters together."""
        before = self.number
        made = self.start(number, now)
        for process in made:
            process.join(SECONDS)
        assert [process.exitcode for process in made] == [0] * number
        done: Counter[str] = Counter()
        for n in range(before, self.number):
            done.update(json.loads((self.home / f"counters-{n}.json").read_text()))
        return done


def test_processes_that_begin_together_tell_each_reader_once(newsdesk: Desk, server: MailServer, database_url: str, tmp_path: Path) -> None:
    office = Office(tmp_path, database_url, server.port)
    done = office.run(PROCESSES, newsdesk.now)
    assert (done["queued"], done["stories"], done["sent"], done["failed"]) == (READERS, READERS, READERS, 0)
    taken = server.taken()
    assert len(taken) == READERS
    assert {len(ids) for ids in taken.values()} == {1}
    with newsdesk.database.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(alerted)) == READERS
        assert {q.state for q in outbox.list_messages(connection, limit=None)} == {"sent"}


def test_one_that_is_killed_while_it_sends_costs_nothing(newsdesk: Desk, server: MailServer, database_url: str, tmp_path: Path) -> None:
    held = f"reader{READERS // 2}@example.org"
    server.moods.of[held] = ["hang"]
    office = Office(tmp_path, database_url, server.port)
    [process] = office.start(1, newsdesk.now)
    deadline = time.monotonic() + SECONDS
    while not server.moods.asked[held]:
        assert time.monotonic() < deadline
        assert process.is_alive()
        time.sleep(0.01)
    process.kill()
    process.join()
    done = office.run(PROCESSES - 1, newsdesk.now)
    assert done["queued"] == done["failed"] == 0
    assert sorted(server.taken()) == sorted(f"reader{n}@example.org" for n in range(READERS) if n != READERS // 2)
    assert office.run(1, newsdesk.later(seconds=LEASE.total_seconds()))["sent"] == 1
    taken = server.taken()
    assert len(taken) == READERS
    assert {len(ids) for ids in taken.values()} == {1}
