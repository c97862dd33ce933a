"""A run that is killed and run again leaves the same rows as one that was not; so do two that start at once."""

from __future__ import annotations

import random
import signal
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest

from monitor.store.runs import latest_runs
from tests.crash_site import BUSY, FORK, OUTLETS, PAGES, Moment, Nights, outcome, outlets
from tests.store.conftest import *  # noqa: F403  # one of the chains dies on PostgreSQL

# Twenty kills in all: stage → how often in it, and the share of its statements that a kill may wait for, so that work is left for the rest.
KILLS = {
    "sqlite": {"poll": (3, 0.15), "read": (7, 0.1), "group": (2, 0.4), "analyse": (2, 0.4), "count": (1, 0.9), "alert": (1, 0.9)},
    "postgresql": {"poll": (1, 0.9), "read": (1, 0.5), "analyse": (1, 0.9), "alert": (1, 0.9)},
}
SEED = 11


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with outlets() as port:
        yield port


@pytest.fixture(scope="module")
def undisturbed(port: int, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], dict[str, int]]:
    """What a run that was never killed leaves, and its statements by stage."""
    home = tmp_path_factory.mktemp("undisturbed")
    (home / "monitor.db").write_bytes(sqlite_template.read_bytes())
    nights = Nights(home, f"sqlite:///{home / 'monitor.db'}", port)
    assert nights.run() == 0
    with nights.database() as database:
        left = outcome(database)
    assert len(left["entries"]) == OUTLETS * (PAGES + 2)
    assert len(left["articles"]) == OUTLETS * (PAGES - 2)
    assert {state for _, _, state, *_ in left["entries"]} == {"read", "empty"}
    assert max(map(len, left["stories"])) == 3
    assert left["hits"]
    assert left["told"]
    assert [state for _, _, state in left["messages"]] == ["sent"]
    return left, nights.steps()


def moments(dialect: str, steps: dict[str, int]) -> list[Moment]:
    """When the runs die, in the order of the stages."""
    pick = random.Random(SEED)
    return [
        Moment(stage, pick.randint(1, max(1, int(steps[stage] * share))))
        for stage, (times, share) in KILLS[dialect].items()
        for _ in range(times)
    ]


def test_killed_twenty_times_and_run_again_nothing_is_lost_or_told_twice(
    database_url: str, port: int, undisturbed: tuple[dict[str, Any], dict[str, int]], tmp_path: Path
) -> None:
    left, steps = undisturbed
    nights = Nights(tmp_path / "home", database_url, port)
    deaths = moments(database_url.partition(":")[0], steps)
    for moment in deaths:
        assert nights.run(moment) == -signal.SIGKILL, f"{moment} was never reached"
    assert nights.run() == 0
    assert nights.run() == 0, "the next night"
    with nights.database() as database:
        found = outcome(database)
        with database.reading() as connection:
            states = [run.state for run in latest_runs(connection, limit=100)]
    for name, rows in left.items():
        assert found[name] == rows, name
    assert states == ["done", "done"] + ["failed"] * len(deaths)
    _each_sent_once(nights.home, len(left["messages"]))


def _each_sent_once(home: Path, number: int) -> None:
    keys = [message_from_bytes(file.read_bytes())["Message-ID"] for file in (home / "outbox").glob("*.eml")]
    assert len(keys) == len(set(keys)) == number


def test_of_two_runs_started_at_once_one_does_the_work(
    database_url: str, port: int, undisturbed: tuple[dict[str, Any], dict[str, int]], tmp_path: Path
) -> None:
    nights = Nights(tmp_path / "home", database_url, port)
    turned_away = FORK.Event()
    both = [nights.start(turned_away=turned_away) for _ in range(2)]
    for process in both:
        process.join()
    assert sorted(process.exitcode or 0 for process in both) == [0, BUSY]
    with nights.database() as database:
        found = outcome(database)
    for name, rows in undisturbed[0].items():
        assert found[name] == rows, name
    _each_sent_once(nights.home, len(undisturbed[0]["messages"]))
