"""What the command line calls: settles Prefect's environment before the first `import prefect`, then hands over to the flows."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from monitor.domain import RunSummary
from monitor.errors import MonitorError
from monitor.settings import Settings

SERVER_START_SECONDS = 180


def settle(home: Path) -> None:
    """A Prefect home of our own (a database touched by a newer Prefect stops an older one), no telemetry, our log lines in its log."""
    folder = home.absolute() / ".prefect"
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in {
        "PREFECT_HOME": str(folder),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
        "PREFECT_LOGGING_EXTRA_LOGGERS": "monitor",
        "PREFECT_LOGGING_LEVEL": "WARNING",
    }.items():
        os.environ.setdefault(name, value)


def run_nightly(settings: Settings, progress: Callable[[str, int, int], None]) -> RunSummary:
    """One nightly run in this process; without PREFECT_API_URL Prefect starts a server for just this run."""
    settle(settings.home)
    from flows.nightly import nightly
    from flows.parts import shown_by

    with shown_by(progress):
        return RunSummary(**nightly())


def up(settings: Settings, *, port: int = 4200) -> None:
    """A Prefect server, unless PREFECT_API_URL names one, with the nights and the readers' hours, in the foreground until it is stopped."""
    settle(settings.home)
    address = os.environ.setdefault("PREFECT_API_URL", f"http://127.0.0.1:{port}/api")
    with _server(address, port, settings.home.absolute() / ".prefect" / "server.log"):
        from prefect import serve
        from prefect.deployments.runner import RunnerDeployment
        from prefect.schedules import Cron

        from flows.alert import EVERY, alert
        from flows.nightly import nightly

        print(
            f"The nightly run starts at {settings.cron!r} ({settings.timezone}); look at {address.removesuffix('/api')}",
            flush=True,
        )
        night = nightly.to_deployment("nightly", schedule=Cron(settings.cron, timezone=settings.timezone))
        hours = alert.to_deployment("digest", schedule=Cron(EVERY))
        serve(cast(RunnerDeployment, night), cast(RunnerDeployment, hours), pause_on_shutdown=False)


@contextmanager
def _server(address: str, port: int, log: Path) -> Iterator[None]:
    if healthy(address):
        yield
        return
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    with log.open("a") as out:
        server = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + SERVER_START_SECONDS
        while not healthy(address):
            if server.poll() is not None or time.monotonic() > deadline:
                raise MonitorError(f"the Prefect server did not start; see {log}, or choose another --port")
            time.sleep(0.3)
        yield
    finally:
        server.terminate()
        server.wait(15)


def healthy(address: str) -> bool:
    """Whether a Prefect server answers at this API address."""
    try:
        with urllib.request.urlopen(f"{address}/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
