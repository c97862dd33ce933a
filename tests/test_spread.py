"""Vectors by other processes, and on a real Dask cluster of two workers of which one is killed in the middle: the same rows as without."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from prefect.task_runners import ProcessPoolTaskRunner, ThreadPoolTaskRunner
from prefect_dask.task_runners import DaskTaskRunner
from sqlalchemy import delete, select

from flows.spread import PIECES, pieces, runner_of
from monitor import app, pipeline
from monitor.cli.demo import CONFIGURATION
from monitor.demo import Newsroom
from monitor.domain import Source
from monitor.errors import ConfigurationError
from monitor.settings import Settings, load_settings
from monitor.store import sources
from monitor.store.database import Database, upgrade
from monitor.store.schema import articles, embeddings, entries, hits, matched, paragraphs
from tests.test_flows import ROOT, SECONDS, home, prefect, until  # noqa: F401  # fixtures

NOW = datetime.now(UTC)
LOST = 120  # paragraphs, which make two pieces


def test_pieces_are_few_and_hold_every_id_once() -> None:
    assert pieces([]) == []
    many = pieces(range(100_000))
    assert len(many) <= PIECES
    assert [key for piece in many for key in piece] == list(range(100_000))


def test_without_a_server_only_threads_run() -> None:
    assert isinstance(runner_of(Settings()), ThreadPoolTaskRunner)
    for runner in ("dask", "processes", "tcp://127.0.0.1:8786"):
        with pytest.raises(ConfigurationError, match="PREFECT_API_URL"):
            runner_of(Settings(runner=runner))


def test_with_a_server_the_runner_is_the_one_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:4200/api")
    for runner, kind in (("processes", ProcessPoolTaskRunner), ("dask", DaskTaskRunner), ("tcp://127.0.0.1:8786", DaskTaskRunner)):
        assert isinstance(runner_of(Settings(runner=runner)), kind)


def rows(database: Database) -> dict[str, Any]:
    """What a night leaves, without ids, which depend on the order in which pages came."""
    with database.reading() as connection:
        found = {
            "entries": connection.execute(select(entries.c.key, entries.c.state)),
            "articles": connection.execute(select(articles.c.url, articles.c.fingerprint)),
            "vectors": connection.execute(select(paragraphs.c.fingerprint, embeddings.c.vector).join(paragraphs)),
            "hits": connection.execute(select(paragraphs.c.fingerprint, hits.c.area, hits.c.probability).join(paragraphs)),
        }
        return {name: sorted(map(tuple, each)) for name, each in found.items()}


@dataclass(frozen=True, slots=True)
class World:
    """A newsroom that is served, and what a night over it leaves in `home` where nothing is spread."""

    room: Newsroom
    home: Path
    left: dict[str, Any]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("plain")
    (folder / "areawatch.toml").write_text(CONFIGURATION, encoding="utf-8")
    upgrade("sqlite:///demo.db", home=folder)
    with Newsroom(NOW) as room:
        database = subscribed(folder, room)
        pipeline.run(app.build(load_settings({"MONITOR_CONFIG": str(folder / "areawatch.toml")})))
        yield World(room, folder, rows(database))


def subscribed(folder: Path, room: Newsroom) -> Database:
    """The database of `folder`, which has all sources of the newsroom."""
    database = Database("sqlite:///demo.db", home=folder)
    with database.writing() as connection:
        sources.add_sources(connection, [Source(s.url, s.title, s.kind, s.language) for s in room.sources], now=NOW)
    return database


@contextmanager
def night(environment: dict[str, str], folder: Path, runner: str) -> Iterator[subprocess.Popen[bytes]]:
    """A night of its own process, which must end well; what it says is in `run.log`."""
    command = [sys.executable, "-c", f"from flows.nightly import nightly; nightly({str(folder / 'areawatch.toml')!r})"]
    with (folder / "run.log").open("w") as log:
        run = subprocess.Popen(command, env={**environment, "MONITOR_RUNNER": runner}, cwd=ROOT, stdout=log, stderr=log)
        yield run
        assert run.wait(SECONDS) == 0, (folder / "run.log").read_text()


def same(found: dict[str, Any], expected: dict[str, Any]) -> None:
    assert {name: len(each) for name, each in found.items()} == {name: len(each) for name, each in expected.items()}
    assert found == expected
    assert len(found["hits"]) > 50


def test_processes_leave_the_same_rows(prefect: dict[str, str], world: World) -> None:  # noqa: F811
    """A night after one that lost some of what it had looked at: there is nothing to read, so this takes no longer than it must."""
    database = Database("sqlite:///demo.db", home=world.home)
    with database.writing() as connection:
        lost = connection.scalars(select(paragraphs.c.id).order_by(paragraphs.c.id).limit(LOST)).all()
        for table in (embeddings, hits, matched):
            connection.execute(delete(table).where(table.c.paragraph_id.in_(lost)))
    assert len(rows(database)["hits"]) < len(world.left["hits"])
    with night(prefect, world.home, "processes") as run:
        run.wait(SECONDS)
    said = (world.home / "run.log").read_text()
    assert "for flow 'spread'" in said
    assert re.findall(r"'vectors-piece-\w+' - Finished in state (\w+)", said) == ["Completed"] * len(pieces(range(LOST)))
    same(rows(database), world.left)


def test_a_killed_worker_costs_no_row(prefect: dict[str, str], home: Path, world: World) -> None:  # noqa: F811
    from distributed import LocalCluster

    environment = {**prefect, "PYTHONPATH": str(ROOT)}
    database = subscribed(home, world.room)
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, env=environment) as cluster,
        night(environment, home, cluster.scheduler_address) as run,
    ):
        until(SECONDS, lambda: run.poll() is not None or killed_a_busy_worker(cluster), "work on the cluster")
    same(rows(database), world.left)


def killed_a_busy_worker(cluster: Any) -> bool:
    """Kills a worker with a task under way, if there is one."""
    for worker in cluster.workers.values():  # nannies: what they watch over is started again when it dies
        if any(state.processing for address, state in cluster.scheduler.workers.items() if address == worker.worker_address):
            os.kill(worker.pid, signal.SIGKILL)
            return True
    return False
