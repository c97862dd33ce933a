"""What each run did, and the lock that lets one run at a time do it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from monitor.domain import RunSummary
from monitor.store.database import Database
from monitor.store.schema import runs

RUN_LOCK = 727275


@dataclass(frozen=True, slots=True)
class Run:
    id: int
    started_at: datetime
    finished_at: datetime | None
    state: str  # running, done, failed
    summary: dict[str, Any] | None
    error: str | None


def start_run(connection: Connection, *, now: datetime) -> int:
    """Opens a run; one that never ended (a crash, a power cut) is closed as failed."""
    lost = {"state": "failed", "error": "it was stopped before it ended", "finished_at": now}
    connection.execute(update(runs).where(runs.c.state == "running").values(**lost))
    return int(connection.execute(runs.insert().returning(runs.c.id), {"started_at": now, "state": "running"}).scalar_one())


def finish_run(connection: Connection, run_id: int, summary: RunSummary, *, now: datetime) -> None:
    connection.execute(update(runs).where(runs.c.id == run_id).values(finished_at=now, state="done", summary=asdict(summary)))


def fail_run(connection: Connection, run_id: int, error: str, *, now: datetime) -> None:
    connection.execute(update(runs).where(runs.c.id == run_id).values(finished_at=now, state="failed", error=error))


def latest_runs(connection: Connection, limit: int = 10) -> tuple[Run, ...]:
    chosen = select(runs).order_by(runs.c.id.desc()).limit(limit)
    return tuple(Run(r.id, r.started_at, r.finished_at, r.state, r.summary, r.error) for r in connection.execute(chosen))


@contextmanager
def run_lock(database: Database) -> Iterator[bool]:
    """Yields whether this process may run: no other run on this database is under way. A crash frees it."""
    if database.dialect == "postgresql":
        with database.engine.connect() as connection:
            got = bool(connection.exec_driver_sql(f"SELECT pg_try_advisory_lock({RUN_LOCK})").scalar())
            try:
                yield got
            finally:
                if got:
                    connection.exec_driver_sql(f"SELECT pg_advisory_unlock({RUN_LOCK})")
        return
    import fcntl

    name = database.engine.url.database
    if not name or name == ":memory:":
        yield True
        return
    with open(f"{name}.run", "w") as file:  # noqa: PTH123
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        yield True
