"""What each run did, and the lock that lets one run at a time do it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from monitor.domain import RunSummary
from monitor.store.database import Database
from monitor.store.schema import runs

RUN_LOCK = 727275
# A run that was killed holds the lock until the kernel, or PostgreSQL, has seen the last of its processes go.
LET_GO_SECONDS = 3.0
LOOK_AGAIN_SECONDS = 0.1


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
    """Yields whether this process may run: no other run on this database is under way. A crash frees it.

    One that is held is waited for, three seconds at most.
    """
    if database.dialect == "postgresql":
        with database.engine.connect() as connection:
            got = _within_seconds(lambda: bool(connection.exec_driver_sql(f"SELECT pg_try_advisory_lock({RUN_LOCK})").scalar()))
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

        def lock() -> bool:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return False
            return True

        yield _within_seconds(lock)


def _within_seconds(lock: Callable[[], bool]) -> bool:
    """Tries for LET_GO_SECONDS."""
    last = time.monotonic() + LET_GO_SECONDS
    while not (got := lock()) and time.monotonic() < last:
        time.sleep(LOOK_AGAIN_SECONDS)
    return got
