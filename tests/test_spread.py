"""Vectors on a real Dask cluster of two workers, one of which is killed in the middle: the same rows as without."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from flows.spread import PIECES, pieces, runner_of
from monitor import app, pipeline
from monitor.demo import Newsroom
from monitor.domain import Source
from monitor.errors import ConfigurationError
from monitor.settings import Settings, load_settings
from monitor.store import sources
from monitor.store.database import Database, upgrade
from monitor.store.schema import articles, embeddings, entries, hits, paragraphs
from tests.test_flows import ROOT, SECONDS, home, prefect, until  # noqa: F401  # fixtures

NOW = datetime.now(UTC)


def test_pieces_are_few_and_hold_every_id_once() -> None:
    assert pieces([]) == []
    many = pieces(range(100_000))
    assert len(many) <= PIECES
    assert [key for piece in many for key in piece] == list(range(100_000))


def test_without_a_server_only_threads_run() -> None:
    runner_of(Settings())
    for runner in ("dask", "processes", "tcp://127.0.0.1:8786"):
        with pytest.raises(ConfigurationError, match="PREFECT_API_URL"):
            runner_of(Settings(runner=runner))


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


def test_a_killed_worker_costs_no_row(prefect: dict[str, str], home: Path, tmp_path_factory: pytest.TempPathFactory) -> None:  # noqa: F811
    from distributed import LocalCluster

    environment = {**prefect, "PYTHONPATH": str(ROOT)}
    plain_home = tmp_path_factory.mktemp("plain")
    (plain_home / "areawatch.toml").write_text((home / "areawatch.toml").read_text(), encoding="utf-8")
    upgrade("sqlite:///demo.db", home=plain_home)
    spread, plain = (Database("sqlite:///demo.db", home=folder) for folder in (home, plain_home))
    with (
        Newsroom(NOW) as room,
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, env=environment) as cluster,
        (home / "run.log").open("w") as log,
    ):
        for database in (spread, plain):
            with database.writing() as connection:
                sources.add_sources(connection, [Source(s.url, s.title, s.kind, s.language) for s in room.sources], now=NOW)
        command = [sys.executable, "-c", f"from flows.nightly import nightly; nightly({str(home / 'areawatch.toml')!r})"]
        run = subprocess.Popen(command, env={**environment, "MONITOR_RUNNER": cluster.scheduler_address}, cwd=ROOT, stdout=log, stderr=log)
        until(SECONDS, lambda: run.poll() is not None or killed_a_busy_worker(cluster), "work on the cluster")
        assert run.wait(SECONDS) == 0, (home / "run.log").read_text()
        pipeline.run(app.build(load_settings({"MONITOR_CONFIG": str(plain_home / "areawatch.toml")})))
    expected, found = rows(plain), rows(spread)
    assert {name: len(each) for name, each in found.items()} == {name: len(each) for name, each in expected.items()}
    assert found == expected
    assert len(found["hits"]) > 50


def killed_a_busy_worker(cluster: Any) -> bool:
    """Kills a worker with a task under way, if there is one."""
    for worker in cluster.workers.values():  # nannies: what they watch over is started again when it dies
        if any(state.processing for address, state in cluster.scheduler.workers.items() if address == worker.worker_address):
            os.kill(worker.pid, signal.SIGKILL)
            return True
    return False
